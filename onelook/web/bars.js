/** Tooltips of bars, for pointer, touch and keyboard. A chart is one tab stop. */

import { element } from "./dom.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** @param {HTMLElement} chart whose bars carry `data-hint` */
export function hints(chart) {
  const bubble = element("div", { class: "bubble", "aria-hidden": "true", hidden: true });
  chart.append(bubble);
  /** @type {HTMLElement[]} */
  const stops = [...chart.querySelectorAll(/** @type {"span"} */ (".bar[role]"))];
  stops.forEach((bar, index) => bar.setAttribute("tabindex", index ? "-1" : "0"));

  /** @param {HTMLElement} bar */
  const show = (bar) => {
    bubble.textContent = bar.dataset.hint ?? "";
    bubble.hidden = false;
    const box = chart.getBoundingClientRect();
    const place = bar.getBoundingClientRect();
    const middle = (Math.max(place.left, box.left) + Math.min(place.right, box.right)) / 2 - box.left;
    const half = bubble.offsetWidth / 2;
    bubble.style.setProperty("left", `${Math.min(Math.max(middle, half), Math.max(box.width - half, half))}px`);
    bubble.style.setProperty("top", `${place.top - box.top}px`);
  };
  const hide = () => {
    bubble.hidden = true;
  };
  /** @param {Event} event @returns {HTMLElement | null} */
  const barOf = (event) => (event.target instanceof Element ? event.target.closest(".bar") : null);

  for (const name of ["pointerover", "pointerdown", "focusin"]) {
    chart.addEventListener(name, (event) => {
      const bar = barOf(event);
      if (bar) show(bar);
      else hide();
    });
  }
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("focusout", hide);
  chart.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    const at = stops.indexOf(/** @type {HTMLElement} */ (event.target));
    if (at < 0) return;
    const ends = { Home: 0, End: stops.length - 1 };
    const step = STEPS[/** @type {keyof typeof STEPS} */ (event.key)];
    const to = step ? at + step : ends[/** @type {keyof typeof ends} */ (event.key)];
    if (to === undefined) return;
    event.preventDefault();
    const next = stops[Math.min(Math.max(to, 0), stops.length - 1)];
    stops[at]?.setAttribute("tabindex", "-1");
    next?.setAttribute("tabindex", "0");
    next?.focus();
  });
}
