/**
 * Sends a file in pieces by tus 1.0 (docs: datasets/api/uploads.py): goes on where it stopped after a dropped line, a
 * restart of the server or, as the address is kept in localStorage, a reload of the page.
 */

import { csrfToken } from "./page.js";

export const PIECE = 8 * 1024 * 1024;
const LONGEST_WAIT = 20;
const PREFIX = "taxon-upload:";

/** A refusal that trying again would not change. */
export class Refused extends Error {}
/** No answer, or one that passes by itself. */
class Passing extends Error {}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const metadata = (pairs) => Object.entries(pairs).map(([key, value]) => `${key} ${base64(String(value))}`).join(",");

/** What was begun and not ended for these files: [{key, name, size, sent}]. */
export function unfinished(scope) {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${scope}:`));
  return keys.map((key) => ({ key, ...JSON.parse(localStorage.getItem(key)) }));
}

function reason(request) {
  try {
    return JSON.parse(request.responseText).detail ?? "";
  } catch {
    return "";
  }
}

/** 0: no answer. A piece that nobody waits for (404) is found out by asking where the upload stands. */
const passes = (method, status) =>
  [0, 409, 423, 429, 502, 503, 504].includes(status) || (method === "PATCH" && [404, 410].includes(status));

export class Sending {
  /** scope: what keeps one page's uploads apart. told(state, sent): "sending", "paused" or "waiting". */
  constructor(file, { endpoint, project, scope, told }) {
    Object.assign(this, { file, endpoint, project, told, paused: false, over: false, url: null, sent: 0 });
    this.key = `${PREFIX}${scope}:${file.name}:${file.size}:${file.lastModified}`;
  }

  /** Resolves with the upload's id once all is there; rejects with Refused, or undefined after cancel(). */
  async run() {
    for (let failures = 0; ; ) {
      const before = this.sent;
      try {
        await this.unpaused();
        if (this.over) return undefined;
        await this.goOn();
        localStorage.removeItem(this.key);
        return this.url.split("/").pop();
      } catch (error) {
        if (this.over) return undefined;
        if (!(error instanceof Passing)) throw error;
        if (this.paused) continue;
        failures = this.sent > before ? 1 : failures + 1;
        await this.wait(Math.min(2 ** (failures - 1), LONGEST_WAIT));
      }
    }
  }

  async goOn() {
    this.url ??= JSON.parse(localStorage.getItem(this.key) ?? "null")?.url ?? null;
    this.sent = (this.url && (await this.asked())) ?? (await this.announced());
    this.keep();
    this.told("sending", this.sent);
    while (this.sent < this.file.size && !this.paused && !this.over) {
      const body = this.file.slice(this.sent, this.sent + PIECE);
      const headers = { "Upload-Offset": this.sent, "Content-Type": "application/offset+octet-stream" };
      const answer = await this.ask("PATCH", this.url, headers, body);
      this.sent = Number(answer.getResponseHeader("Upload-Offset"));
      this.keep();
      this.told("sending", this.sent);
    }
    if (this.sent < this.file.size) throw new Passing();
  }

  /** How much the server has; null: it knows nothing of it any more. */
  async asked() {
    const answer = await this.ask("HEAD", this.url, {}, null, [403, 404, 410]);
    if (answer.status < 300) return Number(answer.getResponseHeader("Upload-Offset"));
    this.url = null;
    return null;
  }

  async announced() {
    const named = metadata({ filename: this.file.name, project: this.project });
    const answer = await this.ask("POST", this.endpoint, { "Upload-Length": this.file.size, "Upload-Metadata": named });
    this.url = new URL(answer.getResponseHeader("Location"), window.location.href).href;
    return 0;
  }

  ask(method, url, headers, body = null, known = []) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open(method, url);
      const all = { "Tus-Resumable": "1.0.0", "X-CSRFToken": csrfToken(), Accept: "application/json", ...headers };
      Object.entries(all).forEach(([name, value]) => request.setRequestHeader(name, value));
      if (body) request.upload.onprogress = (event) => this.told("sending", this.sent + event.loaded);
      request.onloadend = () => {
        if ((request.status >= 200 && request.status < 300) || known.includes(request.status)) resolve(request);
        else reject(passes(method, request.status) ? new Passing() : new Refused(reason(request)));
      };
      request.send(body);
    });
  }

  keep() {
    const { name, size } = this.file;
    localStorage.setItem(this.key, JSON.stringify({ url: this.url, name, size, sent: this.sent }));
  }

  pause() {
    this.paused = true;
    this.request?.abort();
    this.told("paused", this.sent);
  }

  resume() {
    this.paused = false;
    this.wake?.();
  }

  /** Ends it, here and on the server. */
  cancel() {
    this.over = true;
    this.request?.abort();
    this.resume();
    localStorage.removeItem(this.key);
    if (this.url) this.ask("DELETE", this.url, {}).catch(() => {}); // else it is forgotten after some days
  }

  async unpaused() {
    while (this.paused) await new Promise((resolve) => (this.wake = resolve));
  }

  async wait(seconds) {
    this.told("waiting", this.sent);
    await new Promise((resolve) => {
      this.wake = resolve;
      const timer = setTimeout(resolve, seconds * 1000);
      window.addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}
