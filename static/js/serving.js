/** The online test: a picture goes to the real address as soon as it is chosen; the answer is shown as it came. */

import { number } from "./format.js";
import { csrfToken } from "./page.js";
import { bars } from "./serving-bars.js";

const form = document.querySelector("form[data-try]");
const area = document.querySelector("[data-result]");
const part = (name) => area.querySelector(`[data-result-${name}]`);
let shown = "";
let latest = 0;

function showPicture(file) {
  if (shown) URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(file);
  part("picture").src = shown;
}

function showOnly(name) {
  for (const each of ["empty", "refusal", "answer"]) part(each).hidden = each !== name;
}

function refuse(sentence) {
  part("refusal-text").textContent = sentence;
  part("time").textContent = "";
  showOnly("refusal");
}

function show(text, milliseconds) {
  const answer = JSON.parse(text);
  const label = part("label");
  label.textContent = answer.predicted_label ?? label.dataset.none;
  part("bars").replaceChildren(bars(answer.scores));
  area.querySelector("#result-json").textContent = text;
  part("time").textContent = `${number(milliseconds)} ms`;
  showOnly("answer");
}

async function ask(file) {
  const mine = (latest += 1);
  const body = new FormData();
  body.append("images", file, file.name);
  area.setAttribute("aria-busy", "true");
  const began = performance.now();
  try {
    const response = await fetch(form.dataset.predictUrl, {
      method: "POST",
      headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
      body,
    });
    const text = await response.text();
    if (mine !== latest) return;
    if (response.ok) {
      showPicture(file);
      show(text, performance.now() - began);
    } else refuse(JSON.parse(text).detail);
  } catch {
    if (mine === latest) refuse(form.dataset.offline);
  } finally {
    if (mine === latest) area.removeAttribute("aria-busy");
  }
}

if (form) {
  form.querySelector("[data-without-scripts]").hidden = true;
  form.addEventListener("taxon:files", (event) => event.detail.files[0] && ask(event.detail.files[0]));
}
