/** The result of one arm: its status with the reason, and each tag with its confidence. */

import { element, sentence, unseen } from "./dom.js";
import { known, labelOf, ms, percent, say } from "./language.js";
import { hint } from "./problem.js";
import { takeAlong } from "./result.js";

const MARKS = { ok: "✓", needs_review: "?", failed: "✗" };

/**
 * @typedef {{ category: string, details: Record<string, string[]> }} Truth
 * @typedef {{ taxonomy: any, truth: Truth | null, threshold: number, timing: import("./answer.js").Timing }} Setting what the results are compared with
 */

/** @param {any} result @param {Setting} setting */
export function card(result, setting) {
  return element(
    "article",
    { class: "panel card", "data-arm": result.arm, "aria-label": result.arm },
    element(
      "header",
      {},
      element("h3", { class: "arm-name" }, result.arm),
      status(result),
      result.ledger.wall_ms !== null && element("span", { class: "wall" }, `${ms(result.ledger.wall_ms)} ms`),
    ),
    ...why(result, setting),
    ...result.errors.map(failure),
    result.category && tags(result, setting),
    result.pictures?.length > 0 &&
      element("p", { class: "small seen" }, say("seenAt", { sizes: sizes(result.pictures) })),
    takeAlong(result),
  );
}

/** @param {any} result */
function status(result) {
  return element(
    "span",
    { class: `status ${result.status}` },
    element("span", { "aria-hidden": "true" }, MARKS[/** @type {keyof typeof MARKS} */ (result.status)]),
    say(`status.${result.status}`),
  );
}

/** Why the result needs review, and why there was a second pass. @param {any} result @param {Setting} setting */
function why(result, setting) {
  const { first_look: firstLook, escalation } = result;
  const reasons = [];
  if (result.status === "needs_review") reasons.push(doubt(result, setting));
  if (firstLook) {
    const { reason, pictures, category } = firstLook;
    reasons.push(
      say("lookedAgain", { sizes: sizes(pictures), reason: reasonWords(reason), category: categoryLabel(setting.taxonomy, category) }),
    );
  }
  if (escalation) {
    const { reason, model, category } = escalation;
    const first = categoryLabel(setting.taxonomy, category);
    reasons.push(say("escalated", { reason: reasonWords(reason), model: lastPart(model), category: first }));
  }
  return reasons.filter(Boolean).map((reason) => element("p", { class: "why" }, reason));
}

/** The server's reasons that have words here; another one is shown as it is. @type {[RegExp, string][]} */
const REASONS = [
  [/^the least sure label has (?<confidence>[\d.]+), below (?<threshold>[\d.]+)$/, "reason.unsure"],
  [/^the taxonomy marks (?<category>.+) for the specialist$/, "reason.marked"],
];

/** @param {string} reason */
function reasonWords(reason) {
  for (const [pattern, words] of REASONS) {
    const found = pattern.exec(reason);
    if (found) return say(words, found.groups);
  }
  return reason;
}

/** The lowest confidence of the chosen and of the absent labels. @param {any} result @param {Setting} setting */
function doubt(result, setting) {
  const chosen = [result.category, ...Object.values(result.details).flat()];
  const left = Object.values(result.absences ?? {}).flat();
  const least = [...chosen, ...left].reduce((one, other) =>
    (other.confidence ?? 0) < (one.confidence ?? 0) ? other : one,
  );
  if (least.confidence === null) return say("unknownConfidence");
  if (least.confidence >= setting.threshold) return ""; // confident, but a second pass was due and failed: its error is shown
  return say(left.includes(least) ? "absenceUnsure" : "leastSure", {
    label: tagLabel(setting.taxonomy, result, least),
    confidence: percent(least.confidence),
    threshold: percent(setting.threshold),
  });
}

/** @param {any[]} pictures as sent to the model */
const sizes = (pictures) => pictures.map(({ width, height }) => `${width} × ${height}`).join(", ");

/** Shows the name of a model's folder, without its path. @param {string} model */
const lastPart = (model) => model.split("/").at(-1) ?? model;

