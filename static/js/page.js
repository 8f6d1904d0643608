/** What a script takes from the page around it: icons of the sprite (its name is hashed) and the CSRF token. */

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const sprite = document.getElementById("words")?.dataset.icons ?? "";
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** The token that unsafe requests carry, read from the page because the cookie may be closed to scripts. */
export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
