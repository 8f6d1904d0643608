/** Says what is not saved yet and why; signs in again in place; never sends one person's acts as another's. */

import { leftByOthers, remember } from "./bench-queue.js";
import { signIn, whoIsHere } from "./bench-session.js";
import { say } from "./bench-words.js";
import { number } from "./format.js";

export function openSaving(root, { retry, discard }) {
  const line = root.querySelector("[data-saving]");
  const dialog = document.getElementById("bench-sign-in");
  const { user, userName, dataset, liveWhoUrl } = root.dataset;
  const part = (name) => line.querySelector(`[data-${name}]`);
  let state = "idle";
  let unsaved = 0;
  let asked = false;
  let other = "";
  remember(`bench:name:${user}`, userName);

  function words() {
    const places = { count: number(unsaved), owner: userName, name: other || say("someone") };
    if (state === "waiting") return say("notSaved", places);
    if (state === "signed-out") return say(unsaved ? "signedOut" : "signedOutIdle", places);
    if (state === "somebody-else") return say(unsaved ? "somebodyElse" : "somebodyElseIdle", places);
    if (state === "gone") return say(unsaved ? "gone" : "goneIdle", places);
    return "";
  }

  function draw() {
    line.hidden = state === "idle" || state === "sending";
    part("saving-words").textContent = words();
    part("sign-in").hidden = state !== "signed-out";
    part("retry").hidden = state !== "waiting" && !(state === "gone" && unsaved);
    part("keep").hidden = state !== "somebody-else";
    part("discard").hidden = !(["somebody-else", "gone"].includes(state) && unsaved);
    part("keep").textContent = say(unsaved ? "keepThem" : "loadAnew", { owner: userName });
  }

  function ask() {
    if (!dialog || dialog.open) return;
    const form = dialog.querySelector("form");
    dialog.querySelector("[data-sign-in-words]").textContent = words();
    dialog.querySelector("[data-sign-in-error]").hidden = true;
    form.elements.username.value = userName;
    form.elements.password.value = "";
    dialog.showModal();
    form.elements.password.focus();
  }

  /** What the queue says, and what every look at the server shows. */
  function show(count, now) {
    const before = state;
    [unsaved, state] = [count, now];
    if (state === "somebody-else" && before !== state) {
      whoIsHere(liveWhoUrl, user)
        .then((found) => {
          other = found.other ?? "";
          draw();
        })
        .catch(() => {});
    }
    draw();
    if (state === "idle") asked = false;
    if (state === "signed-out" && unsaved && !asked) {
      asked = true; // once: who closes it goes on, and what they do is kept
      ask();
    }
  }

  async function answer(form) {
    const wrong = dialog.querySelector("[data-sign-in-error]");
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      const refused = await signIn(form.action, form.elements.username.value, form.elements.password.value);
      wrong.textContent = refused;
      wrong.hidden = !refused;
      if (refused) return form.elements.password.select();
      const found = await whoIsHere(liveWhoUrl, user);
      if (found.nobody) return;
      dialog.close();
      if (found.same) {
        state = "idle";
        draw();
        retry();
      } else show(unsaved, "somebody-else");
    } catch {
      wrong.textContent = say("noConnection");
      wrong.hidden = false;
    } finally {
      button.disabled = false;
      form.elements.password.value = "";
    }
  }

  function showLeft() {
    const place = root.querySelector("[data-left]");
    const [left] = leftByOthers(dataset, user);
    place.hidden = !left;
    if (!left) return;
    const places = { count: number(left.count), owner: left.name || say("someone") };
    place.querySelector("[data-left-words]").textContent = say("leftByOthers", places);
    place.querySelector("[data-left-discard]").onclick = () => {
      sessionStorage.removeItem(left.key);
      showLeft();
    };
  }

  part("retry").addEventListener("click", () => retry());
  part("sign-in").addEventListener("click", (event) => {
    if (!dialog || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    ask();
  });
  part("keep").addEventListener("click", () => window.location.reload());
  part("discard").addEventListener("click", () => {
    discard();
    window.location.reload();
  });
  dialog?.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    answer(event.target);
  });
  showLeft();
  return { show, get state() { return state; } };
}
