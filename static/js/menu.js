/** Menus are <details class="menu">: close on Esc, on a click elsewhere, and when another opens. */

const opened = () => document.querySelectorAll("details.menu[open]");

export function start() {
  document.addEventListener("click", (event) => {
    for (const menu of opened()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of opened()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}
