/** The page shows one label's pictures, and the label is called otherwise now: all addresses on the page follow. */

export function followName(root, from, to) {
  const renamed = (query) => {
    const said = new URLSearchParams(query);
    if (said.get("label") !== from) return query;
    said.set("label", to);
    return said.toString();
  };
  const address = (url) => {
    const [path, query = ""] = url.split("?");
    return query ? `${path}?${renamed(query)}` : url;
  };
  root.dataset.label = to;
  root.dataset.query = renamed(root.dataset.query);
  for (const name of ["imagesUrl", "labelsUrl", "suggestionsUrl"]) root.dataset[name] = address(root.dataset[name]);
  for (const link of root.querySelectorAll('a[href*="?"]')) link.setAttribute("href", address(link.getAttribute("href")));
  for (const link of root.querySelectorAll("[data-more] a")) link.dataset.url = address(link.dataset.url);
  for (const field of root.querySelectorAll('input[name="filter"], input[name="view"]')) field.value = renamed(field.value);
  for (const field of root.querySelectorAll('input[name="label"][type="hidden"]')) if (field.value === from) field.value = to;
  for (const chip of root.querySelectorAll(".chip-filter b")) if (chip.textContent === from) chip.textContent = to;
  window.history.replaceState(window.history.state, "", address(window.location.href));
}
