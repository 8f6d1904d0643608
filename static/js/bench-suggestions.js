/** The line above the suggestions: accepts the sure ones, and follows what every act teaches. */

const LEARNT_AFTER = [0, 2500]; // at once for the numbers, later for what the act taught
const LEARNT_SOON = [300, 700, 1200, 1800, 2500]; // where the next screen is better begun with what this one taught
const PATIENCE = 5000; // the line may be cut

export function openSuggestions(root, grid, acts, { acceptSeen, idle }) {
  const place = root.querySelector("[data-suggestions]");
  const made = () => place.querySelector("[data-made]")?.dataset.made ?? "";
  let shown = made();
  let timers = [];
  let givingUp = null;
  let learning = false; // a whole screen was accepted: nothing is being looked at yet

  /** Nothing moves unless the person asks for it: newer suggestions wait behind a button. */
  function draw() {
    const newer = place.querySelector("[data-newer]");
    if (newer) newer.hidden = made() === shown || !made();
    const seen = place.querySelector("[data-accept-seen]");
    if (seen) seen.hidden = !grid.thumbs().length;
  }

  function learn(now) {
    learning = now;
    grid.list.classList.toggle("is-learning", now);
    clearTimeout(givingUp);
    if (!now) return;
    grid.list.scrollIntoView({ block: "start" }); // the most pictures on the next screen
    givingUp = setTimeout(() => learn(false), PATIENCE);
  }

  async function renew() {
    const now = made();
    await grid.reload();
    shown = now;
    draw();
  }

  async function look(last) {
    await fetchLine();
    if (learning && idle() && made() && made() !== shown) {
      learn(false);
      await renew();
    } else if (last) learn(false);
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
  place.addEventListener("click", (event) => {
    if (event.target.closest("[data-newer]")) renew();
    else if (event.target.closest("[data-accept-seen]")) acceptSeen?.();
  });
  draw();

  return {
    refresh() {
      timers.forEach(clearTimeout);
      const waits = learning ? LEARNT_SOON : LEARNT_AFTER;
      timers = waits.map((wait) => setTimeout(() => look(wait === waits.at(-1)).catch(() => learn(false)), wait));
    },
    /** true: a whole screen was accepted; false: the person is at work, and pictures stay where they are. */
    learn,
  };
}
