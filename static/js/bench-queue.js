/**
 * Acts on their way to the server, in order and each once: they survive a lost connection, a session that ended and a
 * reload (sessionStorage), and carry an Idempotency-Key, so that a repeat changes nothing twice.
 */

import { csrfToken } from "./page.js";

const SLOWEST = 15;

/** Plain http on a local network has no crypto.randomUUID. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function remembered(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Private windows may refuse; the page works on from memory.
  }
}

const post = (url, key, body) =>
  fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRFToken": csrfToken(),
      "Idempotency-Key": key,
    },
    body: JSON.stringify(body),
    redirect: "manual", // a redirect is the way to the sign-in page
  });

/** Signing in again gives new tokens: take the one of this page as the server writes it now. False: signed out. */
async function renewToken() {
  const response = await fetch(window.location.href, { redirect: "manual" });
  if (response.type === "opaqueredirect" || !response.ok) return false;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const token = fresh.querySelector('meta[name="csrf-token"]')?.content;
  if (!token) return false;
  document.querySelector('meta[name="csrf-token"]').content = token;
  for (const field of document.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = token;
  return true;
}

const isJson = (response) => (response.headers.get("Content-Type") ?? "").includes("json");

/** {answer} | {refusal} | {again: true} | {signedOut: true} */
async function outcome(url, key, body, mayRenew = true) {
  const response = await post(url, key, body);
  if (response.type === "opaqueredirect" || response.status === 401) return { signedOut: true };
  if (response.ok && isJson(response)) return { answer: await response.json() };
  if (response.status === 403 && !isJson(response)) {
    if (!(await renewToken())) return { signedOut: true };
    return mayRenew ? outcome(url, key, body, false) : { refusal: "" };
  }
  const problem = isJson(response) ? await response.json() : {};
  const later = response.status >= 500 || response.status === 429 || problem.code === "in-progress";
  return later ? { again: true } : { refusal: problem.detail ?? "" };
}

/**
 * name: where the session keeps it. prepare(entry) gives {url, body} or null where there is nothing to send any more;
 * answered(entry, answer) and refused(entry, sentence) end an entry; changed(count, state) with state
 * "idle" | "sending" | "waiting" | "signed-out".
 */
export function openQueue({ name, prepare, answered, refused, changed }) {
  let entries = remembered(name, []);
  let busy = false;
  let failures = 0;
  let timer = 0;

  const save = () => remember(name, entries);
  const tell = (state) => changed(entries.length, state);

  async function sendFirst() {
    const entry = entries[0];
    const ready = prepare(entry);
    const result = ready ? await outcome(ready.url, entry.key, ready.body) : { dropped: true };
    if (result.again || result.signedOut) return result;
    entries = entries.filter((each) => each.key !== entry.key);
    save();
    if (result.answer) answered(entry, result.answer);
    else if (!result.dropped) refused(entry, result.refusal);
    return result;
  }

  async function pump() {
    clearTimeout(timer);
    if (busy) return;
    busy = true;
    let stop = "";
    while (entries.length && !stop) {
      tell(failures ? "waiting" : "sending");
      const result = await sendFirst().catch(() => ({ again: true }));
      if (result.signedOut) stop = "signed-out";
      else if (result.again) stop = "waiting";
      else failures = 0;
    }
    busy = false;
    if (stop === "waiting") {
      timer = setTimeout(pump, Math.min(2 ** failures, SLOWEST) * 1000);
      failures += 1;
    }
    tell(stop || "idle");
  }

  window.addEventListener("online", pump);
  window.addEventListener("focus", () => entries.length && pump());
  window.addEventListener("beforeunload", (event) => {
    if (failures && entries.length) event.preventDefault();
  });

  return {
    push(entry) {
      entries.push(entry);
      save();
      pump();
    },
    retry: pump,
    get size() {
      return entries.length;
    },
  };
}
