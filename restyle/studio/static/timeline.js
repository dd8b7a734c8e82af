// The time line: thumbnails, shots, keyframes, doubts, the playhead.

const STRIP = 34, BAND = 14;

export class Timeline {
  constructor(canvas, pictures) {
    this.canvas = canvas;
    this.pictures = pictures;
    this.busy = false;
  }

  x(frame, frames) {
    return (frame + 0.5) / frames * this.canvas.width;
  }

  frameAt(event, frames) {
    const bounds = this.canvas.getBoundingClientRect();
    return Math.max(0, Math.min(frames - 1, Math.floor((event.clientX - bounds.left) / bounds.width * frames)));
  }

  draw(state, colours, thumb) {
    const { frames, frame, shots, keys, doubts, moments, size, result } = state;
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const ratio = width / this.canvas.clientWidth || 1;
    context.fillStyle = colours.back;
    context.fillRect(0, 0, width, height);
    const tall = STRIP * ratio, wide = Math.max(8 * ratio, tall * size[0] / size[1]);
    const count = Math.min(frames, Math.max(1, Math.round(width / wide)));
    const step = width / count;
    let missing = null;
    for (let n = 0; n < count; n++) {
      const at = Math.min(frames - 1, Math.floor((n + 0.5) / count * frames));
      const image = this.pictures.get(thumb(at));
      if (image) {
        const part = Math.min(image.width, image.height * step / tall);
        context.drawImage(image, (image.width - part) / 2, 0, part, image.height, n * step, 0, step, tall);
      } else if (image === null) missing ??= thumb(at);
    }
    const y = tall + 2 * ratio, deep = BAND * ratio;
    shots.forEach((start, n) => {
      const end = shots[n + 1] ?? frames;
      const from = start / frames * width, to = end / frames * width;
      context.fillStyle = n % 2 ? colours.band : colours.other;
      context.fillRect(from, y, to - from, deep);
      if (n) { context.fillStyle = colours.ink; context.fillRect(from - ratio / 2, 0, ratio, y + deep); }
    });
    if (result) {
      context.fillStyle = colours.accent;
      context.fillRect(result.first / frames * width, y + deep - 2 * ratio, result.frames / frames * width, 2 * ratio);
    }
    const room = width / frames;
    for (const [at, given] of keys) {
      const side = Math.min(4 * ratio, Math.max(1.2 * ratio, room * 1.5)), centre = this.x(at, frames), middle = y + deep / 2 - ratio;
      context.fillStyle = given ? colours.accent : colours.ink;
      context.beginPath();
      context.moveTo(centre, middle - side); context.lineTo(centre + side, middle); context.lineTo(centre, middle + side); context.lineTo(centre - side, middle);
      context.fill();
    }
    context.fillStyle = colours.warn;
    for (const at of [...doubts, ...moments]) context.fillRect(this.x(at, frames) - ratio, tall - 4 * ratio, 2 * ratio, 5 * ratio);
    const head = this.x(frame, frames);
    context.fillStyle = colours.accent;
    context.fillRect(head - ratio, 0, 2 * ratio, height);
    return missing;
  }
}
