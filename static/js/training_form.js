/** The training form: the field for a new model's name shows only where a new model is asked for; it is sent once. */

const form = document.querySelector("[data-train-form]");
const choice = form?.querySelector("[data-model]");
const named = form?.querySelector("[data-new-name]");

function show() {
  const wanted = choice.value === "new";
  named.hidden = !wanted;
  named.querySelector("input").required = wanted;
}

if (choice && named) {
  choice.addEventListener("change", show);
  show();
}

/** The button rests while the start is under way; whoever comes back by the browser's button finds it ready again. */
const buttons = () => form?.querySelectorAll(".button-main") ?? [];
form?.addEventListener("submit", () => setTimeout(() => buttons().forEach((each) => (each.disabled = true))));
addEventListener("pageshow", () => buttons().forEach((each) => (each.disabled = false)));
