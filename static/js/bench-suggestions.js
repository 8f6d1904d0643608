/** The line above the suggestions: accepts the sure ones, and follows what every act teaches. */

const LEARNT_AFTER = [0, 2500]; // at once for the numbers, later for what the act taught

export function openSuggestions(root, grid, acts) {
  const place = root.querySelector("[data-suggestions]");
  const made = () => place.querySelector("[data-made]")?.dataset.made ?? "";
  let shown = made();
  let timers = [];

  /** Nothing moves unless the person asks for it: newer suggestions wait behind a button. */
  function draw() {
    const newer = place.querySelector("[data-newer]");
    if (newer) newer.hidden = made() === shown || !made();
  }

  async function fetchLine() {
    if (place.contains(document.activeElement) && document.activeElement.matches("select")) return;
    const response = await fetch(root.dataset.suggestionsUrl, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!response.ok || response.redirected) return;
    const chosen = place.querySelector("select")?.value;
    place.innerHTML = await response.text();
    const select = place.querySelector("select");
    if (select && [...select.options].some((option) => option.value === chosen)) select.value = chosen;
    draw();
  }

  place.addEventListener("submit", (event) => {
    event.preventDefault();
    acts?.accept({ everything: true }, Number(event.target.elements.at_least.value));
  });
  place.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-newer]")) return;
    const now = made();
    await grid.reload();
    shown = now;
    draw();
  });

  return {
    refresh() {
      timers.forEach(clearTimeout);
      timers = LEARNT_AFTER.map((wait) => setTimeout(() => fetchLine().catch(() => {}), wait));
    },
  };
}
