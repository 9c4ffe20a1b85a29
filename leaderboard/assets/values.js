"use strict";
// The value of what a pointer is at on a chart, which brings its values' places with it.
(() => {
  const NEAR = 16;
  const label = Object.assign(document.createElement("div"), { className: "value", hidden: true });
  const ring = Object.assign(document.createElement("div"), { className: "ring", hidden: true });
  const hide = () => { label.hidden = ring.hidden = true; };

  const nearest = ({ rows }, box, x, y) => {
    let best = null;
    let least = NEAR;
    for (const row of rows) {
      const away = Math.hypot(row[0] / 1e4 * box.width - x, row[1] / 1e4 * box.height - y);
      if (away < least) [best, least] = [row, away];
    }
    return best;
  };
  for (const chart of document.querySelectorAll("[data-spots]")) {
    let told = null;
    const point = (event) => {
      told ??= JSON.parse(chart.dataset.spots);
      const box = chart.getBoundingClientRect();
      const found = nearest(told, box, event.clientX - box.left, event.clientY - box.top);
      if (!found) { hide(); return; }
      const [left, top, name, text] = found;
      chart.append(ring, label);
      label.textContent = `${told.names[name]}: ${text}`;
      label.hidden = ring.hidden = false;
      ring.style.left = `${left / 100}%`;
      ring.style.top = `${top / 100}%`;
      const room = box.width - label.offsetWidth;
      label.style.left = `${Math.max(0, Math.min(left / 1e4 * box.width - label.offsetWidth / 2, room))}px`;
      const above = top / 1e4 * box.height - label.offsetHeight - 10;
      label.style.top = `${above >= 0 ? above : top / 1e4 * box.height + 10}px`;
    };
    for (const kind of ["pointermove", "pointerdown"]) chart.addEventListener(kind, point);
    // A finger leaves as soon as it was there: what it read stays until the next tap.
    chart.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") hide(); });
  }
  document.addEventListener("pointerdown", hide, { capture: true });
})();
