/**
 * Keeps an element fresh: <div data-poll-url="/…/status/" data-poll-seconds="2">. Every few seconds the fragment at
 * that address takes its place, until the fragment carries no data-poll-url any more. Rests while the tab is hidden.
 */

import { fill } from "./format.js";

const SECONDS = 2;
const SLOWEST = 30;
const watched = new WeakSet();

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** Keeps what the person did to the old element: open folds, and the focus by id. */
function replace(old, fresh) {
  for (const fold of old.querySelectorAll("details[open][id]")) {
    fresh.querySelector(`#${CSS.escape(fold.id)}`)?.setAttribute("open", "");
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function refresh(element) {
  const response = await fetch(element.dataset.pollUrl, {
    headers: { "X-Requested-With": "XMLHttpRequest", "HX-Request": "true" },
    credentials: "same-origin",
  });
  if (response.redirected && !response.url.includes(element.dataset.pollUrl)) {
    window.location.reload(); // signed out meanwhile: let the server say so
    return null;
  }
  if (!response.ok) throw new Error(`status ${response.status}`);
  const destination = response.headers.get("HX-Redirect");
  if (destination) {
    window.location.assign(destination);
    return null;
  }
  return parse(await response.text());
}

const rested = () =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener("visibilitychange", () => resolve(), { once: true });
  });

async function watch(element) {
  watched.add(element);
  let failures = 0;
  while (element.isConnected && element.dataset.pollUrl) {
    const seconds = Number(element.dataset.pollSeconds) || SECONDS;
    const pause = Math.min(seconds * 2 ** failures, Math.max(SLOWEST, seconds));
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    await rested();
    if (!element.isConnected) return;
    try {
      const fresh = await refresh(element);
      if (!fresh) return;
      replace(element, fresh);
      watched.add(fresh);
      fill(fresh);
      element = fresh;
      failures = 0;
      element.removeAttribute("data-stale");
      element.dispatchEvent(new CustomEvent("taxon:refreshed", { bubbles: true }));
    } catch {
      failures += 1;
      element.dataset.stale = "";
    }
  }
}

export function start(root = document) {
  const own = root.matches?.("[data-poll-url]") ? [root] : [];
  for (const element of [...own, ...root.querySelectorAll("[data-poll-url]")]) {
    if (!watched.has(element)) watch(element);
  }
}
