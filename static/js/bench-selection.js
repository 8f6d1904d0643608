/**
 * What is chosen: the ticks of the thumbnails are the truth. A click adds or takes away, shift extends from the last
 * one, Ctrl-A takes all that are loaded, and "all that match" stands for the filter, however many that are.
 */

export function openSelection(root, grid, { changed }) {
  let anchor = null;
  let everything = false;

  const ticked = () => grid.thumbs().filter((thumb) => grid.tick(thumb)?.checked);

  function set(thumb, on) {
    const tick = grid.tick(thumb);
    if (tick) tick.checked = on;
  }

  function range(from, to) {
    const all = grid.thumbs();
    const [a, b] = [all.indexOf(from), all.indexOf(to)];
    return a < 0 ? [to] : all.slice(Math.min(a, b), Math.max(a, b) + 1);
  }

  const self = {
    get everything() {
      return everything;
    },
    get ids() {
      return ticked().map(grid.idOf);
    },
    get loadedAll() {
      const all = grid.thumbs();
      return all.length > 1 && all.every((thumb) => grid.tick(thumb)?.checked);
    },
    toggle(thumb) {
      everything = false;
      set(thumb, !grid.tick(thumb).checked);
      anchor = thumb;
      changed();
    },
    extend(thumb) {
      everything = false;
      for (const each of range(anchor ?? thumb, thumb)) set(each, true);
      changed();
    },
    /** From the keyboard: the range always hangs on where it began. */
    stretch(from, to) {
      anchor ??= from;
      self.extend(to);
    },
    choose(thumbs, { keep = false } = {}) {
      everything = false;
      const wanted = new Set(thumbs);
      for (const thumb of grid.thumbs()) {
        if (wanted.has(thumb)) set(thumb, true);
        else if (!keep) set(thumb, false);
      }
      changed();
    },
    loaded() {
      grid.thumbs().forEach((thumb) => set(thumb, true));
      changed();
    },
    all() {
      grid.thumbs().forEach((thumb) => set(thumb, true));
      everything = true;
      changed();
    },
    clear() {
      everything = false;
      anchor = null;
      grid.thumbs().forEach((thumb) => set(thumb, false));
      changed();
    },
    /** Pictures that came in while everything was chosen are chosen too. */
    follow() {
      if (everything) grid.thumbs().forEach((thumb) => set(thumb, true));
      changed();
    },
  };

  let shift = false;
  grid.list.addEventListener("mousedown", (event) => {
    // Shift-click would select text between the two
    if (event.shiftKey && event.target.closest(".thumb-box")) event.preventDefault();
  });
  grid.list.addEventListener("click", (event) => {
    const label = event.target.closest(".thumb-box");
    if (!label) return;
    shift = event.shiftKey;
    if (event.target.matches(".thumb-tick") || !event.shiftKey) return; // the change below follows
    event.preventDefault();
    const thumb = label.closest(".thumb");
    self.extend(thumb);
    grid.setCurrent(thumb);
  });
  grid.list.addEventListener("change", (event) => {
    if (!event.target.matches(".thumb-tick")) return;
    const thumb = event.target.closest(".thumb");
    everything = false;
    if (shift) self.extend(thumb);
    else anchor = thumb;
    shift = false;
    changed();
  });
  return self;
}
