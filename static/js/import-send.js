/** Sends an import's files in pieces, with rate, time left, pause and cancel, then asks for their imports. */

import { bytes, duration, percent, rate, word } from "./format.js";
import { csrfToken } from "./page.js";
import { Refused, Sending, unfinished } from "./tus.js";
import { complain, meter, panel } from "./upload.js";

const TRIES = 6;
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** A translated word of the form, with {places} filled in. */
export function say(form, key, places = {}) {
  return form.dataset[key].replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}

function controls(form, box) {
  const cancel = box.querySelector("button");
  let hold = box.querySelector("[data-hold]");
  if (!hold) {
    hold = document.createElement("button");
    hold.type = "button";
    hold.className = "button button-small";
    hold.dataset.hold = "";
    const both = document.createElement("span");
    both.className = "row";
    cancel.replaceWith(both);
    both.append(hold, cancel);
  }
  cancel.hidden = hold.hidden = false;
  cancel.textContent = word("cancel");
  hold.textContent = form.dataset.pause;
  return { cancel, hold };
}

function teller(form, box, file, before, total) {
  let speedAt = meter();
  let state = "";
  return (now, sent) => {
    if (now !== state) {
      state = now;
      speedAt = meter();
      const title = { sending: word("uploading"), paused: form.dataset.paused, waiting: form.dataset.waiting }[now];
      box.querySelector(".progress-title").textContent = title;
    }
    const done = before + sent;
    const speed = now === "sending" ? speedAt(done) : 0;
    box.querySelector("progress").value = total ? done / total : 1;
    const facts = [percent(total ? done / total : 1, 0), `${bytes(done)} / ${bytes(total)}`];
    if (speed > 0) facts.push(rate(speed), word("timeLeft", { time: duration((total - done) / speed) }));
    box.querySelector(".progress-facts").textContent = facts.join(" · ");
  };
}

async function begin(form, upload) {
  const said = ["label", "encoding", "review", "source_note", "licence"].map((name) => [name, form.elements[name]?.value ?? ""]);
  const body = JSON.stringify({ upload, ...Object.fromEntries(said) });
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" };
  for (let left = TRIES; ; left -= 1) {
    // Asking twice is safe: an upload is imported once
    const answer = await fetch(form.dataset.imports, { method: "POST", headers, body }).catch(() => null);
    if (answer?.ok) return (await answer.json()).id;
    if (answer && answer.status < 500) throw new Refused((await answer.json()).detail);
    if (left === 1) throw new Refused(word("offline"));
    await pause(3);
  }
}

/** Sends one after another and leads on to the import (to the list of them, where there are several). */
export async function sendAll(form, files) {
  const box = panel(form);
  const { cancel, hold } = controls(form, box);
  const submit = form.querySelector('[type="submit"]');
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const { uploads: endpoint, project, scope } = form.dataset;
  box.classList.remove("progress-bad");
  box.hidden = false;
  submit.disabled = true;
  let before = 0;
  const begun = [];
  try {
    for (const file of files) {
      const told = teller(form, box, file, before, total);
      const sending = new Sending(file, { endpoint, project, scope, told });
      cancel.onclick = () => sending.cancel();
      hold.onclick = () => {
        if (sending.paused) sending.resume();
        else sending.pause();
        hold.textContent = sending.paused ? form.dataset.resume : form.dataset.pause;
      };
      const upload = await sending.run();
      if (!upload) throw new Refused(word("uploadCancelled"));
      before += file.size;
      box.querySelector(".progress-title").textContent = word("uploadReading");
      begun.push(await begin(form, upload));
    }
    window.location.assign(begun.length === 1 ? form.dataset.detail.replace("/0/", `/${begun[0]}/`) : window.location.href);
  } catch (error) {
    hold.hidden = true;
    complain(form, box, (error instanceof Refused && error.message) || word("failed"));
  }
}

/** Says what an earlier visit left half sent. */
export function remind(form, place) {
  for (const { key, name, size, sent } of unfinished(form.dataset.scope)) {
    const note = document.createElement("p");
    const forget = document.createElement("button");
    note.className = "row small";
    note.append(say(form, "stopped", { name, share: percent(size ? sent / size : 1, 0) }), " ", forget);
    Object.assign(forget, { type: "button", className: "button button-small button-quiet", textContent: form.dataset.forget });
    forget.onclick = () => {
      localStorage.removeItem(key);
      note.remove();
    };
    place.append(note);
  }
}
