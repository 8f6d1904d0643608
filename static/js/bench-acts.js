/** Tag, untag, delete, undo and redo: each one acknowledged POST, shown at once and taken back if it was refused. */

import { newKey, openQueue, remember, remembered } from "./bench-queue.js";
import { say } from "./bench-words.js";
import { show } from "./toast.js";

const WAITING = ["unlabelled", "suggested", "skipped"]; // where nothing has a label
const KEPT = 1000; // a long session

export function openActs(root, grid, labels, { settled, saving }) {
  const place = `bench:${root.dataset.dataset}:${root.dataset.user}`;
  const touched = new Map(); // when this page last changed a picture: what the server said before does not count
  // done and undone hold keys of acts; actions maps a key to the server's number once it has answered.
  const memory = remembered(`${place}:acts`, { done: [], undone: [], actions: {} });

  function keep() {
    memory.done = memory.done.slice(-KEPT);
    memory.actions = Object.fromEntries(Object.entries(memory.actions).slice(-4 * KEPT));
    remember(`${place}:acts`, memory);
  }

  const forget = (key) => {
    memory.done = memory.done.filter((each) => each !== key);
    memory.undone = memory.undone.filter((each) => each !== key);
  };

  function announce(message, { kind = "success", key = null } = {}) {
    show(message, { kind, undo: key ? () => undo(key) : null, slot: "bench" });
  }

  /** An undo waits behind its act, so the number it needs is known when its turn comes. */
  function prepare(entry) {
    const { url, body, undoes, repeats } = entry;
    if (!undoes && !repeats) return { url, body };
    const action = memory.actions[undoes ?? repeats];
    if (!action) return null;
    return { url, body: undoes ? { ...body, action } : { ...body, again: action } };
  }

  function answered(entry, answer) {
    if (!entry.undoes) {
      memory.actions[entry.key] = answer.action;
      if (!answer.changed) forget(entry.key);
    }
    keep();
    touch(entry);
    if (answer.counts) labels.showCounts(answer.counts);
    if (answer.labels_changed) labels.reload();
    announce(answer.message, { key: !entry.undoes && answer.changed ? entry.key : null });
    settled(answer);
    // Nothing changed: the pictures are not what this page took them for
    if (entry.reload || answer.changed === 0) grid.reload().catch(() => {});
  }

  function refused(entry, sentence) {
    forget(entry.undoes ?? entry.key);
    keep();
    announce(sentence || say("refused"), { kind: "error" });
    grid.reload().catch(() => {});
  }

  const queue = openQueue({
    name: `${place}:queue`,
    user: root.dataset.user,
    whoUrl: root.dataset.liveWhoUrl,
    prepare,
    answered,
    refused,
    changed: saving,
  });
  // What a reload found unsent is not in the grid as it will be
  for (const entry of queue.entries) entry.reload = true;

  const touch = ({ body }) => body.images?.forEach((id) => touched.set(id, performance.now()));

  function act(url, body, more = {}) {
    const key = newKey();
    touch({ body });
    if (!more.undoes) {
      memory.done.push(key);
      if (!more.repeats) memory.undone = [];
      keep();
    }
    queue.push({ key, url, body: { ...body, view: root.dataset.query }, ...more });
    return key;
  }

  /** chosen: {ids} or {everything: true}; label: {name, hue} | null for none. */
  function target(chosen) {
    return chosen.everything ? { filter: root.dataset.query } : { images: chosen.ids };
  }

  const view = root.dataset;
  const staysTagged = (label) => !WAITING.includes(view.state) && (!view.label || view.label === label.name);
  const staysUntagged = () => view.state !== "labelled" && !view.label;

  function tag(chosen, label) {
    const body = { ...target(chosen), label: label?.name ?? null, create: Boolean(label?.create) };
    if (label?.id) body.label_id = label.id; // should it be called otherwise by now
    if (!chosen.everything) grid.apply(chosen.ids, label, label ? staysTagged(label) : staysUntagged());
    act(view.tagUrl, body, { reload: chosen.everything || Boolean(label?.create) });
  }

  /** Takes what is suggested; sure: only what is suggested with at least this confidence. */
  function accept(chosen, sure = 0) {
    if (!chosen.everything) grid.apply(chosen.ids, null, false);
    act(view.acceptUrl, { ...target(chosen), at_least: sure }, { reload: chosen.everything });
  }

  /** Not sure; where only such pictures are shown, sure again. */
  function skip(chosen) {
    const leaves = WAITING.includes(view.state);
    if (!chosen.everything && leaves) grid.apply(chosen.ids, null, false);
    const body = { ...target(chosen), unskip: view.state === "skipped" };
    act(view.skipUrl, body, { reload: chosen.everything || !leaves });
  }

  function discard(chosen) {
    if (!chosen.everything) grid.apply(chosen.ids, null, false);
    act(view.discardUrl, target(chosen), { reload: chosen.everything });
  }

  function undo(key = memory.done.at(-1)) {
    if (!key) return announce(say("nothingToUndo"), { kind: "info" });
    forget(key);
    memory.undone.push(key);
    keep();
    act(view.undoUrl, {}, { undoes: key, reload: true });
  }

  function redo() {
    const key = memory.undone.pop();
    if (!key) return announce(say("nothingToRedo"), { kind: "info" });
    act(view.tagUrl, {}, { repeats: key, reload: true });
  }

  /** moveTo: the number of the label that its pictures get, or "". */
  function deleteLabel(url, moveTo) {
    act(url, { move_to: moveTo }, { reload: true });
  }

  queue.retry();
  return {
    tag, accept, skip, deleteLabel, discard, undo, redo,
    retry: queue.retry,
    giveUp: queue.discard,
    get unsaved() {
      return queue.size;
    },
    isOwn: (action) => Object.values(memory.actions).includes(action),
    /** Pictures whose state this page knows better than an answer that was asked for at that time. */
    knowsBetter(id, askedAt) {
      const waits = ({ body }) => body.images?.includes(id) || body.filter !== undefined;
      return (touched.get(id) ?? 0) >= askedAt || queue.entries.some(waits);
    },
  };
}
