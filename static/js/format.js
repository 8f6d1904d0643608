/** Numbers, shares, bytes and durations in the language of the page, and the page's translated words. */

const language = document.documentElement.lang || "en";
const formats = new Map();

function formatter(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language, options));
  return formats.get(key);
}

const unit = (value, name, digits = 0) =>
  formatter({ style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits }).format(value);

export const number = (value, digits = 0) =>
  formatter({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** A fraction from 0 to 1 as per cent. */
export const percent = (fraction, digits = 1) =>
  formatter({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(fraction);

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

function scaled(count) {
  const step = count < 1024 ? 1 : Math.min(Math.floor(Math.log2(count) / 10), SIZES.length - 1);
  const value = count / 1024 ** step;
  return [value, SIZES[step], value < 100 ? 1 : 0];
}

/** A size in bytes; one MB is 1024² bytes, as in all of Taxon's limits. */
export function bytes(count) {
  const [value, name, digits] = scaled(count);
  return unit(value, name, digits);
}

export function rate(bytesPerSecond) {
  const [value, name, digits] = scaled(bytesPerSecond);
  return unit(value, `${name}-per-second`, digits);
}

/** Seconds as the two largest units that say something: "2 hr 5 min", "48 sec". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86400), "day"],
    [Math.floor((whole % 86400) / 3600), "hour"],
    [Math.floor((whole % 3600) / 60), "minute"],
    [whole % 60, "second"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return unit(0, "second");
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, name]) => unit(value, name))
    .join(" ");
}

/** A translated word from the #words template of the page, with {places} filled in. */
export function word(key, places = {}) {
  const text = document.getElementById("words")?.dataset[`say${key[0].toUpperCase()}${key.slice(1)}`] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}

const FORMATS = { number, percent, bytes, rate, duration };

/** Fills <span data-format="bytes" data-value="1024"> elements; the server's own text stands without scripts. */
export function fill(root = document) {
  for (const element of root.querySelectorAll("[data-format]")) {
    const value = Number(element.dataset.value);
    const format = FORMATS[element.dataset.format];
    if (format && Number.isFinite(value)) element.textContent = format(value);
  }
}
