/** A failed request: the error, its place, and what to do. */

import { element, sentence } from "./dom.js";
import { known, say } from "./language.js";

/** @param {import("./api.js").Problem} problem @param {((key: string) => void) | null} useKey asked for on a 401 */
export function problemCard(problem, useKey) {
  const network = problem.status === 0;
  const unsaid = problem.errors.filter(({ message }) => !problem.detail.includes(message));
  return element(
    "div",
    { class: "panel problem" },
    element("h2", {}, title(problem)),
    problem.detail && element("p", {}, sentence(problem.detail)),
    unsaid.length > 0 &&
      element(
        "ul",
        {},
        ...unsaid.map(({ field, message }) => element("li", {}, element("code", {}, field), ` ${message}`)),
      ),
    (problem.hint || network) && hint(problem.hint || say("problem.networkHint")),
    problem.retryAfter && element("p", {}, say("retryAfter", { seconds: problem.retryAfter })),
    problem.status === 401 && useKey && keyForm(useKey),
  );
}

/** What to do. @param {string} text */
export const hint = (text) => element("p", { class: "small" }, `${say("hint")}: `, sentence(text));

/** @param {import("./api.js").Problem} problem */
function title({ status, kind, title }) {
  if (status === 0) return say("problem.network");
  if (status === 401) return say("needsKey");
  const words = [`error.${kind}`, `problem.${status}`].find(known);
  return words ? say(words) : title || say("problem.other");
}

/** @param {(key: string) => void} useKey */
function keyForm(useKey) {
  const field = element("input", { type: "password", id: "key", autocomplete: "off", required: true });
  return element(
    "form",
    {
      class: "key",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        useKey(/** @type {HTMLInputElement} */ (field).value);
      },
    },
    element("label", { for: "key" }, say("key")),
    field,
    element("button", { class: "primary", type: "submit" }, say("useKey")),
    element("p", { class: "small" }, say("keyHelp")),
  );
}
