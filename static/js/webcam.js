/**
 * The camera page: while the button or the space bar is held, frames become JPEGs of one label. A burst goes up as
 * imports of one group, so that the split keeps it together, and can be taken back.
 */

import { number } from "./format.js";
import { csrfToken } from "./page.js";
import { show } from "./toast.js";

const LONG_SIDE = 960;
const QUALITY = 0.88;
const BATCH = 40; // pictures a request
const LOOK_EVERY_MS = 1500;
const TRIES = 30;

const root = document.querySelector("[data-camera]");
const part = (name) => root.querySelector(`[data-${name}]`);
const [video, flash, label, rate, shutter] = ["video", "flash", "label", "rate", "shutter"].map(part);
const [counter, notes, undo, labels, devices, problem] = ["counter", "notes", "undo", "labels", "devices", "problem"].map(part);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const canvas = document.createElement("canvas");
const count = { taken: 0, sent: 0, stored: 0, doubles: 0, refused: 0, reason: "" };
const byLabel = new Map();
const bursts = []; // { group, label, waiting: [Blob], imports: [id], taken }
let burst = null;
let sending = Promise.resolve();
let stream = null;

const say = (key, places = {}) =>
  root.dataset[`say${key[0].toUpperCase()}${key.slice(1)}`].replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);

function complain(key) {
  problem.hidden = false;
  part("problem-text").textContent = say(key);
  shutter.disabled = true;
}

function tell() {
  const { taken, sent, stored, doubles, refused, reason } = count;
  counter.textContent = say("counter", { taken: number(taken), sent: number(sent), stored: number(stored) });
  const parts = [];
  if (doubles) parts.push(say("doubles", { count: number(doubles) }));
  if (refused) parts.push(say("refused", { count: number(refused), reason }));
  notes.textContent = parts.join(" · ");
  undo.disabled = !bursts.length;
  labels.replaceChildren(
    ...[...byLabel].map(([name, taken]) => {
      const item = document.createElement("li");
      item.className = "chip";
      item.textContent = say("labelCounter", { label: name, count: number(taken) });
      return item;
    }),
  );
}

/* ---- the camera ---- */

const REASONS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing", OverconstrainedError: "missing", NotReadableError: "busy", AbortError: "busy" };

async function open(device = null) {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return complain("insecure");
  stream?.getTracks().forEach((track) => track.stop());
  const facing = device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } };
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...facing, width: { ideal: 1280 }, height: { ideal: 960 } } });
  } catch (error) {
    return complain(REASONS[error.name] ?? "missing");
  }
  problem.hidden = true;
  video.srcObject = stream;
  stream.getVideoTracks()[0].addEventListener("ended", () => complain("missing"));
  await video.play().catch(() => {});
  shutter.disabled = false;
  await list();
}

async function list() {
  const found = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  const current = stream.getVideoTracks()[0].getSettings().deviceId;
  part("devices-field").hidden = found.length < 2;
  devices.replaceChildren(
    ...found.map(({ deviceId, label: name }, at) => new Option(name || say("camera", { number: at + 1 }), deviceId, false, deviceId === current)),
  );
}

function frame() {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width) return Promise.resolve(null);
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/* ---- a burst ---- */

const randomName = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function begin() {
  const name = label.value.trim();
  if (burst || shutter.disabled) return;
  if (!name) {
    label.focus();
    show(say("label"), { kind: "warning" });
    return;
  }
  burst = { group: `burst-${randomName()}`, label: name, waiting: [], imports: [], taken: 0, held: true };
  bursts.push(burst);
  take(burst);
}

async function take(mine) {
  const every = 1000 / Number(rate.value);
  let next = performance.now();
  do {
    const blob = await frame();
    if (blob) {
      mine.waiting.push(blob);
      mine.taken += 1;
      count.taken += 1;
      byLabel.set(mine.label, (byLabel.get(mine.label) ?? 0) + 1);
      flash.classList.add("is-on");
      setTimeout(() => flash.classList.remove("is-on"), 60);
      tell();
    }
    if (mine.waiting.length >= BATCH) send(mine);
    next = Math.max(next + every, performance.now()); // what a busy machine missed is not made up for
    await pause(Math.max(0, next - performance.now()));
  } while (mine.held);
  send(mine);
}

function end() {
  if (!burst) return;
  burst.held = false;
  burst = null;
}

/* ---- sending, one request at a time ---- */

function send(mine) {
  sending = sending.then(() => sendAll(mine)).catch(() => {});
}

