/** The keyboard of the bench; `?` shows it. Enter chooses, Space looks, a label's key tags. */

const MOVES = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (wide) => -wide, ArrowDown: (wide) => wide };
const PAGE_ROWS = 4;

const isTyping = (target) => target.closest("input:not(.thumb-tick), textarea, select, [contenteditable]");

const isControl = (target) => target.closest("button, a, summary") && !target.closest(".thumb");

export function listenToKeys(root, { grid, selection, labels, preview, acts, tag, untag, skip, discard, accept, acceptSeen, unknown, toName }) {
  const help = document.getElementById("bench-help");
  const inGrid = () => grid.list.contains(document.activeElement);

  function move(event, step) {
    const from = grid.current;
    const to = grid.neighbour(step);
    if (!to) return;
    grid.setCurrent(to);
    if (event.shiftKey && acts) selection.stretch(from, to);
    if (grid.thumbs().length - grid.thumbs().indexOf(to) < 4 * grid.columns()) grid.more();
  }

  function withControl(event) {
    const key = event.key.toLowerCase();
    if (key === "a" && acts) {
      if (selection.loadedAll) selection.all();
      else selection.loaded();
    } else if (acts && key === "z") {
      if (event.shiftKey) acts.redo();
      else acts.undo();
    } else if (acts && key === "y") acts.redo();
    else return;
    event.preventDefault();
  }

  function plain(event) {
    const { key } = event;
    const end = grid.thumbs().length;
    if (key === "?") help?.showModal();
    else if (key === "/") toName();
    else if (key === "Escape") selection.clear();
    else if (key in MOVES) move(event, MOVES[key](grid.columns()));
    else if (key === "PageDown" && inGrid()) move(event, PAGE_ROWS * grid.columns());
    else if (key === "PageUp" && inGrid()) move(event, -PAGE_ROWS * grid.columns());
    else if (key === "Home" && inGrid()) move(event, -end);
    else if (key === "End" && inGrid()) move(event, end);
    else if (key === " " && inGrid()) preview.open(grid.current);
    else if (key === "Enter" && event.shiftKey && acceptSeen) acceptSeen();
    else if (key === "Enter" && acts && accept) accept();
    else if (key === "Enter" && inGrid() && acts) selection.toggle(grid.current);
    else if (key === "Delete" && acts && "mayDelete" in root.dataset) discard();
    else if (key === "Backspace" && acts) untag();
    else if (key.toLowerCase() === "s" && acts) skip();
    else return tagByKey(event);
    return event.preventDefault();
  }

  function tagByKey(event) {
    if (!acts || event.shiftKey) return;
    const label = labels.byKey(event.key);
    if (label) tag(label);
    else if (!/^[0-9a-z]$/.test(event.key) || !unknown(event.key)) return;
    event.preventDefault();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (preview.isOpen) {
      if ((event.ctrlKey || event.metaKey) && !isTyping(event.target)) withControl(event);
      else preview.onKey(event, (key) => (acts ? labels.byKey(key) : undefined));
      return;
    }
    if (document.querySelector("dialog[open]") || isTyping(event.target)) {
      if (event.key === "Escape" && event.target.matches("[data-tag-as], [data-find]")) event.target.blur();
      return;
    }
    if (event.altKey) return;
    if (event.ctrlKey || event.metaKey) withControl(event);
    // A key on a focused button or link is that control's own, unless it stands for a label
    else if (!isControl(event.target) || /^[0-9a-z?/]$/.test(event.key) || event.key === "Escape") plain(event);
  });
}
