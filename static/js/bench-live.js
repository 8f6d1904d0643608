/**
 * What others do, on the open bench within two seconds: one small question every second and a half. Nothing moves by
 * itself: a picture that no longer belongs here turns grey with its new label and who gave it, and leaves with the next
 * load; what is chosen stays chosen, and the page says so.
 */

import { say } from "./bench-words.js";
import { number } from "./format.js";

const PAUSE = 1500;
const RESTING = 6000; // nobody has touched this page for a while
const RESTS_AFTER = 5 * 60_000;
const SLOWEST = 20_000;
const HERE_EVERY = 20_000;
const MOST_ROUNDS = 5; // this far behind, the grid is better loaded anew
const SHOWN_PEOPLE = 5;

export function openLive(root, grid, labels, { acts, tick, unselect, settled, session, post }) {
  const { liveUrl, user } = root.dataset;
  const column = root.querySelector("[data-labels]");
  const told = new Map(); // pills by what they are about
  const missed = new Set(); // labels that the column was loaded for
  let since = Number(root.dataset.liveSince);
  let heard = since; // happenings up to here were told, even where pictures are asked for again
  let marks = "";
  let failures = 0;
  let rounds = 0;
  let timer = 0;
  let busy = false;
  let moved = Date.now();
  let columnIsOld = false;
  let mine = true; // whether the session is that of whose page this is, and the data set still there for them

  // ---- pills: float over the grid, so that nothing moves ------------------------------------------------------
  const place = root.querySelector("[data-live]");

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button button-small";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  function drop(about) {
    told.get(about)?.remove();
    told.delete(about);
  }

  function pill(about, text, ...buttons) {
    drop(about);
    const made = document.createElement("div");
    made.className = "live-pill";
    const words = document.createElement("span");
    words.textContent = text;
    const close = button("×", () => drop(about));
    close.classList.add("button-quiet");
    close.setAttribute("aria-label", say("dismiss"));
    made.append(words, ...buttons, close);
    told.set(about, made);
    place.append(made);
  }

  async function loadAnew() {
    await grid.reload();
    for (const about of [...told.keys()]) drop(about);
  }

  const loadButton = () => button(say("showThem"), () => loadAnew().catch(() => {}));

  // ---- pictures ---------------------------------------------------------------------------------------------
  function wear(thumb, found) {
    const dot = thumb.querySelector(".thumb-strip .dot");
    const name = thumb.querySelector(".thumb-label");
    const word = found.trashed ? say("inTrash") : (found.label?.name ?? (found.skipped ? say("skipped") : say("noLabel")));
    name.textContent = word;
    thumb.title = name.title = say("setBy", { label: word, who: found.who });
    dot.hidden = !found.label || found.trashed;
    if (found.label) dot.dataset.hue = found.label.hue;
    thumb.dataset.label = found.label?.name ?? "";
    let by = thumb.querySelector(".thumb-who");
    if (!by) {
      by = document.createElement("span");
      by.className = "thumb-who";
      thumb.querySelector(".thumb-strip").append(by);
    }
    by.textContent = found.initials;
    thumb.classList.toggle("is-elsewhere", !found.matches);
    thumb.classList.remove("is-suggested");
  }

  /** Answers whether one had to wait, because this page knows better just now. */
  function showPictures(images, askedAt) {
    const shown = new Map(grid.thumbs().map((thumb) => [grid.idOf(thumb), thumb]));
    let waits = false;
    let unseen = 0;
    const chosen = [];
    for (const found of images) {
      if (found.mine && acts?.isOwn(found.action)) continue;
      if (acts?.knowsBetter(found.id, askedAt)) {
        waits = true;
        continue;
      }
      const thumb = shown.get(found.id);
      if (!thumb) {
        if (found.matches) unseen += 1;
        continue;
      }
      const before = thumb.dataset.label;
      const wasHere = !thumb.classList.contains("is-elsewhere");
      wear(thumb, found);
      const changed = before !== thumb.dataset.label || wasHere !== found.matches;
      if (changed && tick(thumb)?.checked && !found.mine) chosen.push([thumb, found]);
    }
    if (chosen.length) tellChosen(chosen);
    const allLoaded = !grid.list.querySelector("[data-more]");
    if (unseen && allLoaded) pill("unseen", say("newHere", { count: number(unseen) }), loadButton());
    return waits;
  }

  function tellChosen(chosen) {
    const who = [...new Set(chosen.map(([, found]) => found.who))].join(", ");
    const leave = button(say("leaveOut"), () => {
      unselect(chosen.map(([thumb]) => thumb));
      drop("chosen");
    });
    pill("chosen", say("chosenChanged", { count: number(chosen.length), who }), leave);
  }

  // ---- labels and numbers -----------------------------------------------------------------------------------
  const isInColumn = () => column.matches(":hover") || column.contains(document.activeElement);

  function followLabels(answer) {
    const unknown = Object.keys(answer.counts.labels).filter((id) => !labels.knows(Number(id)) && !missed.has(id));
    for (const id of unknown) missed.add(id); // once: archived ones stay unknown
    if (answer.labels || unknown.length) columnIsOld = true;
    if (columnIsOld && !isInColumn()) {
      columnIsOld = false;
      labels.reload().catch(() => {});
    }
    labels.showCounts(answer.counts);
  }

  // ---- people -----------------------------------------------------------------------------------------------
  function showPeople(here) {
    const list = document.querySelector("[data-here]");
    if (!list) return;
    const others = here.filter((each) => String(each.user) !== user);
    list.hidden = others.length === 0;
    list.replaceChildren(
      ...others.slice(0, SHOWN_PEOPLE).map((each) => {
        const one = document.createElement("li");
        one.className = "person";
        one.textContent = each.initials;
        one.title = one.ariaLabel = each.name;
        return one;
      }),
    );
    if (others.length > SHOWN_PEOPLE) {
      const more = document.createElement("li");
      more.className = "person person-more";
      more.textContent = `+${number(others.length - SHOWN_PEOPLE)}`;
      more.title = others.slice(SHOWN_PEOPLE).map((each) => each.name).join(", ");
      list.append(more);
    }
  }

  // ---- asking -----------------------------------------------------------------------------------------------
  function take(answer, askedAt) {
    if (answer.here) showPeople(answer.here);
    marks = answer.marks ?? marks;
    if (!answer.last) return false;
    const waits = showPictures(answer.images, askedAt);
    for (const each of answer.large) {
      if (each.id <= heard || (each.mine && acts?.isOwn(each.action))) continue;
      pill("large", each.told, loadButton());
    }
    heard = Math.max(heard, answer.last);
    if (!waits) since = answer.last;
    followLabels(answer);
    settled(answer);
    rounds = answer.more && !waits ? rounds + 1 : 0;
    if (rounds > MOST_ROUNDS) {
      pill("large", say("muchChanged"), loadButton());
      return catchUp();
    }
    return answer.more && !waits;
  }

  async function catchUp() {
    rounds = 0;
    const response = await fetch(liveUrl, { redirect: "manual", cache: "no-store" });
    if (response.ok) since = heard = (await response.json()).last;
    return false;
  }

  function address() {
    const url = new URL(liveUrl, window.location.href);
    for (const [key, value] of new URLSearchParams(root.dataset.query)) url.searchParams.set(key, value);
    url.searchParams.set("heard", String(since)); // `since` is one of the filter's words
    url.searchParams.set("here", marks);
    return url;
  }

  async function ask() {
    if (told.has("chosen") && !grid.thumbs().some((thumb) => tick(thumb)?.checked)) drop("chosen");
    if (columnIsOld && !isInColumn()) {
      columnIsOld = false;
      labels.reload().catch(() => {});
    }
    const askedAt = performance.now();
    const headers = { "X-Taxon-Person": user };
    const response = await fetch(address(), { headers, redirect: "manual", cache: "no-store" });
    mine = false;
    if (response.type === "opaqueredirect" || response.status === 401) return session("signed-out");
    if (response.status === 409) return session("somebody-else");
    if (response.status === 404) return session("gone");
    mine = true;
    session("");
    if (response.status === 204) return false;
    if (!response.ok) throw new Error(String(response.status));
    return take(await response.json(), askedAt);
  }

  async function round() {
    if (busy || document.hidden) return;
    clearTimeout(timer);
    busy = true;
    let again = false;
    try {
      again = await ask();
      failures = 0;
    } catch {
      failures += 1;
    }
    busy = false;
    const pause = Date.now() - moved > RESTS_AFTER ? RESTING : PAUSE;
    timer = setTimeout(round, again ? 0 : Math.min(pause * 2 ** failures, SLOWEST));
  }

  const sayHere = () => !mine || document.hidden || Date.now() - moved > RESTS_AFTER || post(liveUrl).catch(() => {});

  function wake() {
    const rested = Date.now() - moved > RESTS_AFTER;
    moved = Date.now();
    if (rested) {
      sayHere();
      round();
    }
  }

  for (const kind of ["pointermove", "keydown"]) document.addEventListener(kind, wake, { passive: true });
  document.addEventListener("visibilitychange", () => {
    sayHere();
    round();
  });
  setInterval(sayHere, HERE_EVERY);
  sayHere();
  timer = setTimeout(round, PAUSE);
  return { round };
}
