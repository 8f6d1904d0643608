/** The thumbnails: loading on while one scrolls, the current one and its neighbours, and what an act changes. */

import { fill } from "./format.js";

const AHEAD = "1200px";
const PER_PAGE = 120;
const MOST_AT_ONCE = 960;

export function openGrid(root, { onChange }) {
  const list = root.querySelector("[data-grid]");
  const thumbs = () => [...list.querySelectorAll(":scope > .thumb")];
  const box = (thumb) => thumb.querySelector(".thumb-tick") ?? thumb.querySelector(".thumb-open");
  const idOf = (thumb) => Number(thumb.dataset.image);
  let current = null;
  let loading = null;

  // ---- loading ----------------------------------------------------------------------------------------------
  const sentinel = () => list.querySelector("[data-more]");
  const watcher = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && more(), {
    rootMargin: AHEAD,
  });

  async function fragment(url) {
    const response = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!response.ok || response.redirected) throw new Error(String(response.status)); // or the sign-in page
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    return holder.content;
  }

  function watch() {
    watcher.disconnect();
    if (sentinel()) watcher.observe(sentinel());
    thumbs().forEach((thumb) => (box(thumb).tabIndex = thumb === current ? 0 : -1));
    if (!current?.isConnected) setCurrent(thumbs()[0], { focus: false });
    fill(list);
    onChange();
  }

  function more() {
    const last = sentinel();
    if (!last || loading) return loading;
    const link = last.querySelector("a");
    loading = fragment(link.dataset.url)
      .then((fresh) => last.isConnected && last.replaceWith(fresh))
      .catch(() => {
        last.classList.add("is-stuck"); // the link stays, so that one can try again
      })
      .finally(() => {
        loading = null;
        watch();
      });
    return loading;
  }

  /** As the server has it now, as many as were there, without a jump. */
  async function reload() {
    let wanted = Math.max(thumbs().length, PER_PAGE);
    const at = current?.isConnected ? thumbs().indexOf(current) : 0;
    const focused = list.contains(document.activeElement);
    const fresh = document.createDocumentFragment();
    let address = root.dataset.imagesUrl;
    while (address && wanted > 0) {
      const url = new URL(address, window.location.href);
      url.searchParams.set("limit", String(Math.min(wanted, MOST_AT_ONCE)));
      fresh.querySelector("[data-more]")?.remove();
      fresh.append(await fragment(url));
      wanted -= MOST_AT_ONCE;
      address = fresh.querySelector("[data-more] a")?.dataset.url;
    }
    list.replaceChildren(fresh);
    const now = thumbs();
    current = null;
    setCurrent(now[Math.min(at, now.length - 1)], { focus: focused });
    watch();
  }

  // ---- the current one --------------------------------------------------------------------------------------
  function setCurrent(thumb, { focus = true } = {}) {
    if (current) box(current).tabIndex = -1;
    current = thumb ?? null;
    if (!current) return;
    box(current).tabIndex = 0;
    if (focus) {
      box(current).focus({ preventScroll: true });
      current.scrollIntoView({ block: "nearest" });
    }
  }

  function columns() {
    return getComputedStyle(list).gridTemplateColumns.split(" ").length;
  }

  function neighbour(step) {
    const all = thumbs();
    const at = all.indexOf(current);
    if (at < 0) return all[0];
    return all[Math.max(0, Math.min(all.length - 1, at + step))];
  }

  /** Those that stand whole on the screen: neither beyond its edge nor under a bar. A toast passes. */
  function seen() {
    const onTop = (x, y) => document.elementsFromPoint(x, y).find((element) => !element.closest(".toast"));
    return thumbs().filter((thumb) => {
      const { left, right, top, bottom } = thumb.getBoundingClientRect();
      return [top + 2, bottom - 2].every((y) => thumb.contains(onTop((left + right) / 2, y) ?? null));
    });
  }

  // ---- what an act changes ----------------------------------------------------------------------------------
  function wear(thumb, label) {
    const name = thumb.querySelector(".thumb-label");
    const dot = thumb.querySelector(".thumb-strip .dot");
    name.textContent = label?.name ?? "";
    name.title = label?.name ?? "";
    dot.hidden = !label;
    if (label) dot.dataset.hue = label.hue;
    thumb.dataset.label = label?.name ?? "";
  }

  function apply(ids, change, stays) {
    const chosen = new Set(ids);
    const all = thumbs();
    const lastAt = all.findLastIndex((thumb) => chosen.has(idOf(thumb)));
    const next = all.slice(lastAt + 1).find((thumb) => !chosen.has(idOf(thumb)));
    const before = all.slice(0, Math.max(lastAt, 0)).findLast((thumb) => !chosen.has(idOf(thumb)));
    const focused = list.contains(document.activeElement);
    for (const thumb of all) {
      if (!chosen.has(idOf(thumb))) continue;
      if (stays) wear(thumb, change);
      else thumb.remove();
    }
    if (!stays && !current?.isConnected) {
      current = null;
      setCurrent(next ?? before, { focus: focused });
    }
    watch();
    if (!thumbs().length) more();
  }

  list.addEventListener("focusin", (event) => {
    const thumb = event.target.closest(".thumb");
    if (thumb && thumb !== current) setCurrent(thumb, { focus: false });
  });
  list.addEventListener("click", (event) => {
    if (!event.target.closest("[data-more] a")) return;
    event.preventDefault();
    more();
  });
  watch();

  return {
    list, thumbs, seen, idOf, reload, more, apply, columns, neighbour, setCurrent,
    tick: (thumb) => thumb.querySelector(".thumb-tick"),
    get current() {
      return current;
    },
  };
}
