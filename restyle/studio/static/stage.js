// The stage: one frame, or two with a wipe between them or side by side, mattes over it and prompts drawn in.

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.zoom = 1;
    this.centre = [0.5, 0.5];
    this.wipe = 0.5;
    this.size = [16, 9];
  }

  // Where the picture lies on the canvas, in device pixels. Side by side there are two.
  boxes(count) {
    const { width, height } = this.canvas;
    const room = [width / count, height];
    const fit = Math.min(room[0] / this.size[0], room[1] / this.size[1]) * this.zoom;
    const wide = this.size[0] * fit, tall = this.size[1] * fit;
    const offset = (extent, side, at) => extent >= side ? (extent - side) / 2 : Math.min(0, Math.max(extent - side, extent / 2 - side * at));
    const left = offset(room[0], wide, this.centre[0]), top = offset(room[1], tall, this.centre[1]);
    return Array.from({ length: count }, (_, n) => ({ clip: [n * room[0], 0, room[0], height], at: [n * room[0] + left, top, wide, tall] }));
  }

  // From the mouse to pixels of the footage; null outside of the picture.
  toPicture(event, beside) {
    const ratio = this.canvas.width / this.canvas.clientWidth;
    const bounds = this.canvas.getBoundingClientRect();
    const x = (event.clientX - bounds.left) * ratio, y = (event.clientY - bounds.top) * ratio;
    const boxes = this.boxes(beside ? 2 : 1);
    const { at } = boxes.find(({ clip }) => x >= clip[0] && x < clip[0] + clip[2]) || boxes[0];
    const place = [(x - at[0]) / at[2] * this.size[0] - 0.5, (y - at[1]) / at[3] * this.size[1] - 0.5];
    const inside = place[0] >= -0.5 && place[1] >= -0.5 && place[0] < this.size[0] - 0.5 && place[1] < this.size[1] - 0.5;
    return { place, inside };
  }

  draw({ left, right, beside, overlay, prompts, drag, names, strokes = [], brush = null }) {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, width, height);
    const two = beside && right;
    const boxes = this.boxes(two ? 2 : 1);
    const put = (image, box) => {
      if (!image) return;
      context.save();
      context.beginPath();
      context.rect(...box.clip);
      context.clip();
      context.drawImage(image, ...box.at);
      context.restore();
    };
    put(left, boxes[0]);
    if (right && two) put(right, boxes[1]);
    let edge = null;
    if (right && !two) {
      const { at } = boxes[0];
      edge = Math.min(width, Math.max(0, at[0] + at[2] * this.wipe));
      put(right, { clip: [edge, 0, width - edge, height], at });
    }
    put(overlay, boxes[0]);
    const ratio = width / this.canvas.clientWidth || 1;
    for (const prompt of prompts) this.mark(context, boxes[0].at, prompt, ratio);
    for (const stroke of strokes) this.stroke(context, boxes[0].at, stroke);
    if (brush) this.ring(context, boxes[0].at, brush, ratio);
    if (drag) this.mark(context, boxes[0].at, drag, ratio);
    if (edge !== null) {
      context.fillStyle = "#fff";
      context.shadowColor = "#000a";
      context.shadowBlur = 4 * ratio;
      context.fillRect(edge - ratio / 2, 0, ratio, height);
      context.beginPath();
      context.arc(edge, height / 2, 7 * ratio, 0, 7);
      context.fill();
      context.shadowBlur = 0;
    }
    if (right) {
      this.name(context, names[0], boxes[0].clip[0] + 10 * ratio, ratio, "left");
      this.name(context, names[1], two ? boxes[1].clip[0] + 10 * ratio : width - 10 * ratio, ratio, two ? "left" : "right");
    }
  }

  name(context, text, x, ratio, align) {
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textAlign = align;
    const wide = context.measureText(text).width;
    context.fillStyle = "#000a";
    context.fillRect(align === "left" ? x - 6 * ratio : x - wide - 6 * ratio, 10 * ratio, wide + 12 * ratio, 19 * ratio);
    context.fillStyle = "#fff";
    context.fillText(text, x, 23 * ratio);
  }

  onCanvas(at, place) {
    return [0, 1].map((axis) => at[axis] + (place[axis] + 0.5) / this.size[axis] * at[axis + 2]);
  }

  stroke(context, at, { places, radius, colour, away }) {
    context.save();
    context.globalAlpha = 0.5;
    context.strokeStyle = away ? "#000" : colour;
    context.lineWidth = 2 * radius / this.size[0] * at[2];
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    for (let n = 0; n < places.length; n += 2) context.lineTo(...this.onCanvas(at, places.slice(n, n + 2)));
    if (places.length === 2) context.lineTo(...this.onCanvas(at, [places[0] + 0.01, places[1]]));
    context.stroke();
    context.restore();
  }

  // The brush's edge, where the mouse is.
  ring(context, at, { place, radius, colour }, ratio) {
    const [x, y] = this.onCanvas(at, place), wide = radius / this.size[0] * at[2];
    for (const [shade, thick] of [["#000a", 3], [colour, 1]]) {
      context.strokeStyle = shade;
      context.lineWidth = thick * ratio;
      context.beginPath();
      context.arc(x, y, wide, 0, 7);
      context.stroke();
    }
  }

  mark(context, at, prompt, ratio) {
    const [x, y] = [0, 1].map((axis) => (value) => at[axis] + (value + 0.5) / this.size[axis] * at[axis + 2]);
    const strokes = (path) => {
      for (const [colour, thick] of [["#000c", 4], [prompt.colour, 2]]) {
        context.strokeStyle = colour;
        context.lineWidth = thick * ratio;
        context.beginPath();
        path();
        context.stroke();
      }
    };
    const v = prompt.values;
    if (prompt.kind === "box") {
      strokes(() => context.rect(x(v[0]), y(v[1]), x(v[2]) - x(v[0]), y(v[3]) - y(v[1])));
      return;
    }
    const arm = 7 * ratio, px = x(v[0]), py = y(v[1]);
    strokes(() => {
      context.arc(px, py, arm * 1.25, 0, 7);
      context.moveTo(px - arm * 0.7, py);
      context.lineTo(px + arm * 0.7, py);
      if (prompt.kind === "point") {
        context.moveTo(px, py - arm * 0.7);
        context.lineTo(px, py + arm * 0.7);
      }
    });
  }
}
