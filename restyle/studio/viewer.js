// The viewer: stage, time line and transport. It holds the shown frame; the server is told when it settles.
import { Pictures } from "/studio/pictures.js";
import { Stage } from "/studio/stage.js";
import { Timeline } from "/studio/timeline.js";

const AHEAD = 8;
const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

export default {
  template: `
    <div class="viewer">
      <div class="stage" ref="room">
        <canvas ref="stage" tabindex="0" role="img" :aria-label="label" :data-tool="tool" :class="{marking: tool !== 'none'}"
          @pointerdown="down" @pointermove="move" @pointerup="up" @pointerleave="leave" @contextmenu.prevent @wheel.prevent="wheel"></canvas>
        <div class="waiting" v-show="waiting" aria-hidden="true"></div>
      </div>
      <canvas class="timeline" ref="timeline" tabindex="0" role="slider" aria-label="Frame" aria-valuemin="0"
        :aria-valuemax="frames - 1" :aria-valuenow="frame" :aria-valuetext="'frame ' + frame + ', ' + code"
        @pointerdown="scrub" @pointermove="over" @lostpointercapture="scrubbing = false" @wheel.prevent="spread" @dblclick="spread(null)"></canvas>
      <div class="transport">
        <button type="button" @click="seek(0)" title="First frame (Home)" aria-label="First frame">|◀◀</button>
        <button type="button" @click="step(-1)" title="One frame back (left arrow)" aria-label="One frame back">|◀</button>
        <button type="button" class="play" @click="toggle" :title="(playing ? 'Pause' : 'Play') + ' (space)'" :aria-label="playing ? 'Pause' : 'Play'">{{ playing ? '❚❚' : '▶' }}</button>
        <button type="button" @click="step(1)" title="One frame on (right arrow)" aria-label="One frame on">▶|</button>
        <span class="at"><b>{{ frame.toLocaleString('en') }}</b> / {{ (frames - 1).toLocaleString('en') }}</span>
        <span class="timecode">{{ code }}</span>
        <span class="gap"></span>
        <span class="group" role="group" aria-label="What is shown">
          <button v-for="[kind, name] in kinds" :key="kind" type="button" :aria-pressed="right === kind" :disabled="!available(kind)"
            :title="{none: 'The footage alone', painting: 'This frame, painted in the look now', result: 'What was rendered'}[kind]" @click="$emit('show', kind)">{{ name }}</button>
        </span>
        <span class="group" role="group" aria-label="How two are compared" v-show="right !== 'none'">
          <button type="button" :aria-pressed="!beside" @click="beside = false; paint()">Wipe</button>
          <button type="button" :aria-pressed="beside" title="Side by side" @click="beside = true; paint()">Beside</button>
        </span>
        <span class="group" role="group" aria-label="Size">
          <button type="button" @click="magnify(1 / 1.5)" title="Smaller (-)" aria-label="Smaller">−</button>
          <button type="button" @click="magnify(0)" title="Whole picture (0)" aria-label="Whole picture">{{ Math.round(zoom * 100) }} %</button>
          <button type="button" @click="magnify(1.5)" title="Larger (+)" aria-label="Larger">+</button>
        </span>
      </div>
    </div>`,
  props: {
    base: String, frames: Number, rate: Number, size: Array, start: Number, shots: Array, keys: Array, doubts: Array,
    moments: Array, paintings: Object, right: String, kept: Object, result: Object, against: Object, overlay: Number,
    prompts: Array, tool: String, brush: Number, colour: String, dark: Number,
  },
  data: () => ({ frame: 0, playing: false, beside: false, zoom: 1, waiting: false }),
  computed: {
    brushing() { return this.tool === "brush" || this.tool === "erase"; },
    code() {
      const whole = Math.round(this.rate) || 1, seconds = Math.floor(this.frame / this.rate);
      const two = (value) => String(value).padStart(2, "0");
      return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}:${two(Math.floor(this.frame - seconds * this.rate) % whole)}`;
    },
    label() {
      const shown = { none: "the footage", painting: "the footage, and this frame painted", result: "the footage, and the result" };
      return `Frame ${this.frame}: ${shown[this.right]}`;
    },
    kinds: () => [["none", "Footage"], ["painting", "Painted"], ["result", "Result"]],
  },
  watch: {
    result() { this.paint(); }, against() { this.paint(); }, overlay() { this.paint(); }, right() { this.paint(); }, dark() { this.paint(); },
    paintings() { this.paint(); }, prompts() { this.paint(); }, shots() { this.paint(); }, keys() { this.paint(); },
    kept() { this.paint(); }, doubts() { this.paint(); }, moments() { this.paint(); },
    tool() { this.hover = null; this.redraw(); }, brush() { this.redraw(); },
    frames() { this.frame = clamp(this.frame, 0, this.frames - 1); this.paint(); },
  },
  mounted() {
    this.kept_at = `frame of ${location.search}`;  // a reload comes back to the frame
    this.frame = clamp(Number(sessionStorage.getItem(this.kept_at)) || this.start, 0, this.frames - 1);
    this.pictures = new Pictures();
    this.thumbs = new Pictures();
    this.view = new Stage(this.$refs.stage);
    this.line = new Timeline(this.$refs.timeline, this.thumbs);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.$refs.room);
    this.observer.observe(this.$refs.timeline);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.fit();
    this.first = this.seek(this.frame);
  },
  unmounted() {
    this.playing = false;
    this.observer.disconnect();
    document.removeEventListener("keydown", this.onKey);
  },
  methods: {
    fit() {
      for (const canvas of [this.$refs.stage, this.$refs.timeline]) {
        const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
        const wide = Math.max(1, Math.round(box.width * ratio)), tall = Math.max(1, Math.round(box.height * ratio));
        if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
      }
      this.paint();
    },
    available(kind) {
      return kind === "none" || (kind === "painting" ? this.tool !== "locked" : Boolean(this.result));
    },
    urls(frame) {
      const urls = { left: `${this.base}/frame/${frame}.jpg` };
      if (this.right !== "result" && this.kept && this.kept[frame]) urls.left = `${this.base}/made/${this.kept[frame]}.jpg`;
      if (this.right === "painting" && this.paintings[frame]) urls.right = `${this.base}/made/${this.paintings[frame]}.jpg`;
      const of = (side) => side && frame >= side.first && frame < side.first + side.frames ? `${side.url}/${frame - side.first}.jpg?v=${side.stamp}` : null;
      if (this.right === "result") {
        const [left, right] = [of(this.against), of(this.result)];
        if (left) urls.left = left;
        if (right) urls.right = right;
      }
      if (this.overlay >= 0) urls.overlay = `${this.base}/matte/${frame}.png?v=${this.overlay}`;
      return urls;
    },
    names() {
      if (this.right === "result") return [this.against ? `A ${this.against.name}` : "Footage", this.against ? `B ${this.result?.name}` : this.result?.name];
      const left = this.kept && this.kept[this.frame] ? "A: look that was kept" : "Footage";
      return [left, this.kept && this.kept[this.frame] ? "B: look now" : "Painted"];
    },
    async seek(frame) {
      this.frame = clamp(Math.round(frame), 0, this.frames - 1);
      this.line.follow(this.frame, this.frames);
      const shown = this.paint();
      clearTimeout(this.settling);
      if (!this.playing) this.settling = setTimeout(() => { sessionStorage.setItem(this.kept_at, this.frame); this.$emit("at", this.frame); }, 120);
      return shown;
    },
    step(count) { this.playing = false; this.seek(this.frame + count); },
    // Asks for the shown frame's pictures, one frame at a time: while one loads, only the latest waits.
    async paint() {
      this.redraw();
      if (this.loading) { this.again = true; return; }
      this.loading = true;
      const urls = Object.values(this.urls(this.frame));
      const late = setTimeout(() => { this.waiting = true; }, 250);
      await Promise.all(urls.map((url) => this.pictures.load(url)));
      clearTimeout(late);
      this.waiting = false;
      this.loading = false;
      this.redraw();
      if (this.again) { this.again = false; this.paint(); }
    },
    redraw() {
      if (!this.view) return;
      const urls = this.urls(this.frame);
      const found = Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, this.pictures.get(url)]));
      this.view.size = this.size;
      const ready = found.left && (!urls.right || found.right !== null);
      if (ready) this.last = found;
      else found.left ??= this.last?.left;
      this.$refs.stage.dataset.frame = ready ? this.frame : -1;
      this.$refs.stage.dataset.right = found.right ? this.right : "none";
      this.$refs.stage.dataset.overlay = found.overlay ? this.overlay : -1;
      // What was painted stays until the matte that it changed is there.
      this.strokes = (this.strokes || []).filter((stroke) => stroke.frame === this.frame && (stroke.overlay === this.overlay || found.overlay === null));
      const strokes = this.pressed?.stroke ? [...this.strokes, this.pressed.stroke] : this.strokes;
      this.view.draw({
        ...found, beside: this.beside, drag: this.drag, names: this.names(), strokes,
        brush: this.brushing && this.hover ? { place: this.hover, radius: this.brush / 2, colour: this.tool === "erase" ? "#fff" : this.colour } : null,
        prompts: this.tool === "none" ? [] : this.prompts.filter((prompt) => prompt.frame === this.frame),
      });
      const style = getComputedStyle(this.$refs.timeline);
      const colour = (name) => style.getPropertyValue(`--${name}`).trim();
      const colours = { back: colour("deep"), band: colour("band"), other: colour("band-other"), ink: colour("soft"), accent: colour("accent"), warn: colour("warn") };
      const missing = this.line.draw(this, colours, (frame) => `${this.base}/frame/${frame}.jpg?side=112`);
      if (missing && !this.thumbing) {
        this.thumbing = true;  // one after the other, and not before what is being looked at
        const next = () => this.thumbs.load(missing).then(() => { this.thumbing = false; this.redraw(); });
        setTimeout(next, this.loading || this.playing ? 300 : 0);
      }
    },
    scrub(event) {
      this.playing = false;
      event.target.setPointerCapture(event.pointerId);
      this.seek(this.line.frameAt(event, this.frames, this.scrubbing ? [] : this.marks()));
      this.scrubbing = true;
    },
    over(event) {
      if (event.buttons) { this.scrub(event); return; }
      const mark = this.line.markAt(event, this.frames, this.marks());
      event.target.title = mark ? `Frame ${mark[0].toLocaleString("en")}: ${mark[1]}` : "";
      event.target.style.cursor = mark ? "pointer" : "";
    },
    // The time line, of a larger or smaller part of the clip; sideways it moves. Without an event: all of it.
    spread(event) {
      const sideways = event && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY));
      if (!event) this.line.part = 1;
      else if (sideways) this.line.move(Math.sign(event.deltaX || event.deltaY) * this.line.span(this.frames) / 10, this.frames);
      else this.line.zoom(event, event.deltaY < 0 ? 0.7 : 1 / 0.7, this.frames);
      this.redraw();
    },
    marks() {
      return [
        ...this.keys.map(([frame, given]) => [frame, given ? "keyframe, pinned or given" : "keyframe"]),
        ...this.doubts.map((frame) => [frame, "its matte should be looked at"]), ...this.moments.map((frame) => [frame, "one of the worst moments"]),
      ];
    },
    // To the mark before this frame, or the one after it.
    leap(sign) {
      const ahead = this.marks().map(([frame]) => (frame - this.frame) * sign).filter((count) => count > 0);
      if (ahead.length) this.step(Math.min(...ahead) * sign);
    },
    toggle() {
      this.playing = !this.playing;
      if (!this.playing) { this.seek(this.frame); return; }
      if (this.frame >= this.frames - 1) this.frame = 0;
      let began = performance.now(), first = this.frame;
      const tick = (now) => {
        if (!this.playing) return;
        const due = Math.min(this.frames - 1, first + Math.floor((now - began) / 1000 * this.rate));
        for (let n = this.frame; n <= Math.min(this.frames - 1, this.frame + AHEAD); n++) Object.values(this.urls(n)).forEach((url) => this.pictures.load(url));
        // Both sides of a frame are shown, or neither: what is late holds the clock, so that they stay in step.
        let next = this.frame;
        while (next < due && Object.values(this.urls(next + 1)).every((url) => this.pictures.get(url) !== null)) next++;
        if (next < due) [began, first] = [now, next];
        if (next !== this.frame) { this.frame = next; this.line.follow(next, this.frames); this.redraw(); }
        if (this.frame >= this.frames - 1) { this.playing = false; this.seek(this.frame); return; }
        requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    },
    magnify(factor) {
      this.zoom = this.view.zoom = factor ? clamp(this.zoom * factor, 1, 12) : 1;
      this.redraw();
    },
    wheel(event) {
      const { place } = this.view.toPicture(event, this.beside && this.right !== "none");
      this.view.centre = [0, 1].map((axis) => clamp(place[axis] / this.size[axis], 0, 1));
      this.magnify(event.deltaY < 0 ? 1.25 : 0.8);
    },
    down(event) {
      event.target.setPointerCapture(event.pointerId);
      const { place, inside } = this.view.toPicture(event, this.beside && this.right !== "none");
      const away = event.shiftKey || event.altKey || event.button === 2;
      if (this.brushing) this.pressed = { stroke: { frame: this.frame, overlay: this.overlay, radius: this.brush / 2, places: [...place], away: (this.tool === "erase") !== away, colour: this.colour } };
      else if (this.tool === "mark" && inside) this.pressed = { place, x: event.clientX, y: event.clientY, away };
      else this.pressed = { wiping: this.right !== "none" && !this.beside && this.zoom === 1, x: event.clientX, y: event.clientY, centre: [...this.view.centre] };
      this.move(event);
    },
    move(event) {
      const { place } = this.view.toPicture(event, this.beside && this.right !== "none");
      if (this.brushing) {
        this.hover = place;
        const places = event.buttons ? this.pressed?.stroke?.places : null;
        if (places && places.length < 16000 && Math.hypot(place[0] - places.at(-2), place[1] - places.at(-1)) >= Math.max(0.5, this.brush / 16)) places.push(...place);
        this.redraw();
        return;
      }
      if (!this.pressed || !event.buttons) return;
      const far = Math.hypot(event.clientX - this.pressed.x, event.clientY - this.pressed.y) > 6;
      if (this.pressed.place) {
        if (far) this.drag = { kind: "box", values: this.corners(this.pressed.place, place), colour: this.colour };
      } else if (this.pressed.wiping) this.view.wipe = clamp((place[0] + 0.5) / this.size[0], 0, 1);
      else if (far) {
        const box = this.$refs.stage.getBoundingClientRect();
        const moved = [(event.clientX - this.pressed.x) / box.width, (event.clientY - this.pressed.y) / box.height];
        this.view.centre = [0, 1].map((axis) => clamp(this.pressed.centre[axis] - moved[axis] / this.zoom, 0, 1));
      }
      this.redraw();
    },
    corners(a, b) {
      const held = (value, axis) => clamp(value, 0, this.size[axis] - 1);
      return [Math.min(held(a[0], 0), held(b[0], 0)), Math.min(held(a[1], 1), held(b[1], 1)), Math.max(held(a[0], 0), held(b[0], 0)), Math.max(held(a[1], 1), held(b[1], 1))];
    },
    leave() { this.hover = null; this.redraw(); },
    up() {
      const pressed = this.pressed;
      this.pressed = null;
      if (pressed?.stroke) {
        const { frame, radius, places, away } = pressed.stroke;
        this.strokes.push(pressed.stroke);
        this.$emit("mark", { frame, kind: away ? "erase" : "brush", values: [radius, ...places.map((value) => Math.round(value * 10) / 10)] });
        this.redraw();
      }
      if (!pressed?.place) return;
      const kind = this.drag ? "box" : pressed.away ? "not" : "point";
      const values = (this.drag ? this.drag.values : pressed.place).map((value) => Math.round(value * 10) / 10);
      this.drag = null;
      this.$emit("mark", { frame: this.frame, kind, values });
      this.redraw();
    },
    key(event) {
      const target = event.target;
      if (event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable) return;
      if (target.closest?.("[role=slider]:not(.timeline), [role=tab], [role=listbox], .q-slider, .q-dialog")) return;
      if (target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter")) return;
      const far = event.shiftKey ? 10 : 1;
      const acts = {
        " ": () => this.toggle(), ArrowUp: () => this.leap(-1), ArrowDown: () => this.leap(1), k: () => this.$emit("pin", this.frame), ArrowLeft: () => this.step(-far), ArrowRight: () => this.step(far), Home: () => this.step(-this.frames),
        End: () => this.step(this.frames), "+": () => this.magnify(1.5), "=": () => this.magnify(1.5), "-": () => this.magnify(1 / 1.5), 0: () => this.magnify(0),
      };
      if (this.brushing) [acts["["], acts["]"]] = [() => this.$emit("brush", 1 / 1.25), () => this.$emit("brush", 1.25)];
      if (!acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    },
    show(frame) { this.playing = false; this.seek(frame); },
    async opened() { await this.first; return this.frame; },
  },
};
