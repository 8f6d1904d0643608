/** The label column: names, keys and counts that follow each act, a field that finds, a dialog to rename or remove. */

import { number } from "./format.js";

const KEYS = "1234567890abcdefghijklmnopqrstuvwxyz";
const BAR_BUTTONS = 9;
const same = (name) => name.normalize("NFC").trim().toLowerCase();

function rowsOf(column) {
  return [...column.querySelectorAll("[data-label]")].map((row) => ({
    id: Number(row.dataset.label),
    name: row.dataset.name,
    hue: row.dataset.hue,
    row,
  }));
}

export function openLabels(root, { onChoose }) {
  const column = root.querySelector("[data-labels]");
  const bar = root.querySelector("[data-quick]");
  const choices = root.querySelector("datalist");
  let labels = rowsOf(column);

  function drawBar() {
    if (!bar) return;
    bar.replaceChildren(
      ...labels.slice(0, BAR_BUTTONS).map((label, index) => {
        const button = document.createElement("button");
        button.className = "button";
        button.name = "label";
        button.value = button.title = label.name;
        const key = document.createElement("kbd");
        key.textContent = KEYS[index];
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

  /** A label came or went: take the column anew. */
  async function reload() {
    const url = new URL(root.dataset.labelsUrl, window.location.href);
    const response = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!response.ok) return;
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    const fresh = holder.content.querySelector(".label-column");
    column.querySelector(".label-column").replaceWith(fresh);
    labels = rowsOf(column);
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

  return {
    showCounts,
    reload,
    knows: (id) => labels.some((label) => label.id === id),
    byKey: (key) => {
      const at = KEYS.indexOf(key.toLowerCase());
      return at < 0 || key.length !== 1 ? undefined : labels[at];
    },
    byName: (name) => labels.find((label) => label.name === name) ?? labels.find((label) => same(label.name) === same(name)),
  };
}
