/** Whose page this is and who is signed in in this browser: the same person, somebody else, or nobody. */

import { csrfToken } from "./page.js";

/** Signing in again gives new tokens: this page's requests carry the newest from here on. */
function takeToken(token) {
  document.querySelector('meta[name="csrf-token"]').content = token;
  for (const field of document.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = token;
}

/** url: the address that says who is signed in; user: whose page this is. Answers {same} | {other: name} | {nobody}. */
export async function whoIsHere(url, user) {
  const response = await fetch(url, { redirect: "manual", cache: "no-store" });
  if (response.type === "opaqueredirect" || response.status === 401) return { nobody: true };
  if (response.status === 404 || response.status === 403) return { other: "" }; // signed in, but may not come here
  if (!response.ok) throw new Error(String(response.status));
  const found = await response.json();
  if (String(found.user) !== String(user)) return { other: found.name };
  takeToken(found.token);
  return { same: true };
}

/** Signs in with the site's own form, fetched and filled in. Answers "" or the sentence that says why not. */
export async function signIn(url, username, password) {
  const page = await fetch(url, { redirect: "manual", cache: "no-store" });
  if (page.type === "opaqueredirect") return ""; // signed in already, perhaps in another tab
  const read = async (response) => new DOMParser().parseFromString(await response.text(), "text/html");
  const token = (await read(page)).querySelector('[name="csrfmiddlewaretoken"]')?.value ?? csrfToken();
  const body = new URLSearchParams({ csrfmiddlewaretoken: token, username, password });
  const answer = await fetch(url, { method: "POST", body, redirect: "manual" });
  if (answer.type === "opaqueredirect") return "";
  const said = (await read(answer)).querySelector('[role="alert"]')?.textContent.trim().replace(/\s+/g, " ");
  return said || String(answer.status);
}
