(function () {
  "use strict";
  document.querySelectorAll(".player").forEach(function (player) {
    var video = player.querySelector("video"), canvas = player.querySelector("canvas"), paint = canvas.getContext("2d");
    var button = player.querySelector(".play"), time = player.querySelector(".at"), wipe = player.querySelector(".wipe");
    var said = player.querySelector("output"), width = canvas.width, height = canvas.height;
    var rate = +player.dataset.rate, count = +player.dataset.frames, first = +player.dataset.first, frame = 0, wanted = null;

    // As a blob, for some browsers do not move about in a clip that is a data address.
    var bytes = Uint8Array.from(atob(video.src.slice(video.src.indexOf(",") + 1)), function (c) { return c.charCodeAt(0); });
    video.controls = false;
    video.tabIndex = -1;
    video.setAttribute("aria-hidden", "true");
    video.preload = "auto";
    video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));

    var draw = function () {
      var split = Math.round(width * wipe.value / 100);
      if (video.readyState < 2) { return; }
      paint.drawImage(video, 0, 0, width, height, 0, 0, width, height);
      if (split < width) { paint.drawImage(video, split, height, width - split, height, split, 0, width - split, height); }
      paint.fillStyle = "#fff";
      if (split > 0 && split < width) { paint.fillRect(split - 1, 0, 2, height); }
      frame = Math.max(0, Math.min(count - 1, Math.floor(video.currentTime * rate + 0.01)));
      if (wanted === null) { time.value = frame; }
      var seconds = frame / rate, minutes = Math.floor(seconds / 60);
      said.textContent = "Frame " + (first + frame) + ", " + (minutes ? minutes + " min " : "") + (seconds - 60 * minutes).toFixed(2) + " s";
      time.setAttribute("aria-valuetext", said.textContent);
    };
    // One seek at a time: a browser that is asked for the next before it has shown one may show none.
    var seek = function (place) {
      wanted = Math.max(0, Math.min(count - 1, place));
      if (!video.seeking) { video.currentTime = (wanted + 0.5) / rate; }
    };
    video.addEventListener("seeked", function () {
      draw();
      if (wanted !== null && wanted !== frame) { video.currentTime = (wanted + 0.5) / rate; } else { wanted = null; draw(); }
    });
    var next = function () {
      draw();
      if (video.paused) { return; }
      if (video.requestVideoFrameCallback) { video.requestVideoFrameCallback(next); } else { requestAnimationFrame(next); }
    };
    var toggle = function () { if (video.paused) { video.play(); } else { video.pause(); } };
    var step = function (by) {
      video.pause();
      seek((wanted === null ? frame : wanted) + by);
    };
    var state = function () {
      button.textContent = video.paused ? "Play" : "Pause";
      button.setAttribute("aria-label", button.textContent);
    };
    video.addEventListener("play", function () { state(); next(); });
    video.addEventListener("pause", function () { state(); draw(); });
    video.addEventListener("loadeddata", function () { seek(0); });
    button.addEventListener("click", toggle);
    player.querySelector(".back").addEventListener("click", function () { step(-1); });
    player.querySelector(".on").addEventListener("click", function () { step(1); });
    time.addEventListener("input", function () { video.pause(); seek(+time.value); });
    wipe.addEventListener("input", draw);
    var drag = function (event) {
      var box = canvas.getBoundingClientRect();
      wipe.value = 100 * (event.clientX - box.left) / box.width;
      draw();
    };
    canvas.addEventListener("pointerdown", function (event) { canvas.setPointerCapture(event.pointerId); drag(event); });
    canvas.addEventListener("pointermove", function (event) { if (event.buttons) { drag(event); } });
    player.addEventListener("keydown", function (event) {
      var kind = event.target.tagName, by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.altKey || event.ctrlKey || event.metaKey) { return; }
      if (event.key === " " && kind !== "BUTTON") { event.preventDefault(); toggle(); }
      if (by && event.target !== wipe) { event.preventDefault(); step(by); }
    });
  });
})();
