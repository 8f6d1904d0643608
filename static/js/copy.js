/** Copy buttons: <button data-copy="#id-of-the-code"> or data-copy-text="what to copy". */

import { word } from "./format.js";
import { show } from "./toast.js";

async function write(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  // Plain http on a local network has no clipboard interface: select and copy the old way
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy refused");
}

async function copy(button) {
  const source = button.dataset.copy && document.querySelector(button.dataset.copy);
  const text = button.dataset.copyText ?? source?.textContent ?? "";
  const caption = button.querySelector("[data-caption]") ?? button;
  try {
    await write(text.trim());
  } catch {
    return show(word("copyFailed"), { kind: "error" });
  }
  if (button.dataset.copying) return;
  const before = caption.textContent;
  button.dataset.copying = "yes";
  caption.textContent = word("copied");
  setTimeout(() => {
    caption.textContent = before;
    delete button.dataset.copying;
  }, 2000);
}

export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-text]");
    if (button) copy(button);
  });
}
