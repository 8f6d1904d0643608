/**
 * Dialogs. <a href="/…/delete/" data-dialog="delete-dialog"> opens <dialog id="delete-dialog">; without scripts the
 * address has the same form on a page. In the dialog an <input data-confirm-name="dogs"> keeps the form's button
 * closed until the name is typed; the server checks the name again. [data-dialog-close] closes.
 */

const same = (typed, name) => typed.normalize("NFC").trim() === name.normalize("NFC").trim();

function guard(input) {
  const form = input.form;
  const submit = form?.querySelector('[type="submit"]');
  if (!submit) return;
  const check = () => (submit.disabled = !same(input.value, input.dataset.confirmName));
  input.addEventListener("input", check);
  check();
}

function open(dialog) {
  dialog.querySelector("form")?.reset();
  dialog.querySelectorAll("[data-confirm-name]").forEach(guard);
  dialog.showModal();
}

export function start(root = document) {
  root.querySelectorAll("[data-confirm-name]").forEach(guard);
}

export function listen() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      opener.closest("details.menu")?.removeAttribute("open");
      open(dialog);
      return;
    }
    const close = event.target.closest("[data-dialog-close]");
    // A click on the dim ground lands on the dialog itself
    const ground = event.target.matches("dialog[open]") && !inside(event) ? event.target : null;
    (close?.closest("dialog") ?? ground)?.close();
  });
}

function inside(event) {
  const box = event.target.getBoundingClientRect();
  return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
}
