/** The menu of filters: what was left empty does not go into the address. */

export function openFilters(root) {
  const form = root.querySelector("[data-filters]");
  const menu = form?.closest("details");
  form?.addEventListener("submit", () => {
    const empty = [...form.elements].filter((field) => field.name && field.value === "");
    for (const field of empty) field.disabled = true;
    setTimeout(() => empty.forEach((field) => (field.disabled = false)));
  });
  menu?.addEventListener("toggle", () => menu.open && form.querySelector("input:not([type=hidden])").focus());
}
