/** The table of an import's labels: says at each name what will become of it, and takes a list of names for numbers. */

import { number } from "./format.js";

const form = document.querySelector("form[data-choose]");
const known = new Map(Object.entries(JSON.parse(document.getElementById("known-labels").textContent)));
const rows = [...form.querySelectorAll("[data-to]")].map((input) => {
  const row = input.closest("tr");
  return { input, out: row.querySelector("[data-out]"), fate: row.querySelector("[data-fate]") };
});

function tell({ input, out, fate }) {
  const name = input.value.trim().normalize("NFC");
  const isNew = !out.checked && name !== "" && !known.has(name);
  input.disabled = out.checked;
  fate.classList.toggle("chip-run", isNew);
  if (out.checked) fate.textContent = form.dataset.out;
  else if (!name) fate.textContent = form.dataset.none;
  else if (isNew) fate.textContent = form.dataset.new;
  else fate.textContent = form.dataset.here.replace("{count}", number(known.get(name)));
}

for (const row of rows) {
  row.input.addEventListener("input", () => tell(row));
  row.out.addEventListener("change", () => tell(row));
  tell(row);
}

// "deer" on the third line names the third number; "7 deer" or "7: deer" or "7,deer" names number 7
document.querySelector("[data-number-names]")?.addEventListener("input", (event) => {
  const lines = event.target.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const numbers = rows.filter(({ input }) => /^\d+$/.test(input.dataset.name));
  numbers.sort((a, b) => Number(a.input.dataset.name) - Number(b.input.dataset.name));
  lines.forEach((line, at) => {
    const [, said, name] = /^(?:(\d+)[\s,:;=]+)?(.*)$/.exec(line);
    const row = said === undefined ? numbers[at] : numbers.find(({ input }) => Number(input.dataset.name) === Number(said));
    if (!row || !name) return;
    row.input.value = name.slice(0, 64);
    tell(row);
  });
});
