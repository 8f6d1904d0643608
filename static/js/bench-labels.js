/** The label column: names, keys and counts that follow each act, a field that finds, a dialog to rename or remove. */

import { followName } from "./bench-address.js";
import { number } from "./format.js";
import { csrfToken } from "./page.js";
import { show } from "./toast.js";

const BAR_BUTTONS = 9;
const same = (name) => name.normalize("NFC").trim().toLowerCase();

function rowsOf(column) {
  return [...column.querySelectorAll("[data-label]")].map((row) => ({
    id: Number(row.dataset.label),
    name: row.dataset.name,
    hue: row.dataset.hue,
    key: row.dataset.key,
    place: Number(row.dataset.place),
    row,
  }));
}

const send = (url, fields) =>
  fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken(), "X-Requested-With": "XMLHttpRequest" },
    body: new URLSearchParams(fields),
  });

/** “Use as example of 狗” beside a large picture, without leaving it. */
async function markExample(event) {
  if (!event.target.matches("[data-example]")) return;
  event.preventDefault();
  const response = await send(event.target.action, new FormData(event.target)).catch(() => null);
  const answer = response?.headers.get("Content-Type")?.includes("json") ? await response.json() : {};
  if (response?.ok) event.target.remove();
  show(answer.detail ?? answer.message ?? event.target.dataset.failed, { kind: response?.ok ? "success" : "error" });
}

/** Labels are dragged to their place; the label's own dialog moves them without a mouse. */
function openOrder(column, { labelOf, moved }) {
  let dragged = null;
  const rowAt = (event) => event.target.closest?.("[data-label]");
  const clear = () => column.querySelectorAll(".is-drop-here, .is-dragged").forEach((row) => row.classList.remove("is-drop-here", "is-dragged"));

  column.addEventListener("dragstart", (event) => {
    dragged = rowAt(event);
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
    dragged.classList.add("is-dragged");
  });
  column.addEventListener("dragover", (event) => {
    const row = rowAt(event);
    if (!dragged || !row) return;
    event.preventDefault();
    column.querySelector(".is-drop-here")?.classList.remove("is-drop-here");
    row.classList.add("is-drop-here");
  });
  column.addEventListener("drop", async (event) => {
    const [from, onto] = [labelOf(dragged), labelOf(rowAt(event))];
    clear();
    if (!from || !onto || from === onto) return;
    event.preventDefault();
    const place = from.place < onto.place ? onto.place - 1 : onto.place; // the line shows above the row
    const edit = from.row.querySelector("[data-label-edit]");
    const response = await send(new URL("change/", edit.href), { position: place }).catch(() => null);
    if (response?.ok) moved();
  });
  column.addEventListener("dragend", () => {
    clear();
    dragged = null;
  });
}

export function openLabels(root, { onChoose, onGone }) {
  const column = root.querySelector("[data-labels]");
  const bar = root.querySelector("[data-quick]");
  const choices = root.querySelector("datalist");
  let labels = rowsOf(column);

  function drawBar() {
    if (!bar) return;
    bar.replaceChildren(
      ...labels.slice(0, BAR_BUTTONS).map((label) => {
        const button = document.createElement("button");
        button.className = "button";
        button.name = "label";
        button.value = button.title = label.name;
        const key = document.createElement("kbd");
        key.textContent = label.key;
        const name = document.createElement("span");
        name.className = "clip";
        name.textContent = label.name;
        button.append(key, name);
        return button;
      }),
    );
    choices?.replaceChildren(
      ...labels.map((label) => {
        const option = document.createElement("option");
        option.value = label.name;
        return option;
      }),
    );
  }

  function showCounts(counts) {
    const most = Math.max(1, ...Object.values(counts.labels));
    for (const label of labels) {
      const count = counts.labels[label.id] ?? 0;
      label.row.querySelector(".label-count").textContent = number(count);
      label.row.querySelector(".bar rect")?.setAttribute("width", `${(100 * count) / most}%`);
    }
    for (const place of root.querySelectorAll("[data-count]")) {
      place.textContent = number(counts[place.dataset.count]);
    }
  }

  /** Pictures on the screen follow their label's new name and colour. */
  function repaint(before) {
    const now = new Map(labels.map((label) => [label.id, label]));
    const changed = new Map();
    for (const old of before) {
      const fresh = now.get(old.id);
      if (fresh && (fresh.name !== old.name || fresh.hue !== old.hue)) changed.set(old.name, fresh);
    }
    for (const strip of changed.size ? root.querySelectorAll(".thumb-strip") : []) {
      const [dot, name] = [strip.querySelector(".dot:not([hidden])"), strip.querySelector(".thumb-label")];
      const fresh = dot && changed.get(name.textContent);
      if (!fresh) continue;
      dot.dataset.hue = fresh.hue;
      if (name.title === name.textContent) name.title = fresh.name;
      name.textContent = fresh.name;
      const { dataset } = strip.closest(".thumb");
      if (dataset.label) dataset.label = fresh.name;
    }
  }

  /** The label whose pictures the page shows: `was` before. True: it has another name, by which to ask again. */
  function followShown(was) {
    if (!was) return false;
    const now = labels.find((label) => label.id === was.id);
    if (now && now.name !== was.name) {
      followName(root, was.name, now.name);
      return true;
    }
    const archived = [...column.querySelectorAll(".label-archived .label-name")].map((name) => name.textContent);
    if (!now && !archived.includes(was.name)) onGone(was);
    return false;
  }

  /** A label came, went or changed: take the column anew. */
  async function reload() {
    const url = new URL(root.dataset.labelsUrl, window.location.href);
    const response = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!response.ok) return;
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    const fresh = holder.content.querySelector(".label-column");
    column.querySelector(".label-column").replaceWith(fresh);
    const before = labels;
    labels = rowsOf(column);
    repaint(before);
    if (followShown(before.find((label) => label.name === root.dataset.label))) return reload();
    root.dataset.matching = fresh.dataset.matching;
    for (const place of root.querySelectorAll("[data-count]")) {
      place.textContent = number(Number(fresh.dataset[place.dataset.count]));
    }
    find();
    drawBar();
  }

  const field = column.querySelector("[data-find]");
  function find() {
    const wanted = same(field?.value ?? "");
    for (const label of labels) label.row.hidden = wanted !== "" && !same(label.name).includes(wanted);
  }
  field?.addEventListener("input", find);
  field?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = labels.find((label) => !label.row.hidden);
    if (first) onChoose(first);
  });

  if ("mayEdit" in root.dataset) openOrder(column, { labelOf: (row) => labels.find((label) => label.row === row), moved: reload });
  document.addEventListener("submit", markExample);

  return {
    showCounts,
    reload,
    get all() {
      return [...labels];
    },
    knows: (id) => labels.some((label) => label.id === id),
    byKey: (key) => labels.find((label) => label.key && label.key === key.toLowerCase()),
    byName: (name) => labels.find((label) => label.name === name) ?? labels.find((label) => same(label.name) === same(name)),
  };
}
