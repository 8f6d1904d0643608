/**
 * Tells in the tab's title, and where the person asked for it by a browser notice, that a training has ended.
 * poll.js rests while the tab is hidden; a run that somebody waits for is looked at here meanwhile, less often.
 */

const EVERY = 10_000;
const KEY = `taxon-tell:${window.location.pathname}`;
const live = () => document.getElementById("version-live");
const able = "Notification" in window && window.isSecureContext;
const wanted = () => able && Notification.permission === "granted" && sessionStorage.getItem(KEY) === "1";
const title = document.title;
let told = false;

/** The button as things stand; without notices in this browser it stays hidden. */
function show() {
  const button = document.getElementById("tell-me");
  if (!button || !able) return;
  button.hidden = false;
  const refused = Notification.permission === "denied";
  button.disabled = refused || wanted();
  if (wanted()) button.lastElementChild.textContent = button.dataset.told;
  else if (refused) button.lastElementChild.textContent = button.dataset.refused;
}

async function ask() {
  if ((await Notification.requestPermission()) === "granted") sessionStorage.setItem(KEY, "1");
  show();
}

function notify(name, says, destination) {
  try {
    const notice = new Notification(name, { body: says, tag: KEY });
    notice.onclick = () => {
      window.focus();
      window.location.assign(destination);
      notice.close();
    };
  } catch {
    // Some phones have notices for installed apps alone; the title says it all the same.
  }
}

/** It ended: said once, in the title and by a notice where one was asked for. */
function tell(part, destination) {
  if (told) return;
  told = true;
  const chip = part.querySelector(".chip")?.textContent.trim() ?? "";
  document.title = `${chip} · ${title}`;
  const name = live()?.querySelector("#tell-me")?.dataset.tell ?? title;
  if (document.hidden && wanted()) notify(name, part.querySelector(".progress-title")?.textContent.trim() ?? chip, destination);
}

async function look() {
  const url = live()?.dataset.pollUrl;
  if (!url || told || !document.hidden) return;
  try {
    const response = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!response.ok || response.redirected) return;
    const template = document.createElement("template");
    template.innerHTML = (await response.text()).trim();
    const part = template.content.firstElementChild;
    if (part && !part.dataset.pollUrl) tell(part, response.headers.get("HX-Redirect") ?? window.location.href);
  } catch {
    // No connection: the next look may have one.
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#tell-me")) ask();
});
document.addEventListener("taxon:refreshed", (event) => {
  show();
  if (event.target.id === "version-live" && !event.target.dataset.pollUrl) tell(event.target, window.location.href);
});
if (live()?.dataset.pollUrl) {
  show();
  setInterval(look, EVERY);
}