async function sendAll(mine) {
  for (const each of bursts) {
    while (each.waiting.length && (each === mine || !each.held)) {
      const some = each.waiting.slice(0, BATCH);
      const error = await post(each, some);
      if (error) return show(say("failed", { reason: error }), { kind: "error" });
      each.waiting.splice(0, some.length);
      count.sent += some.length;
      tell();
    }
  }
}

/** The reason where it did not work. A repeated request is answered with the first one's import. */
async function post(mine, blobs) {
  const form = new FormData();
  form.append("label", mine.label);
  form.append("group", mine.group);
  const first = mine.sent ?? 0;
  blobs.forEach((blob, at) => form.append("images", blob, `${mine.group}-${String(first + at + 1).padStart(4, "0")}.jpg`));
  const headers = { "X-CSRFToken": csrfToken(), Accept: "application/json", "Idempotency-Key": `${mine.group}-${first}-${blobs.length}` };
  const answer = await fetch(root.dataset.imports, { method: "POST", headers, body: form }).catch(() => null);
  if (!answer?.ok) return (await answer?.json().catch(() => null))?.detail ?? "";
  const { id } = await answer.json();
  mine.sent = first + blobs.length;
  mine.imports.push(id);
  follow(id);
  return null;
}

const UNDER_WAY = ["receiving", "queued", "reading", "choosing", "storing"];

async function follow(id) {
  const before = { imported: 0, duplicates: 0, rejected: 0 };
  for (;;) {
    const answer = await fetch(`${root.dataset.imports}/${id}`).catch(() => null);
    if (answer?.ok) {
      const now = await answer.json();
      count.stored += now.imported - before.imported;
      count.doubles += now.duplicates - before.duplicates;
      count.refused += now.rejected - before.rejected;
      Object.assign(before, now);
      if (now.rejected) count.reason = await why(id);
      else if (now.state === "failed") count.reason = now.message;
      tell();
      if (!UNDER_WAY.includes(now.state)) return;
    } else if (answer && answer.status < 500) return;
    await pause(LOOK_EVERY_MS);
  }
}

async function why(id) {
  const answer = await fetch(`${root.dataset.imports}/${id}/rejections?limit=1`).catch(() => null);
  return answer?.ok ? ((await answer.json()).items[0]?.reason ?? "") : "";
}

/* ---- taking the last burst back ---- */

async function takeBack() {
  const last = bursts.at(-1);
  if (!last) return;
  if (last === burst) end();
  undo.disabled = true;
  notes.textContent = say("undoing");
  await sending;
  last.waiting.length = 0;
  const body = new URLSearchParams({ group: last.group });
  for (let left = TRIES; left; left -= 1) {
    const headers = { "X-CSRFToken": csrfToken(), Accept: "application/json" };
    const answer = await fetch(root.dataset.undoUrl, { method: "POST", headers, body }).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.ok) {
      bursts.splice(bursts.indexOf(last), 1);
      byLabel.set(last.label, byLabel.get(last.label) - last.taken);
      if (!byLabel.get(last.label)) byLabel.delete(last.label);
      count.taken -= last.taken;
      count.sent -= last.sent ?? 0;
      count.stored = Math.max(0, count.stored - (last.sent ?? 0));
      show(said.message);
      break;
    }
    if (answer?.status !== 409) {
      show(said?.detail ?? "", { kind: "error" });
      break;
    }
    await pause(1000);
  }
  tell();
}

/* ---- hands ---- */

const typing = (target) => target.closest("input, select, textarea, [contenteditable]");

shutter.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  shutter.setPointerCapture(event.pointerId);
  begin();
});
["pointerup", "pointercancel", "lostpointercapture"].forEach((kind) => shutter.addEventListener(kind, end));
shutter.addEventListener("contextmenu", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  const enter = event.key === "Enter" && event.target === shutter;
  if ((event.code !== "Space" && !enter) || typing(event.target)) return;
  if (event.target.closest("a, button, summary") && event.target !== shutter) return;
  event.preventDefault();
  if (!event.repeat) begin();
});
document.addEventListener("keyup", (event) => (event.code === "Space" || event.key === "Enter") && end());
window.addEventListener("blur", end);
label.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), shutter.focus()));
devices.addEventListener("change", () => open(devices.value));
undo.addEventListener("click", takeBack);
window.addEventListener("beforeunload", (event) => bursts.some(({ waiting }) => waiting.length) && event.preventDefault());

tell();
open();
