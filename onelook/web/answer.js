/** The right-hand side: empty, busy, or the results of the arms side by side. */

import { element } from "./dom.js";
import { labelOf, list, ms, number, say } from "./language.js";
import { attributeLabel, card, optionLabel } from "./tags.js";
import { waterfall } from "./waterfall.js";

/** @typedef {import("./tags.js").Setting} Setting */
/** `walls`: of each arm, by round. @typedef {{ rounds: number, walls: number[][], ratios: any[], measure: (rounds: number) => void }} Timing */

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

/** Which arm was faster, if that is known, and whether the arms agree. @param {any[]} results @param {Setting} setting */
function verdict(results, setting) {
  const answered = results.filter((result) => result.status !== "failed");
  const [first] = answered;
  const alone = results.length === 1 && first && say("only", { arm: first.arm, ms: ms(first.ledger.wall_ms) });
  const sentences = [...setting.timing.ratios.map(speed), alone, agreement(answered, setting)].filter(Boolean);
  return element(
    "div",
    { class: "verdict" },
    ...sentences.map((sentence) => element("p", {}, sentence)),
    results.length > 1 && timing(results, setting.timing),
  );
}

/** What an interval of the ratio of two arms' times says. @param {any} ratio a TimeRatio */
function speed({ arm, reference, median, low, high }) {
  if (low === null) return "";
  if (low > 1) return faster(reference, arm, median, low, high);
  if (high < 1) return faster(arm, reference, 1 / median, 1 / high, 1 / low);
  return say("noDifference", { arm, reference, low: number(low, 2), high: number(high, 2) });
}

/** @param {string} fast @param {string} slow @param {number} ratio @param {number} low @param {number} high */
const faster = (fast, slow, ratio, low, high) =>
  say("faster", { fast, slow, ratio: number(ratio, 2), low: number(low, 2), high: number(high, 2) });

/** How the times were taken, and a button that takes them so that they can be compared. @param {any[]} results @param {Timing} timing */
function timing(results, { rounds, walls, measure }) {
  if (rounds > 1) {
    const failed = results.map(({ arm }, index) => ({ arm, count: rounds - (walls[index] ?? []).length }));
    const sentences = failed.filter(({ count }) => count > 0).map(({ arm, count }) => say("failedIn", { arm, count, rounds }));
    return element("p", { class: "small" }, [...sentences, say("rounds", { count: rounds })].join(" "));
  }
  const times = walls.flat();
  const count = roundsFor(results.length);
  const seconds = (count * times.reduce((sum, wall) => sum + wall, 0)) / 1000;
  const about = { count, seconds: number(seconds, seconds < 10 ? 1 : 0) };
  return element(
    "div",
    { class: "timing" },
    element("p", { class: "small" }, say("oneRun")),
    times.length === results.length &&
      element("button", { class: "plain", type: "button", onclick: () => measure(count) }, say("measure", about)),
  );
}

/** The fewest rounds whose intervals hold 95 % for all arms together: 2 (arms - 1) / 2^rounds is at most 0.05. @param {number} arms */
const roundsFor = (arms) => Math.ceil(Math.log2(40 * (arms - 1)));

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
