/** The tagging bench: puts grid, selection, labels, acts, preview and keys together. */

import { openActs } from "./bench-acts.js";
import { openBand } from "./bench-band.js";
import { openFind } from "./bench-find.js";
import { openFilters } from "./bench-filters.js";
import { openGrid } from "./bench-grid.js";
import { listenToKeys } from "./bench-keys.js";
import { openLabels } from "./bench-labels.js";
import { openLive } from "./bench-live.js";
import { openPreview } from "./bench-preview.js";
import { openSaving } from "./bench-saving.js";
import { openSelection } from "./bench-selection.js";
import { openSize } from "./bench-size.js";
import { openSuggestions } from "./bench-suggestions.js";
import { say } from "./bench-words.js";
import { number } from "./format.js";
import { csrfToken } from "./page.js";
import { show } from "./toast.js";

const root = document.querySelector("[data-bench]");
const mayTag = "mayTag" in root.dataset;
const bar = root.querySelector("[data-bar]");
const form = root.querySelector("[data-acts]");
let selection = null;

const grid = openGrid(root, {
  onChange() {
    selection?.follow();
    // What is rare may be many windows away: nothing matches only once there is no further page
    if (!root.querySelector(".thumb, [data-more]")) root.querySelector("[data-empty]")?.removeAttribute("hidden");
  },
});
const labels = openLabels(root, { onChoose: choose, onGone: labelGone });
const matching = () => Number(root.dataset.matching);
const uncounted = () => "moreMatch" in root.dataset; // more than were counted
const told = (count) => (uncounted() ? say("moreThan", { count: number(count) }) : number(count));

// ---- the selection and its bar ------------------------------------------------------------------------------
function drawBar() {
  if (!bar) return;
  const count = selection.everything ? matching() : selection.ids.length;
  bar.hidden = count === 0;
  bar.querySelector("[data-selected]").textContent = say("selected", {
    count: selection.everything ? told(count) : number(count),
    total: told(matching()),
  });
  const more = bar.querySelector("[data-select-all]");
  more.hidden = selection.everything || !selection.loadedAll || (matching() <= count && !uncounted());
  more.textContent = uncounted() ? say("selectEvery") : say("selectAll", { count: number(matching()) });
}

selection = openSelection(root, grid, { changed: drawBar });

function chosen() {
  if (selection.everything) return { everything: true };
  const ids = selection.ids;
  if (ids.length) return { ids };
  return grid.current ? { ids: [grid.idOf(grid.current)] } : null;
}

function follow(counts) {
  root.dataset.matching = counts.matching;
  root.toggleAttribute("data-more-match", counts.more);
  const tab = root.querySelector('[data-count="skipped"]')?.closest(".tab");
  if (tab) tab.hidden = !counts.skipped && !tab.hasAttribute("aria-current");
}

/** Once two labels have enough pictures there is something to train. */
function followReady(counts) {
  const place = document.querySelector("[data-ready]");
  if (!place || !counts?.labels) return;
  const ready = Object.values(counts.labels).filter((count) => count >= Number(place.dataset.least)).length;
  place.querySelector("[data-ready-now]").textContent = say("readyNow", { count: number(ready) });
  const train = document.querySelector("[data-train]");
  if (!train) return;
  train.hidden = ready < 2;
  document.querySelector("[data-import]").classList.toggle("button-main", train.hidden);
}

// ---- acts ---------------------------------------------------------------------------------------------------
function settled(answer) {
  if (answer.counts) follow(answer.counts);
  root.querySelector("[data-empty]")?.toggleAttribute("hidden", matching() > 0 || grid.thumbs().length > 0);
  followReady(answer.counts);
  const today = document.querySelector("[data-today]");
  if (today && answer.today !== undefined) today.textContent = say("today", { count: number(answer.today) });
  drawBar();
}

const saving = openSaving(root, { retry: () => goOn(), discard: () => acts?.giveUp() });
const acts = mayTag
  ? openActs(root, grid, labels, {
      settled(answer) {
        settled(answer);
        suggestions?.refresh();
      },
      saving: saving.show,
    })
  : null;
const live = openLive(root, grid, labels, {
  acts,
  settled,
  tick: grid.tick,
  unselect(thumbs) {
    for (const thumb of thumbs) grid.tick(thumb).checked = false;
    drawBar();
  },
  /** Who the last look at the server was answered as; "" is whose page this is. */
  session(state) {
    const unsaved = acts?.unsaved ?? 0;
    if (state) saving.show(unsaved, state);
    else if (["signed-out", "somebody-else", "gone"].includes(saving.state)) {
      saving.show(unsaved, "idle");
      acts?.retry();
    }
    return false;
  },
  post: (url) => fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, redirect: "manual" }),
});

/** After signing in again, or because the person does not want to wait. */
function goOn() {
  acts?.retry();
  live.round();
}

function finish(act) {
  const what = chosen();
  if (!acts || !what) return;
  suggestions?.learn(false);
  act(what);
  selection.clear();
}

const tag = (label) => finish((what) => acts.tag(what, label));
const confirming = root.dataset.state === "suggested"; // where no picture has a label to remove
const skip = () => finish((what) => acts.skip(what));
const untag = () => confirming || finish((what) => acts.tag(what, null));
const accept = confirming && acts ? () => finish((what) => acts.accept(what)) : null;
/** Everything on the screen that was not put right: what is suggested there is right. */
const acceptSeen = accept && (() => {
  const ids = grid.seen().map(grid.idOf);
  if (!ids.length) return;
  acts.accept({ ids });
  selection.clear();
  suggestions.learn(true);
});
const discard = () => finish((what) => acts.discard(what));

