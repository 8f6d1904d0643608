/** The training form: the field for a new model's name shows only where a new model is asked for. */

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
