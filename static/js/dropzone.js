/**
 * A drop zone around a real <input type="file">: drag files on it, paste, or click.
 * <div class="dropzone" data-dropzone [data-paste] [data-max="10"]><input type="file" …><p data-files></p></div>
 * The files land in the input, so the plain form keeps working; "taxon:files" {files} tells the page.
 */

import { bytes, number, word } from "./format.js";

function accepts(input, file) {
  const wanted = input.accept.split(",").map((part) => part.trim().toLowerCase()).filter(Boolean);
  if (!wanted.length) return true;
  const name = file.name.toLowerCase();
  return wanted.some((part) => {
    if (part.startsWith(".")) return name.endsWith(part);
    if (part.endsWith("/*")) return file.type.startsWith(part.slice(0, -1));
    return file.type === part;
  });
}

/** What a zone holds so far; the chooser forgets it, data-dropzone="add" must not. */
const held = new WeakMap();

function put(zone, input, files) {
  const taken = files.filter((file) => accepts(input, file));
  const box = new DataTransfer();
  const kept = input.multiple && zone.dataset.dropzone === "add" ? (held.get(input) ?? []) : [];
  const most = input.multiple ? Number(zone.dataset.max ?? Infinity) : 1;
  const all = [...kept, ...taken];
  all.slice(0, most).forEach((file) => box.items.add(file));
  input.files = box.files;
  held.set(input, [...box.files]);
  tell(zone, input, { refused: files.length - taken.length, over: Math.max(0, all.length - most) });
}

function tell(zone, input, { refused = 0, over = 0 } = {}) {
  const files = [...input.files];
  const place = zone.querySelector("[data-files]");
  if (place) place.textContent = sentence(files, refused, over);
  zone.dispatchEvent(new CustomEvent("taxon:files", { bubbles: true, detail: { files, refused, over } }));
}

function sentence(files, refused, over) {
  const size = bytes(files.reduce((sum, file) => sum + file.size, 0));
  const parts = [];
  if (files.length === 1) parts.push(`${files[0].name} · ${size}`);
  else if (files.length) parts.push(`${word("files", { count: number(files.length) })} · ${size}`);
  if (refused) parts.push(word("filesRefused", { count: number(refused) }));
  if (over) parts.push(word("filesOver", { count: number(over) }));
  return parts.join(" · ");
}

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

function enliven(zone) {
  const input = zone.querySelector('input[type="file"]');
  if (!input || zone.classList.contains("is-ready")) return;
  zone.classList.add("is-ready");
  let depth = 0;
  const over = (step) => {
    depth = Math.max(0, depth + step);
    zone.classList.toggle("is-over", depth > 0);
  };
  input.addEventListener("change", () => put(zone, input, [...input.files]));
  input.form?.addEventListener("reset", () => setTimeout(() => held.delete(input) && put(zone, input, [])));
  zone.addEventListener("dragenter", (event) => carriesFiles(event) && over(1));
  zone.addEventListener("dragleave", (event) => carriesFiles(event) && over(-1));
  zone.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  zone.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    over(-depth);
    put(zone, input, [...event.dataTransfer.files]);
  });
  if ("paste" in zone.dataset) listenForPaste(zone, input);
}

function listenForPaste(zone, input) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || !zone.isConnected) return;
    event.preventDefault();
    put(zone, input, files);
  });
}

export function start(root = document) {
  root.querySelectorAll("[data-dropzone]").forEach(enliven);
}

/** A file dropped beside the zone must not replace the page. */
export function guard() {
  for (const kind of ["dragover", "drop"]) {
    window.addEventListener(kind, (event) => {
      if (carriesFiles(event) && !event.defaultPrevented) event.preventDefault();
    });
  }
}
