/** The rubber band: pull from beside the pictures, or over them, and what it touches is chosen. */

const THRESHOLD = 6;

export function openBand(root, grid, selection) {
  const ground = root.querySelector("[data-ground]");
  let band = null;
  let from = null;

  const point = (event) => {
    const box = ground.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  function draw(to) {
    const [x, y] = [Math.min(from.x, to.x), Math.min(from.y, to.y)];
    const [width, height] = [Math.abs(from.x - to.x), Math.abs(from.y - to.y)];
    Object.assign(band.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  }

  function touched() {
    const area = band.getBoundingClientRect();
    return grid.thumbs().filter((thumb) => {
      const box = thumb.getBoundingClientRect();
      return box.left < area.right && box.right > area.left && box.top < area.bottom && box.bottom > area.top;
    });
  }

  function move(event) {
    const to = point(event);
    if (!band) {
      if (Math.hypot(to.x - from.x, to.y - from.y) < THRESHOLD) return;
      band = document.createElement("div");
      band.className = "rubber-band";
      ground.append(band);
      ground.classList.add("is-pulling");
    }
    draw(to);
  }

  function end(event) {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", end);
    if (!band) return;
    const chosen = touched();
    band.remove();
    band = null;
    ground.classList.remove("is-pulling");
    selection.choose(chosen, { keep: event.ctrlKey || event.metaKey || event.shiftKey });
    // The click that ends the pull is not a click on a picture
    const swallow = (click) => {
      click.preventDefault();
      click.stopPropagation();
    };
    window.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => window.removeEventListener("click", swallow, { capture: true }), 0);
  }

  ground.addEventListener("dragstart", (event) => event.preventDefault()); // a picture is pulled over, not away
  ground.addEventListener("pointerdown", (event) => {
    const onControl = event.target.closest("a, button, select, input, summary, .selection-bar");
    if (event.button !== 0 || event.pointerType === "touch" || onControl) return;
    from = point(event);
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
  });
}
