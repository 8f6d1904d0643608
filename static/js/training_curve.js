/** Draws a training's curve from the JSON beside it, again whenever the live part of the page is refreshed. */

import "./training_notice.js";
import { percent } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 192;
const LEFT = 48;
const BOTTOM = 24;
const TOP = 8;

function node(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The part of 0 to 1 that the values lie in, so that small gains can be seen. */
function range(values) {
  const high = Math.max(1, ...values);
  const low = Math.floor(Math.min(...values) * 10) / 10;
  return [Math.max(0, Math.min(low, high - 0.2)), high];
}

function scales(points, width) {
  const epochs = points.map((point) => point.epoch);
  const [low, high] = range(points.map((point) => point.metric));
  const first = Math.min(...epochs);
  const span = Math.max(1, Math.max(...epochs) - first);
  return {
    low,
    high,
    width,
    x: (epoch) => LEFT + ((epoch - first) / span) * (width - LEFT - 8),
    y: (value) => TOP + (1 - (value - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM),
  };
}

function axes(svg, points, { low, high, width, x, y }, word) {
  for (const value of [low, (low + high) / 2, high]) {
    svg.append(node("line", { class: "curve-rule", x1: LEFT, x2: width, y1: y(value), y2: y(value) }));
    svg.append(node("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, percent(value, 0)));
  }
  const last = points[points.length - 1].epoch;
  svg.append(node("text", { x: LEFT, y: HEIGHT - 4 }, `${word} ${points[0].epoch}`));
  if (points.length > 1) svg.append(node("text", { x: x(last), y: HEIGHT - 4, "text-anchor": "end" }, last));
}

/** Where another method goes on: a quiet line, and its name on the side where there is room. */
function turn(svg, epoch, { width, x }, word) {
  const at = x(epoch);
  const anchor = at > width * 0.7 ? "end" : "start";
  svg.append(node("line", { class: "curve-turn", x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }));
  svg.append(node("text", { x: at + (anchor === "end" ? -6 : 6), y: HEIGHT - BOTTOM - 6, "text-anchor": anchor }, word));
}

function draw(figure) {
  const source = document.getElementById(figure.dataset.curve);
  const curve = source ? JSON.parse(source.textContent) : { points: [] };
  const points = curve.points.filter((point) => Number.isFinite(point.metric));
  if (!points.length) return;
  const width = Math.max(240, figure.clientWidth); // a unit is a pixel: words keep their size on every screen
  const scale = scales(points, width);
  const best = points.reduce((top, point) => (point.metric > top.metric ? point : top));
  const label = `${figure.dataset.label}: ${points.map((point) => percent(point.metric)).slice(-1)}`;
  const svg = node("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
  axes(svg, points, scale, figure.dataset.epoch);
  if (curve.tuned) turn(svg, curve.tuned, scale, figure.dataset.tuned);
  const line = points.map((point) => `${scale.x(point.epoch)},${scale.y(point.metric)}`).join(" ");
  svg.append(node("polyline", { class: "curve-line", points: line }));
  svg.append(node("circle", { class: "curve-best", cx: scale.x(best.epoch), cy: scale.y(best.metric), r: 5 }));
  figure.replaceChildren(svg);
}

const drawAll = () => document.querySelectorAll("[data-curve]").forEach(draw);

/** The log shows its end, or stays where the person scrolled to, though its element is a new one each time. */
let scrolled = null;
function keepPlace() {
  const lines = document.getElementById("run-log-lines");
  if (lines) lines.scrollTop = scrolled ?? lines.scrollHeight;
}

document.addEventListener(
  "scroll",
  ({ target }) => {
    if (target.id !== "run-log-lines") return;
    scrolled = target.scrollTop + target.clientHeight >= target.scrollHeight - 4 ? null : target.scrollTop;
  },
  true,
);
document.addEventListener("toggle", ({ target }) => target.id === "run-log" && keepPlace(), true);
document.addEventListener("taxon:refreshed", drawAll);
addEventListener("resize", drawAll);
document.addEventListener("taxon:refreshed", keepPlace);
drawAll();
