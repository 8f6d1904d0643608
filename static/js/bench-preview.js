/** One picture large, with its facts and history; arrows move on, label keys tag it and move on. */

import { fill } from "./format.js";

export function openPreview(root, grid, { onTag, onDiscard, onAccept }) {
  const dialog = root.querySelector("[data-preview]");
  const place = dialog.querySelector("[data-preview-place]");
  let shown = null;
  let wanted = 0;

  async function fillIn(thumb) {
    const mine = (wanted += 1);
    const response = await fetch(thumb.querySelector(".thumb-open").href, {
      headers: { "X-Requested-With": "XMLHttpRequest" },
    }).catch(() => null);
    if (mine !== wanted || !dialog.open) return;
    if (!response?.ok || response.redirected) return window.location.assign(thumb.querySelector(".thumb-open").href);
    place.innerHTML = await response.text();
    fill(place);
  }

  function open(thumb) {
    if (!thumb) return;
    shown = thumb;
    grid.setCurrent(thumb, { focus: false });
    if (!dialog.open) {
      place.replaceChildren();
      dialog.showModal();
    }
    fillIn(thumb);
  }

  function step(by) {
    const next = grid.neighbour(by);
    if (next && next !== shown) open(next);
    if (grid.thumbs().indexOf(next) > grid.thumbs().length - 10) grid.more();
  }

  /** The act may take the picture out of the grid; its place is then the next one's. */
  function leave(act) {
    const all = grid.thumbs();
    const next = all[all.indexOf(shown) + 1] ?? all[all.indexOf(shown) - 1];
    act(grid.idOf(shown));
    if (next?.isConnected) open(next);
    else dialog.close();
  }

  function onKey(event, labelOf) {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (event.key in steps) step(steps[event.key]);
    else if (event.key === " ") dialog.close();
    else if (event.key === "Delete") leave(onDiscard);
    else if (event.key === "Enter" && onAccept && !event.target.closest("a, button")) leave(onAccept);
    else {
      const label = labelOf(event.key);
      if (!label) return;
      leave((id) => onTag(id, label));
    }
    event.preventDefault();
  }

  dialog.addEventListener("click", (event) => {
    const by = event.target.closest("[data-step]")?.dataset.step;
    if (by) step(Number(by));
  });
  dialog.addEventListener("close", () => grid.setCurrent(grid.current));
  return {
    open,
    onKey,
    get isOpen() {
      return dialog.open;
    },
  };
}
