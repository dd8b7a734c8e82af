// The time line: thumbnails, shots, keyframes, doubts, the playhead; all of the clip, or a part of it.

const STRIP = 34, BAND = 14, FEWEST = 12, NEAR = 6;

export class Timeline {
  constructor(canvas, pictures) {
    this.canvas = canvas;
    this.pictures = pictures;
    this.from = 0;
    this.part = 1;  // of the clip that is shown
  }

  span(frames) {
    return Math.max(Math.min(FEWEST, frames), frames * this.part);
  }

  x(place, frames) {
    return (place - this.from) / this.span(frames) * this.canvas.width;
  }

  placeAt(event, frames) {
    const bounds = this.canvas.getBoundingClientRect();
    return this.from + (event.clientX - bounds.left) / bounds.width * this.span(frames);
  }

  // The frame under the mouse; near a mark, the mark's.
  frameAt(event, frames, marks) {
    const mark = this.markAt(event, frames, marks);
    return mark ? mark[0] : Math.max(0, Math.min(frames - 1, Math.floor(this.placeAt(event, frames))));
  }

  // The nearest of the marks (frame, what it is) below the thumbnails, if the mouse is near one.
  markAt(event, frames, marks) {
    const bounds = this.canvas.getBoundingClientRect();
    if (event.clientY - bounds.top < STRIP - 4) return null;
    const place = this.placeAt(event, frames), near = NEAR / bounds.width * this.span(frames);
    const away = ([frame]) => Math.abs(frame + 0.5 - place);
    return marks.filter((mark) => away(mark) <= near).sort((a, b) => away(a) - away(b))[0] ?? null;
  }

  // Shows a larger or a smaller part of the clip; what is under the mouse stays there.
  zoom(event, factor, frames) {
    const place = this.placeAt(event, frames), before = this.span(frames);
    this.part = Math.min(1, this.part * factor);
    this.part = this.span(frames) / frames;
    this.move(place - (place - this.from) / before * this.span(frames) - this.from, frames);
  }

  move(count, frames) {
    this.from = Math.max(0, Math.min(frames - this.span(frames), this.from + count));
  }

  // Brings a frame into sight.
  follow(frame, frames) {
    const span = this.span(frames);
    if (frame < this.from) this.move(frame - this.from, frames);
    else if (frame >= this.from + span) this.move(frame + 1 - span - this.from, frames);
  }

  draw(state, colours, thumb) {
    const { frames, frame, shots, keys, doubts, moments, size, result } = state;
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const ratio = width / this.canvas.clientWidth || 1;
    context.fillStyle = colours.back;
    context.fillRect(0, 0, width, height);
    const tall = STRIP * ratio, wide = Math.max(8 * ratio, tall * size[0] / size[1]);
    this.move(0, frames);  // the number of frames may be another now
    const span = this.span(frames);
    this.canvas.dataset.range = `${Math.round(this.from)}:${Math.round(this.from + span)}`;
    const count = Math.min(Math.ceil(span), Math.max(1, Math.round(width / wide)));
    const step = width / count;
    let missing = null;
    for (let n = 0; n < count; n++) {
      const at = Math.min(frames - 1, Math.floor(this.from + (n + 0.5) / count * span));
      const image = this.pictures.get(thumb(at));
      if (image) {
        const part = Math.min(image.width, image.height * step / tall);
        context.drawImage(image, (image.width - part) / 2, 0, part, image.height, n * step, 0, step, tall);
      } else if (image === null) missing ??= thumb(at);
    }
    const y = tall + 2 * ratio, deep = BAND * ratio;
    shots.forEach((start, n) => {
      const end = shots[n + 1] ?? frames;
      const from = this.x(start, frames), to = this.x(end, frames);
      context.fillStyle = n % 2 ? colours.band : colours.other;
      context.fillRect(from, y, to - from, deep);
      if (n) { context.fillStyle = colours.ink; context.fillRect(from - ratio / 2, 0, ratio, y + deep); }
    });
    if (result) {
      context.fillStyle = colours.accent;
      context.fillRect(this.x(result.first, frames), y + deep - 2 * ratio, result.frames / span * width, 2 * ratio);
    }
    const room = width / span;
    for (const [at, given] of keys) {
      const side = Math.min(4 * ratio, Math.max(1.2 * ratio, room * 1.5)), centre = this.x(at + 0.5, frames), middle = y + deep / 2 - ratio;
      context.fillStyle = given ? colours.accent : colours.ink;
      context.beginPath();
      context.moveTo(centre, middle - side); context.lineTo(centre + side, middle); context.lineTo(centre, middle + side); context.lineTo(centre - side, middle);
      context.fill();
    }
    context.fillStyle = colours.warn;
    for (const at of [...doubts, ...moments]) context.fillRect(this.x(at + 0.5, frames) - ratio, tall - 4 * ratio, 2 * ratio, 5 * ratio);
    if (span < frames) {  // which part of the clip this is
      context.fillStyle = colours.ink;
      context.fillRect(this.from / frames * width, height - 2 * ratio, Math.max(4 * ratio, span / frames * width), 2 * ratio);
    }
    const head = this.x(frame + 0.5, frames);
    context.fillStyle = colours.accent;
    context.fillRect(head - ratio, 0, 2 * ratio, height);
    return missing;
  }
}
