/** Proposes an address from the name until somebody writes the address by hand. */

const form = document.querySelector("form[data-publish]");

const proposal = (name) =>
  name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);

if (form) {
  const { name, slug } = { name: form.elements.namedItem("name"), slug: form.elements.namedItem("slug") };
  let own = slug.value !== "" && !slug.value.startsWith(proposal(name.value));
  slug.addEventListener("input", () => (own = slug.value !== ""));
  name.addEventListener("input", () => {
    const proposed = proposal(name.value);
    if (!own && proposed.length >= 3) slug.value = proposed;
  });
}