/** @param {any} error an ErrorRecord */
function failure(error) {
  const title = `error.${error.kind}`;
  return element(
    "div",
    { class: "failure" },
    element("strong", {}, say(known(title) ? title : "error.other")),
    element("p", {}, sentence(error.message)),
    error.hint && hint(error.hint),
  );
}

/** @param {any} taxonomy @param {any} category a Tag */
function categoryLabel(taxonomy, category) {
  const entry = taxonomy.categories[category.id];
  return entry ? labelOf(entry.label) : category.label;
}

/** @param {any} taxonomy @param {any} result @param {any} tag one of the result's */
function tagLabel(taxonomy, result, tag) {
  if (tag === result.category) return categoryLabel(taxonomy, tag);
  const places = [...Object.entries(result.details), ...Object.entries(result.absences ?? {})];
  const attribute = places.find(([, tags]) => tags.includes(tag))?.[0] ?? "";
  return optionLabel(taxonomy, result.category.id, attribute, tag.id) ?? tag.label;
}

/** @param {any} taxonomy @param {string} category @param {string} attribute @param {string} option */
export function optionLabel(taxonomy, category, attribute, option) {
  const label = taxonomy.categories[category]?.details[attribute]?.options[option];
  return label && labelOf(label);
}

/** @param {any} taxonomy @param {string} category @param {string} attribute */
export function attributeLabel(taxonomy, category, attribute) {
  const entry = taxonomy.categories[category]?.details[attribute];
  return entry ? labelOf(entry.label) : attribute;
}

/** @param {any} result @param {Setting} setting */
function tags(result, { taxonomy, truth, threshold }) {
  const { category } = result;
  const list = element("dl", { class: "tags" });
  const verdict = truth && (truth.category === category.id ? "right" : "wrong");
  list.append(
    element("dt", { class: "unseen" }, say("category")),
    line(categoryLabel(taxonomy, category), category.confidence, threshold, verdict, "category"),
  );
  for (const [attribute, chosen] of Object.entries(result.details)) {
    const right = truth?.category === category.id ? (truth?.details[attribute] ?? []) : null;
    const missed = (right ?? []).filter((id) => !chosen.some((/** @type {any} */ tag) => tag.id === id));
    const name = (/** @type {string} */ id) => optionLabel(taxonomy, category.id, attribute, id) ?? id;
    list.append(
      element("dt", {}, attributeLabel(taxonomy, category.id, attribute)),
      ...chosen.map((/** @type {any} */ tag) =>
        line(name(tag.id), tag.confidence, threshold, right && (right.includes(tag.id) ? "right" : "wrong")),
      ),
      ...missed.map((id) => missedLine(name(id))),
    );
    if (!chosen.length && !missed.length) list.append(element("dd", { class: "nothing" }, say("nothing")));
  }
  return list;
}

/** @param {"right" | "wrong"} verdict */
function mark(verdict) {
  const sign = { right: "✓", wrong: "✗" }[verdict];
  return element(
    "span",
    { class: `mark ${verdict}` },
    element("span", { "aria-hidden": "true" }, sign),
    unseen(`${say(verdict)} `),
  );
}

/** A tag of the truth that is not in the answer. @param {string} label */
function missedLine(label) {
  return element(
    "dd",
    { class: "missed" },
    element("span", { class: "label" }, element("span", { class: "mark", "aria-hidden": "true" }, "○"), label),
    element("span", { class: "verdict-word" }, say("missed")),
  );
}

/**
 * One tag: its words, a bar with the threshold on it, and the probability.
 * @param {string} label @param {number | null} confidence @param {number} threshold
 * @param {"right" | "wrong" | null} verdict @param {string} kind
 */
function line(label, confidence, threshold, verdict, kind = "") {
  const sure = confidence ?? 0;
  return element(
    "dd",
    { class: `tag ${kind} ${sure < threshold ? "unsure" : ""}` },
    element("span", { class: "label" }, verdict && mark(verdict), label),
    element(
      "span",
      {
        class: "meter",
        "aria-hidden": "true",
        style: { "--sure": `${sure * 100}%`, "--threshold": `${threshold * 100}%` },
      },
      element("span", { class: "filled" }),
      element("span", { class: "line" }),
    ),
    element("span", { class: "number" }, confidence === null ? say("unknown") : percent(confidence)),
  );
}
