/** Trying pictures: they are sent as soon as they are chosen; a click or the arrow keys choose the one shown large. */

const form = document.querySelector("form[data-validate]");
const results = document.querySelector(".validate-results");
const thumbs = [...document.querySelectorAll(".validate-thumb")];

function choose(thumb) {
  const wanted = thumb.hash.slice(1);
  for (const each of thumbs) {
    if (each === thumb) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
  results.dataset.chosen = wanted;
  for (const section of results.querySelectorAll(".validate-result")) section.hidden = section.id !== wanted;
}

function step(event) {
  const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const next = move && thumbs[thumbs.indexOf(event.currentTarget) + move];
  if (!next) return;
  event.preventDefault();
  next.focus();
  choose(next);
}

for (const thumb of thumbs) {
  thumb.addEventListener("click", (event) => {
    event.preventDefault();
    choose(thumb);
  });
  thumb.addEventListener("keydown", step);
}
if (thumbs.length) choose(thumbs.find((thumb) => thumb.hash === window.location.hash) ?? thumbs[0]);

if (form) {
  form.querySelector("[data-without-scripts]").hidden = true;
  form.addEventListener("taxon:files", (event) => {
    if (!event.detail.files.length) return;
    form.querySelector("[data-busy]").hidden = false;
    form.requestSubmit();
  });
}
