/** Scores of one picture as bars, from dialect 1's pairs; the same markup as serving/_bars.html. */

const SVG = "http://www.w3.org/2000/svg";

function track(width) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "bar");
  svg.setAttribute("aria-hidden", "true");
  const bar = document.createElementNS(SVG, "rect");
  bar.setAttribute("width", width);
  bar.setAttribute("height", "100%");
  svg.append(bar);
  return svg;
}

function span(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

export function bars(scores) {
  const list = document.createElement("ul");
  list.className = "bars";
  scores.forEach(([name, score], place) => {
    const row = document.createElement("li");
    if (place === 0) row.className = "is-first";
    const title = span("bars-name", name);
    title.title = name;
    row.append(title, track(`${(Number(score) * 100).toFixed(1)}%`), span("bars-value", score));
    list.append(row);
  });
  return list;
}
