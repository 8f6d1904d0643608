/**
 * <form data-upload> sends its files with a bar: bytes, rate, time left, Cancel. Without scripts it is a plain form.
 * The server answers JSON {"url": …} to such a request (Accept: application/json) or a problem {"detail": …};
 * "taxon:uploaded" {response} may be prevented by a page that goes on by itself.
 */

import { bytes, duration, percent, rate, word } from "./format.js";
import { csrfToken } from "./page.js";

const WINDOW_MS = 5000;

export function panel(form) {
  let box = form.querySelector("[data-upload-progress]");
  if (box) return box;
  box = document.createElement("div");
  box.className = "progress";
  box.dataset.uploadProgress = "";
  box.innerHTML =
    '<span class="progress-title" role="status"></span><button type="button" class="button button-small"></button>' +
    '<progress max="1"></progress><span class="progress-facts"></span>';
  form.append(box);
  return box;
}

/** Bytes per second over the last seconds, so that the time left follows the line as it is now. */
export function meter() {
  const marks = [];
  return (loaded) => {
    const now = performance.now();
    marks.push([now, loaded]);
    while (marks.length > 2 && now - marks[0][0] > WINDOW_MS) marks.shift();
    const [then, before] = marks[0];
    return now > then ? ((loaded - before) * 1000) / (now - then) : 0;
  };
}

function showProgress(box, event, speed) {
  const bar = box.querySelector("progress");
  const share = event.lengthComputable ? event.loaded / event.total : null;
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
  const facts = [`${bytes(event.loaded)} / ${bytes(event.total)}`];
  if (share !== null) facts.unshift(percent(share, 0));
  if (speed > 0) facts.push(rate(speed));
  if (speed > 0 && share !== null && share < 1) {
    facts.push(word("timeLeft", { time: duration((event.total - event.loaded) / speed) }));
  }
  box.querySelector(".progress-facts").textContent = facts.join(" · ");
  if (share === 1) {
    box.querySelector(".progress-title").textContent = word("uploadReading");
    bar.removeAttribute("value");
  }
}

function reason(request) {
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (!type.includes("json")) return request.status === 413 ? word("uploadTooLarge") : word("failed");
  try {
    const answer = JSON.parse(request.responseText);
    return answer.detail ?? answer.title ?? word("failed");
  } catch {
    return word("failed");
  }
}

export function complain(form, box, sentence) {
  box.classList.add("progress-bad");
  box.querySelector(".progress-title").textContent = sentence;
  box.querySelector(".progress-facts").textContent = "";
  box.querySelector("progress").value = 0;
  settle(form, box);
}

function settle(form, box) {
  form.removeAttribute("aria-busy");
  form.querySelectorAll('[type="submit"]').forEach((button) => (button.disabled = false));
  box.querySelector("button").hidden = true;
}

function finish(form, box, request) {
  if (request.status >= 400 || request.status === 0) return complain(form, box, reason(request));
  const event = new CustomEvent("taxon:uploaded", { bubbles: true, cancelable: true, detail: { request } });
  if (!form.dispatchEvent(event)) return settle(form, box);
  const json = (request.getResponseHeader("Content-Type") ?? "").includes("json");
  const url = json ? JSON.parse(request.responseText).url : request.responseURL;
  window.location.assign(url);
}

function send(form, submitter) {
  const box = panel(form);
  const request = new XMLHttpRequest();
  const speedAt = meter();
  const cancel = box.querySelector("button");
  box.classList.remove("progress-bad");
  box.hidden = cancel.hidden = false;
  cancel.textContent = word("cancel");
  cancel.onclick = () => request.abort();
  box.querySelector(".progress-title").textContent = word("uploading");
  form.setAttribute("aria-busy", "true");
  const data = new FormData(form, submitter);
  form.querySelectorAll('[type="submit"]').forEach((button) => (button.disabled = true));
  request.upload.addEventListener("progress", (event) => showProgress(box, event, speedAt(event.loaded)));
  request.addEventListener("load", () => finish(form, box, request));
  request.addEventListener("error", () => complain(form, box, word("offline")));
  request.addEventListener("abort", () => complain(form, box, word("uploadCancelled")));
  request.open("POST", submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "");
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.send(data);
}

export function start() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector('form[data-upload][aria-busy="true"]')) event.preventDefault();
  });
}
