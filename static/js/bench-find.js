/**
 * “Tag as…”: the labels that fit what is typed, the best one marked, Enter takes it. A new label is the last choice of
 * the list, so that a half-typed name makes none.
 */

import { say } from "./bench-words.js";

const MOST = 8;
const same = (name) => name.normalize("NFC").trim().toLowerCase();

/** Those that begin so come first, each kind in the column's order. */
function fitting(labels, typed) {
  const wanted = same(typed);
  const found = labels.filter((label) => same(label.name).includes(wanted));
  const rank = (label) => (same(label.name) === wanted ? 0 : same(label.name).startsWith(wanted) ? 1 : 2);
  return found.sort((one, other) => rank(one) - rank(other)).slice(0, MOST);
}

/** labels(): all there are; mayMake: whether a name that none has makes one; choose(label | {name, create}). */
export function openFind(field, { labels, mayMake, choose }) {
  const box = document.createElement("span");
  const list = document.createElement("ul");
  let options = [];
  let at = 0;
  field.removeAttribute("list"); // the browser's own, which stays where there are no scripts
  Object.assign(list, { id: "tag-as-labels", className: "find-list", hidden: true });
  list.role = "listbox";
  list.ariaLabel = field.getAttribute("aria-label");
  box.className = "find";
  field.replaceWith(box);
  box.append(field, list);
  const said = { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" };
  for (const [name, value] of Object.entries(said)) field.setAttribute(name, value);

  function mark(next) {
    at = (next + options.length) % options.length;
    for (const [place, option] of [...list.children].entries()) option.ariaSelected = String(place === at);
    field.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  }

  function draw() {
    const typed = field.value.trim();
    options = typed ? fitting(labels(), typed) : [];
    const known = options.some((label) => same(label.name) === same(typed));
    if (typed && mayMake && !known) options.push({ name: typed, create: true, hue: "" });
    list.hidden = !options.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    field.removeAttribute("aria-activedescendant");
    list.replaceChildren(...options.map(draft));
    if (options.length) mark(0);
  }

  function draft(label, place) {
    const option = document.createElement("li");
    Object.assign(option, { id: `tag-as-${place}`, className: "find-option", role: "option" });
    if (!label.create) {
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.dataset.hue = label.hue;
      option.append(dot);
    }
    const name = document.createElement("span");
    name.className = "clip";
    name.textContent = label.create ? say("newLabel", { label: label.name }) : label.name;
    option.append(name);
    option.title = label.name;
    // Before the field loses its focus
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      take(label);
    });
    return option;
  }

  function close() {
    list.hidden = true;
    options = [];
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function take(label) {
    field.value = "";
    close();
    choose(label);
  }

  field.addEventListener("input", draw);
  field.addEventListener("focus", draw);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      field.value = ""; // bench-keys.js leaves the field
      return close();
    }
    if (!options.length) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if (event.key === "Enter") take(options[at]);
    else return;
    event.preventDefault();
  });
}
