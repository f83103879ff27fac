/** The right-hand side: empty, busy, or the results of the arms side by side. */

import { element } from "./dom.js";
import { labelOf, list, ms, number, say } from "./language.js";
import { attributeLabel, card, optionLabel } from "./tags.js";
import { waterfall } from "./waterfall.js";

/** @typedef {import("./tags.js").Setting} Setting */

/** Times of single runs that differ by less than this count as the same. */
const ALIKE = 1.1;

/** Before the first run. */
export function empty() {
  const sketch = ["prepare", "queue", "first_token", "decode", "parse"].flatMap((kind) => [
    element("span", { class: "what" }, say(`kind.${kind}`)),
    element("span", { class: `bar ${kind}` }),
  ]);
  return element(
    "div",
    { class: "empty" },
    element("div", { class: "sketch", "aria-hidden": "true" }, ...sketch),
    element("h2", {}, say("emptyTitle")),
    element("p", {}, say("empty")),
  );
}

/** While the arms run. @param {string[]} arms */
export function looking(arms) {
  return element(
    "div",
    { class: "panel looking" },
    element("p", {}, say("looking", { arms: list(arms) })),
    element("div", { class: "lanes", "aria-hidden": "true" }, ...arms.map(() => element("span", { class: "pulse" }))),
  );
}

/** @param {any[]} results one TagResult an arm @param {Setting} setting */
export function comparison(results, setting) {
  return element(
    "div",
    { class: "comparison" },
    verdict(results, setting),
    setting.truth && truthLine(setting),
    element("div", { class: "cards" }, ...results.map((result) => card(result, setting))),
    waterfall(results),
  );
}

/** Which arm was fastest, by how much, and whether the arms agree. @param {any[]} results @param {Setting} setting */
function verdict(results, setting) {
  const answered = results.filter((result) => result.status !== "failed");
  const sentences = [speed(answered), agreement(answered, setting)].filter(Boolean);
  return element(
    "div",
    { class: "verdict" },
    ...sentences.map((sentence) => element("p", {}, sentence)),
    results.length > 1 && element("p", { class: "small" }, say("oneRun")),
  );
}

/** @param {any[]} results */
function speed(results) {
  const timed = results
    .map(({ arm, ledger }) => ({ arm, wall: ledger.wall_ms }))
    .sort((one, other) => one.wall - other.wall);
  const [first, last] = [timed[0], timed.at(-1)];
  if (!first || !last) return "";
  if (first === last) return say("only", { arm: first.arm, ms: ms(first.wall) });
  const ratio = last.wall / first.wall;
  if (ratio < ALIKE) return say("alike", { ms: ms(first.wall) });
  return say("faster", { fast: first.arm, slow: last.arm, ms: ms(first.wall), ratio: number(ratio, 1) });
}

/** @param {any[]} results @param {Setting} setting */
function agreement(results, { taxonomy }) {
  if (results.length < 2) return "";
  const [first] = results;
  if (results.some((result) => result.category.id !== first.category.id))
    return say("differ", { where: say("category") });
  const differing = Object.keys(first.details).filter(
    (attribute) => new Set(results.map((result) => ids(result, attribute))).size > 1,
  );
  if (!differing.length) return say("agree");
  return say("differ", {
    where: list(differing.map((attribute) => attributeLabel(taxonomy, first.category.id, attribute))),
  });
}

/** @param {any} result @param {string} attribute */
const ids = (result, attribute) => result.details[attribute].map((/** @type {any} */ tag) => tag.id).join();

/** @param {Setting} setting */
function truthLine({ taxonomy, truth }) {
  if (!truth) return null;
  const category = taxonomy.categories[truth.category];
  const details = Object.entries(truth.details).map(([attribute, options]) => {
    const labels = options.map((option) => optionLabel(taxonomy, truth.category, attribute, option) ?? option);
    return element(
      "span",
      {},
      `${attributeLabel(taxonomy, truth.category, attribute)} `,
      element("b", {}, list(labels) || say("nothing")),
    );
  });
  return element(
    "p",
    { class: "truth" },
    element("span", { class: "truth-word" }, say("truth")),
    element("b", {}, category ? labelOf(category.label) : truth.category),
    ...details,
  );
}
