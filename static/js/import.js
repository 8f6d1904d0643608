/**
 * The import page: folders that are dropped or chosen, and many loose pictures, travel as one zip; zips travel in
 * pieces. A few loose pictures go by the plain form.
 */

import { bytes, number } from "./format.js";
import { remind, say as sayOf, sendAll } from "./import-send.js";
import { MOST_BYTES, MOST_FILES, pack } from "./import-zip.js";
import { PIECE } from "./tus.js";

const form = document.querySelector("form[data-import]");
const zone = form.querySelector("[data-dropzone]");
const input = zone.querySelector('input[type="file"]');
const place = zone.querySelector("[data-files]");
const submit = form.querySelector(".button-main");
const mostFiles = Number(form.dataset.mostFiles);
const mostBytes = Math.min(Number(form.dataset.mostArchive), MOST_BYTES);

const say = (key, places) => sayOf(form, key, places);
const weight = (files) => files.reduce((sum, file) => sum + file.size, 0);
// A table that is larger than any list of labels holds the pictures themselves
const isZip = ({ name, size }) => /\.zip$/i.test(name) || (/\.csv$/i.test(name) && size > PIECE);

function inside(folder) {
  const reader = folder.createReader();
  const batch = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  // A reader gives a hundred at a time, until it gives none
  return (async function all(found = []) {
    const more = await batch();
    return more.length ? all([...found, ...more]) : found;
  })();
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const found = [];
  for (const child of await inside(entry)) found.push(...(await walk(child)));
  return found;
}

function put(files) {
  const box = new DataTransfer();
  files.forEach((file) => box.items.add(file));
  input.files = box.files;
}

function refuse(sentence) {
  put([]);
  place.textContent = sentence;
}

/** A folder's name; loose pictures have none: the first one's, and how many more there are. */
const nameOf = ([first, ...others]) => {
  if (first.path.includes("/")) return first.path.split("/")[0];
  return others.length ? `${first.path} +${others.length}` : first.path;
};

const packed = (entries) =>
  pack(entries, `${nameOf(entries)}.zip`, (done, all) => {
    if (done % 20 === 0) place.textContent = say("packing", { done: number(done), total: number(all) });
  });

/** Packed pictures and zips that came beside them land in the file field; the form then goes its usual way. */
async function take(entries, beside = []) {
  const total = entries.reduce((sum, each) => sum + each.file.size, 0);
  if (entries.length > MOST_FILES) return refuse(say("tooMany", { count: number(MOST_FILES) }));
  if (total > mostBytes) return refuse(say("tooLarge", { size: bytes(mostBytes) }));
  submit.disabled = true;
  try {
    put([...beside, await packed(entries)]);
    const folders = new Set(entries.map(({ path }) => path.split("/").slice(0, -1).join("/")));
    const told = say("folders", { count: number(entries.length), folders: number(folders.size) });
    place.textContent = [told, bytes(total), ...beside.map((file) => file.name)].join(" · ");
  } catch (error) {
    refuse(String(error.message ?? error)); // a file that went away or may not be read
  } finally {
    submit.disabled = false;
  }
}

form.addEventListener(
  "drop",
  async (event) => {
    const dropped = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!dropped.some((entry) => entry.isDirectory)) return;
    const found = (await Promise.all(dropped.map(walk))).flat();
    const beside = found.filter(({ path, file }) => !path.includes("/") && isZip(file)).map(({ file }) => file);
    const entries = found.filter(({ file }) => !beside.includes(file));
    if (entries.length) await take(entries, beside);
  },
  { capture: true },
);

form.querySelector("[data-folder]")?.addEventListener("change", (event) => {
  const entries = [...event.target.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  if (entries.length) take(entries);
});

// More loose pictures than one form may carry
form.addEventListener("taxon:files", (event) => {
  const { files } = event.detail;
  if (files.length <= mostFiles) return;
  const zips = files.filter(isZip);
  take(files.filter((file) => !isZip(file)).map((file) => ({ path: file.name, file })), zips);
});

// Before upload.js, which waits at the document, sees it
form.addEventListener("submit", async (event) => {
  const zips = [...input.files].filter(isZip);
  const loose = [...input.files].filter((file) => !isZip(file));
  if (!zips.length && weight(loose) <= PIECE) return;
  event.preventDefault();
  const entries = loose.map((file) => ({ path: file.name, file }));
  sendAll(form, entries.length ? [...zips, await packed(entries)] : zips);
});

remind(form, form.querySelector("[data-stopped-place]"));
