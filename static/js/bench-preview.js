/** One picture large, with its facts, look-alikes and history; arrows move on, label keys tag it and move on. */

import { fill } from "./format.js";

const PAUSE = 150; // while one hurries through the pictures nothing is compared

const fetched = (url) => fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } }).catch(() => null);

export function openPreview(root, grid, { onTag, onUntag, onDiscard, onAccept, onSkip }) {
  const dialog = root.querySelector("[data-preview]");
  const place = dialog.querySelector("[data-preview-place]");
  let shown = null; // the thumbnail that was opened last: arrows go on from it
  let visiting = null; // {id, url} of a look-alike that is not it
  let wanted = 0;
  let timer = 0;

  async function fillIn(url) {
    const mine = (wanted += 1);
    clearTimeout(timer);
    const response = await fetched(url);
    if (mine !== wanted || !dialog.open) return;
    if (!response?.ok || response.redirected) return window.location.assign(url);
    place.innerHTML = await response.text();
    fill(place);
    timer = setTimeout(() => fillInAlike(mine), PAUSE);
  }

  async function fillInAlike(mine) {
    const section = place.querySelector("[data-alike-url]");
    const response = section && (await fetched(section.dataset.alikeUrl));
    if (mine !== wanted || !response?.ok || response.redirected) return;
    section.querySelector("[data-alike]").innerHTML = await response.text();
  }

  function show() {
    if (dialog.open) return;
    place.replaceChildren();
    dialog.showModal();
  }

  function open(thumb) {
    if (!thumb) return;
    shown = thumb;
    visiting = null;
    grid.setCurrent(thumb, { focus: false });
    show();
    fillIn(thumb.querySelector(".thumb-open").href);
  }

  /** A look-alike: where it stands in the grid, or by itself. */
  function visit(id, url) {
    const there = grid.thumbs().find((thumb) => grid.idOf(thumb) === id);
    if (there) return open(there);
    visiting = { id, url };
    fillIn(url);
  }

  function step(by) {
    if (visiting && shown?.isConnected) return open(shown); // back to where one came from
    const next = grid.neighbour(by);
    if (next && next !== shown) open(next);
    if (grid.thumbs().indexOf(next) > grid.thumbs().length - 10) grid.more();
  }

  /** The act may take the picture out of the grid; its place is then the next one's. */
  function leave(act) {
    if (visiting) {
      act(visiting.id);
      return shown?.isConnected ? open(shown) : dialog.close();
    }
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
    else if (event.key === "Delete" && onDiscard) leave(onDiscard);
    else if (event.key === "Backspace" && onUntag) leave(onUntag);
    else if (event.key.toLowerCase() === "s" && onSkip) leave(onSkip);
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
    const alike = event.target.closest("[data-alike-image]");
    if (!alike || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    visit(Number(alike.dataset.alikeImage), alike.href);
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
