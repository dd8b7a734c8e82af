// Pictures by address: loaded once, the last used ones kept, and of those that are scrubbed over only the last is asked for.

const KEPT = 90;

export class Pictures {
  constructor() {
    this.kept = new Map();
  }

  // The picture, if it is loaded; null while it is not, undefined where it cannot be.
  get(url) {
    if (!url) return undefined;
    const entry = this.kept.get(url);
    if (!entry) return null;
    this.kept.delete(url);
    this.kept.set(url, entry);
    return entry.failed ? undefined : entry.done ? entry.image : null;
  }

  load(url) {
    if (!url) return Promise.resolve(undefined);
    let entry = this.kept.get(url);
    if (!entry) {
      const image = new Image();
      entry = { image, done: false, failed: false };
      this.kept.set(url, entry);
      image.src = url;
      entry.promise = image.decode().then(
        () => { entry.done = true; return image; },
        () => { entry.failed = true; setTimeout(() => this.kept.get(url) === entry && this.kept.delete(url), 1500); return undefined; },
      );
      for (const [old, other] of this.kept) {
        if (this.kept.size <= KEPT) break;
        if (other.done || other.failed) this.kept.delete(old);
      }
    }
    return entry.promise;
  }

  get waiting() {
    let count = 0;
    for (const entry of this.kept.values()) count += !entry.done && !entry.failed;
    return count;
  }
}
