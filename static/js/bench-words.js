/** The bench's own words in the language of the page, from its <template id="bench-words">. */

export function say(key, places = {}) {
  const text = document.getElementById("bench-words")?.dataset[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}