/** A name that was typed: one of the labels, or a new one where the person may make it. */
function labelNamed(name) {
  const known = labels.byName(name);
  if (known) return known;
  if ("mayEdit" in root.dataset) return { name, create: true, hue: "" };
  show(say("noSuchLabel", { label: name }), { kind: "error", slot: "bench" });
  return null;
}

function labelGone(label) {
  show(say("labelGone", { label: label.name }), { kind: "error", slot: "label-gone" });
}

/** A key that no label has: says so, and lets the label be named. False where nothing is chosen that it could be for. */
function unknown(key) {
  if (!chosen()) return false;
  if (!bar.hidden) form.querySelector("[data-tag-as]").focus();
  show(say(bar.hidden ? "noSuchKey" : "nameThatKey", { key: key.toUpperCase() }), { kind: "info", slot: "bench" });
  return true;
}

/** Chosen in the column's search: tags what is selected, or else shows the label. */
function choose(label) {
  if (acts && (selection.everything || selection.ids.length)) tag(label);
  else window.location.assign(label.row.querySelector("a").href);
}

/** To the page that asks where the chosen pictures go; they travel in a form of their own. */
function elsewhere(button) {
  const what = chosen();
  if (!what) return;
  const sent = document.createElement("form");
  Object.assign(sent, { method: "post", action: button.formAction, hidden: true });
  const add = (name, value) => sent.append(Object.assign(document.createElement("input"), { name, value }));
  add("csrfmiddlewaretoken", csrfToken());
  if (what.everything) add("filter", root.dataset.query);
  else for (const id of what.ids) add("images", id);
  document.body.append(sent);
  sent.submit();
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const act = event.submitter?.dataset.act ?? "tag";
  if (act === "move") return elsewhere(event.submitter);
  if (act === "untag") return untag();
  if (act === "discard") return discard();
  if (act === "skip") return skip();
  if (act === "accept") return accept?.();
  const field = form.querySelector("[data-tag-as]");
  const name = event.submitter?.name === "label" ? event.submitter.value : field.value.trim();
  const label = name ? labelNamed(name) : null;
  if (!label) return;
  field.value = "";
  tagFromField(label);
});

function tagFromField(label) {
  tag(label);
  if (grid.current) grid.setCurrent(grid.current);
}

/** To where a label's name is typed: for what is chosen, or else for the picture in focus. */
function toName() {
  const field = mayTag ? form.querySelector("[data-tag-as]") : root.querySelector("[data-find]");
  if (mayTag && !selection.everything && !selection.ids.length && grid.current) selection.toggle(grid.current);
  if (field && !(mayTag && bar.hidden)) field.focus();
}
if (bar) {
  const mayMake = "mayEdit" in root.dataset;
  openFind(form.querySelector("[data-tag-as]"), { labels: () => labels.all, mayMake, choose: tagFromField });
}
bar?.querySelector("[data-select-all]").addEventListener("click", () => selection.all());
bar?.querySelector("[data-clear]").addEventListener("click", () => selection.clear());
root.querySelector("[data-retry]")?.addEventListener("click", () => acts.retry());

const preview = openPreview(root, grid, {
  onTag: (id, label) => acts?.tag({ ids: [id] }, label),
  onUntag: acts && !confirming && ((id) => acts.tag({ ids: [id] }, null)),
  onDiscard: acts && "mayDelete" in root.dataset && ((id) => acts.discard({ ids: [id] })),
  onSkip: acts && ((id) => acts.skip({ ids: [id] })),
  onAccept: accept && ((id) => acts.accept({ ids: [id] })),
});
grid.list.addEventListener("click", (event) => {
  const link = event.target.closest(".thumb-open");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  preview.open(link.closest(".thumb"));
});
grid.list.addEventListener("dblclick", (event) => {
  const thumb = event.target.closest(".thumb");
  if (thumb) preview.open(thumb);
});
if (mayTag) openBand(root, grid, selection);
listenToKeys(root, { grid, selection, labels, preview, acts, tag, untag, skip, discard, accept, acceptSeen, unknown, toName });
const suggestions = confirming
  ? openSuggestions(root, grid, acts, { acceptSeen, idle: () => !selection.everything && !selection.ids.length && !preview.isOpen })
  : null;

// ---- one label: rename, delete --------------------------------------------------------------------------------
const labelDialog = root.querySelector("[data-label-dialog]");
root.querySelector("[data-labels]").addEventListener("click", async (event) => {
  const link = event.target.closest("[data-label-edit]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const url = new URL(link.href);
  url.searchParams.set("view", new URL(root.dataset.imagesUrl, window.location.href).search.slice(1));
  const response = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } }).catch(() => null);
  if (!response?.ok || response.redirected) return window.location.assign(link.href);
  labelDialog.innerHTML = await response.text();
  labelDialog.showModal();
});
labelDialog.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-label-delete]")) return;
  event.preventDefault();
  labelDialog.close();
  acts.deleteLabel(event.target.action, event.target.elements.move_to.value);
});

// ---- how it looks -------------------------------------------------------------------------------------------
openSize(root, grid.list);
openFilters(root);
// Where the column stands above the pictures it starts folded
const narrow = window.matchMedia("(width <= 60rem)");
const fold = root.querySelector(".bench-fold");
const followWidth = () => (fold.open = !narrow.matches);
narrow.addEventListener("change", followWidth);
followWidth();
root.querySelector("[data-order]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
document.addEventListener("taxon:refreshed", (event) => {
  if (event.target.matches("[data-import-ended]")) labels.reload().then(grid.reload).then(drawBar);
});
drawBar();
