(function () {
  "use strict";
  document.documentElement.classList.add("js");
  document.querySelectorAll(".pair input").forEach(function (slider) {
    var box = slider.parentNode;
    var set = function () { box.style.setProperty("--split", slider.value + "%"); };
    slider.addEventListener("input", set);
    set();
  });
  var plots = document.querySelector(".plots");
  if (!plots) { return; }
  var data = JSON.parse(document.getElementById("curves").textContent);
  var readout = plots.querySelector(".readout"), at = -1, count = data.first.length;
  var clock = function (frame) {
    var s = frame / data.rate, m = Math.floor(s / 60);
    return m ? m + ":" + (s - 60 * m).toFixed(2).padStart(5, "0") : s.toFixed(2) + " s";
  };
  var add = function (text, strong) {
    var span = document.createElement("span"), inner = document.createElement(strong ? "b" : "span");
    inner.textContent = text; span.appendChild(inner); readout.appendChild(span);
  };
  var figure = function (value) { return value === null ? "–" : String(+value.toPrecision(3)); };
  var values = plots.querySelectorAll("[data-curve]");
  var show = function (place) {
    at = Math.max(0, Math.min(count - 1, place));
    plots.classList.add("on");
    plots.style.setProperty("--at", data.x[at]);
    readout.textContent = "";
    var a = data.first[at], b = data.last[at];
    add(a === b ? "Frame " + a : "Frames " + a + " to " + b, true);
    add(clock(a));
    add("shot " + data.shot[at]);
    if (data.mark[at]) { add(data.mark[at]); }
    values.forEach(function (value) {
      var one = data.curves[value.dataset.curve];
      if (!one) { return; }
      var text = figure(one.mean[at]);
      if (one.low && one.low[at] !== one.high[at]) { text += " (" + figure(one.low[at]) + " to " + figure(one.high[at]) + ")"; }
      value.textContent = text + (one.unit ? " " + one.unit : "");
    });
  };
  plots.addEventListener("pointermove", function (event) {
    var area = plots.querySelector(".plot").getBoundingClientRect();
    if (!area.width) { return; }
    var x = (event.clientX - area.left) / area.width, best = 0;
    for (var i = 1; i < count; i++) { if (Math.abs(data.x[i] - x) < Math.abs(data.x[best] - x)) { best = i; } }
    show(best);
  });
  plots.addEventListener("keydown", function (event) {
    var step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -25, PageDown: 25, Home: -count, End: count }[event.key];
    if (step) { event.preventDefault(); show(at + step); }
  });
})();
