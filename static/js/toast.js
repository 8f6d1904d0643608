/** Says what just happened, with its undo; also shows toasts that a response asks for and those in the page. */

import { word } from "./format.js";
import { csrfToken, icon } from "./page.js";

const ICONS = { success: "check", info: "info", warning: "alert", error: "error" };
const SECONDS = 6;
const SECONDS_WITH_UNDO = 12;

/** The toasts' place: inside the dialog that is open, for what is outside of it can be neither seen nor clicked. */
function region() {
  const place = document.querySelector("[data-toasts]");
  const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
  if (dialog && place && !dialog.contains(place)) {
    const home = place.parentElement;
    dialog.append(place);
    dialog.addEventListener("close", () => home.append(place), { once: true });
  }
  return place;
}

function button(text, className, onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = `button button-quiet button-small ${className}`;
  element.append(text);
  element.addEventListener("click", onClick);
  return element;
}

async function undoAt(url) {
  const response = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken() } });
  if (!response.ok) return show(word("undoFailed"), { kind: "error" });
  document.dispatchEvent(new CustomEvent("taxon:undone", { detail: { url, response } }));
}

/** Leaves by itself, but not under the mouse, not while focused, and never when it tells of an error. */
function leaveLater(toast, seconds) {
  let timer;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), seconds * 1000);
  };
  const hold = () => clearTimeout(timer);
  toast.addEventListener("mouseenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("mouseleave", start);
  toast.addEventListener("focusout", start);
  start();
}

function enliven(toast) {
  const close = toast.querySelector("[data-toast-close]");
  close?.addEventListener("click", () => toast.remove());
  const undo = toast.querySelector("[data-toast-undo]");
  if (toast.dataset.kind !== "error") leaveLater(toast, undo ? SECONDS_WITH_UNDO : SECONDS);
}

/**
 * Shows a message. `undo` is a function, or an address to POST to (then "taxon:undone" is sent on the document).
 * `slot`: what stood under this name goes, so that hints do not pile up.
 * Returns the element, so that a caller can take it away.
 */
export function show(message, { kind = "success", undo = null, slot = "" } = {}) {
  if (slot) document.querySelectorAll(`.toast[data-slot="${slot}"]`).forEach((old) => old.remove());
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.kind = kind;
  toast.dataset.slot = slot;
  const text = document.createElement("span");
  text.className = "toast-text";
  text.textContent = message;
  toast.append(icon(ICONS[kind] ?? "info"), text);
  if (undo) {
    const act = button(word("undo"), "toast-undo", () => {
      toast.remove();
      return typeof undo === "function" ? undo() : undoAt(undo);
    });
    act.dataset.toastUndo = "";
    toast.append(act);
  }
  const close = button(icon("close"), "button-icon toast-close", () => {});
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", word("dismiss"));
  toast.append(close);
  region()?.append(toast);
  enliven(toast);
  return toast;
}

export function start() {
  region()?.querySelectorAll(".toast").forEach(enliven);
  // A response says HX-Trigger: {"taxon:toast": {"message": "...", "kind": "success", "undo": "/..."}}
  document.addEventListener("taxon:toast", (event) => show(event.detail.message, event.detail));
  document.addEventListener("htmx:sendError", () => show(word("offline"), { kind: "error" }));
  document.addEventListener("htmx:responseError", () => show(word("failed"), { kind: "error" }));
}
