/**
 * Acts on their way to the server, in order and each once: they survive a lost connection, a session that ended and a
 * reload (sessionStorage), and carry an Idempotency-Key, so that a repeat changes nothing twice. Each says whose it is:
 * the server refuses it in anybody else's name.
 */

import { whoIsHere } from "./bench-session.js";
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

/** False where it could not be kept: private windows may refuse; the page works on from memory. */
export function remember(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

const post = (url, key, body, user) =>
  fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRFToken": csrfToken(),
      "X-Taxon-Person": user,
      "Idempotency-Key": key,
    },
    body: JSON.stringify(body),
    redirect: "manual", // a redirect is the way to the sign-in page
  });

const isJson = (response) => (response.headers.get("Content-Type") ?? "").includes("json");

/** {answer} | {refusal} | {again: true} | {stop: "signed-out" | "somebody-else" | "gone"} */
async function outcome(url, entry, body, { user, whoUrl }, mayRenew = true) {
  const response = await post(url, entry.key, body, user);
  if (response.type === "opaqueredirect" || response.status === 401) return { stop: "signed-out" };
  if (response.ok && isJson(response)) return { answer: await response.json() };
  if (response.status === 403 && !isJson(response)) {
    // A token from before somebody signed in
    const { same, nobody } = await whoIsHere(whoUrl, user);
    if (!same) return { stop: nobody ? "signed-out" : "somebody-else" };
    return mayRenew ? outcome(url, entry, body, { user, whoUrl }, false) : { refusal: "" };
  }
  if (response.status === 404 && !isJson(response)) {
    // The data set, or but what was to be changed in it
    const { same, nobody } = await whoIsHere(whoUrl, user);
    if (!same) return { stop: nobody ? "signed-out" : "gone" };
  }
  const problem = isJson(response) ? await response.json() : {};
  if (problem.code === "somebody-else") return { stop: "somebody-else" };
  const later = response.status >= 500 || response.status === 429 || problem.code === "in-progress";
  return later ? { again: true } : { refusal: problem.detail ?? "" };
}

/**
 * name: where the session keeps it. prepare(entry) gives {url, body} or null where there is nothing to send any more;
 * answered(entry, answer) and refused(entry, sentence) end an entry; changed(count, state) with state
 * "idle" | "sending" | "waiting" | "signed-out" | "somebody-else" | "gone".
 */
export function openQueue({ name, user, whoUrl, prepare, answered, refused, changed }) {
  let entries = remembered(name, []);
  let busy = false;
  let failures = 0;
  let kept = true;
  let timer = 0;

  const save = () => (kept = remember(name, entries));
  const tell = (state) => changed(entries.length, state);

  async function sendFirst() {
    const entry = entries[0];
    const ready = prepare(entry);
    const result = ready ? await outcome(ready.url, entry, ready.body, { user, whoUrl }) : { dropped: true };
    if (result.again || result.stop) return result;
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
      stop = result.stop ?? (result.again ? "waiting" : "");
      if (!stop) failures = 0;
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
    if (entries.length && (failures || !kept)) event.preventDefault();
  });

  return {
    push(entry) {
      entries.push(entry);
      save();
      pump();
    },
    retry: pump,
    /** Gives them up, because the person said so. */
    discard() {
      entries = [];
      failures = 0;
      save();
      tell("idle");
    },
    get entries() {
      return entries;
    },
    get size() {
      return entries.length;
    },
  };
}

/** Acts that somebody else left unsent in this tab: [{user, name, count}]. */
export function leftByOthers(dataset, user) {
  const mine = new RegExp(`^bench:${dataset}:(\\d+):queue$`);
  return Object.keys(sessionStorage)
    .map((key) => ({ key, owner: mine.exec(key)?.[1] }))
    .filter(({ owner }) => owner && owner !== String(user))
    .map(({ key, owner }) => ({ key, count: remembered(key, []).length, name: remembered(`bench:name:${owner}`, "") }))
    .filter(({ count }) => count > 0);
}
