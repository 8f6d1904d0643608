/** How large the thumbnails are: a slider, remembered in this browser; what one looks at stays where it is. */

const KEY = "bench:size";
const NAMES = { s: 96, m: 160, l: 256 }; // what was remembered before there was a slider

export function openSize(root, list) {
  const slider = root.querySelector("[data-size][type='range']");
  if (!slider) return;

  /** The first picture that is to be seen, and where it stands. */
  function anchor() {
    const seen = [...list.querySelectorAll(".thumb")].find((thumb) => thumb.getBoundingClientRect().bottom > 0);
    return seen && { seen, top: seen.getBoundingClientRect().top };
  }

  function set(pixels) {
    list.style.setProperty("--thumb", `${pixels}px`);
    slider.value = String(pixels);
  }

  slider.addEventListener("input", () => {
    const before = window.scrollY > 0 ? anchor() : null;
    set(Number(slider.value));
    if (before) window.scrollBy(0, before.seen.getBoundingClientRect().top - before.top);
    try {
      localStorage.setItem(KEY, slider.value);
    } catch {
      // Private windows may refuse.
    }
  });

  const kept = localStorage.getItem(KEY);
  const pixels = NAMES[kept] ?? Number(kept);
  if (pixels >= Number(slider.min) && pixels <= Number(slider.max)) set(pixels);
}
