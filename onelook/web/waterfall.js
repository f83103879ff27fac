/** The arms' ledgers on one time axis, with their tokens and forward passes. */

import { hints } from "./bars.js";
import { element, unseen } from "./dom.js";
import { ms, number, say } from "./language.js";
import { KINDS, rows, scheduling, ticks, totals, wallOf, whole } from "./ledger.js";

/** @typedef {import("./ledger.js").Stretch} Stretch */

const COUNTS = [
  "prompt_tokens",
  "cached_tokens",
  "image_tokens",
  "completion_tokens",
  "forced_tokens",
  "prefill_passes",
  "decode_passes",
  "encoded_images",
  "reused_images",
];

/** @param {any[]} results one TagResult an arm */
export function waterfall(results) {
  const end = Math.max(...results.map((result) => wallOf(result.ledger)));
  const chart = element(
    "div",
    { class: "chart", role: "group", "aria-label": `${say("time")}. ${say("timeHelp")}` },
    axis(end),
    ...results.map((result) => lane(result, end, results)),
  );
  hints(chart);
  return element(
    "section",
    { class: "panel time", "aria-label": say("time") },
    element("h2", {}, say("time")),
    legend(results),
    chart,
    numbers(results),
  );
}

/** @param {any[]} results */
const kindsOf = (results) => KINDS.filter((kind) => results.some((result) => totals(result.ledger).has(kind)));

/** @param {any[]} results */
function legend(results) {
  return element(
    "ul",
    { class: "legend" },
    ...kindsOf(results).map((kind) =>
      element("li", {}, element("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), say(`kind.${kind}`)),
    ),
  );
}

/** @param {number} end */
function axis(end) {
  const marks = ticks(end).map((at) =>
    element("span", { style: { "--at": `${(at / end) * 100}%` } }, number(at, at && at < 1 ? 1 : 0)),
  );
  return element(
    "div",
    { class: "axis", "aria-hidden": "true" },
    element("span", { class: "unit" }, "ms"),
    element("div", {}, ...marks),
  );
}

/** @param {any} result @param {number} end @param {any[]} results */
function lane(result, end, results) {
  const { ledger } = result;
  const gaps = scheduling(ledger);
  return element(
    "section",
    { class: "lane", "data-arm": result.arm, "aria-label": result.arm },
    element(
      "div",
      { class: "steps" },
      element(
        "div",
        { class: "gridlines", "aria-hidden": "true" },
        ...ticks(end).map((at) => element("span", { style: { "--at": `${(at / end) * 100}%` } })),
      ),
      step(element("h3", { class: "arm-name" }, result.arm), whole(ledger), wallOf(ledger), end, "sum", false),
      ...rows(ledger).map((row) =>
        step(element("span", {}, row.name, note(row)), row.stretches, lengthOf(row.stretches), end),
      ),
      gaps.length > 0 && step(element("span", {}, say("kind.scheduling")), gaps, lengthOf(gaps), end),
    ),
    tokens(result.usage, results),
  );
}

/** @param {import("./ledger.js").Row} row */
function note(row) {
  const words = row.cached ? say("kept") : row.attempts > 1 ? say("attempts", { count: row.attempts }) : "";
  return words && element("small", {}, ` ${words}`);
}

/** @param {Stretch[]} stretches */
const lengthOf = (stretches) => stretches.reduce((sum, { from, to }) => sum + (to - from), 0);

/**
 * One row of the chart: name, bars, duration. The bars of the total repeat those below it, so they are hidden from screen readers.
 * @param {Node} name @param {Stretch[]} stretches @param {number} duration @param {number} end
 */
function step(name, stretches, duration, end, kind = "", spoken = true) {
  return element(
    "div",
    { class: `step ${kind}` },
    element("div", { class: "what" }, name),
    element("div", { class: "track" }, ...stretches.map((stretch) => bar(stretch, end, spoken))),
    element("div", { class: "number" }, ms(duration), unseen(` ${say("milliseconds")}`)),
  );
}

/** @param {Stretch} stretch @param {number} end @param {boolean} spoken */
function bar({ kind, from, to }, end, spoken) {
  const words = say("bar", { kind: say(`kind.${kind}`), ms: ms(to - from), from: ms(from), to: ms(to) });
  return element("span", {
    class: `bar ${kind}`,
    style: { "--from": `${(from / end) * 100}%`, "--size": `${((to - from) / end) * 100}%` },
    "data-hint": words,
    ...(spoken ? { role: "img", "aria-label": words } : { "aria-hidden": "true" }),
  });
}

/** Counts of tokens and passes, compared with those of the other arms. @param {any} usage @param {any[]} results */
function tokens(usage, results) {
  const list = element("dl", {});
  for (const name of COUNTS) {
    const most = Math.max(...results.map((result) => result.usage[name] ?? 0));
    const count = usage[name];
    list.append(
      element("dt", {}, say(`tokens.${name}`)),
      element(
        "dd",
        { "data-tokens": name },
        element("span", { class: "number" }, count === null ? "–" : number(count)),
        element("span", {
          class: "amount",
          "aria-hidden": "true",
          style: { "--size": `${most ? ((count ?? 0) / most) * 100 : 0}%` },
        }),
      ),
    );
  }
  return element("div", { class: "tokens" }, element("h4", {}, say("tokens")), list);
}

/** The same figures as a table. @param {any[]} results */
function numbers(results) {
  const sums = results.map((result) => totals(result.ledger));
  const head = element("tr", {}, element("th", { scope: "col" }, say("part")));
  for (const result of results) head.append(element("th", { scope: "col", class: "number" }, result.arm));
  const body = element("tbody", {});
  for (const kind of kindsOf(results)) {
    const line = element("tr", { "data-kind": kind }, element("th", { scope: "row" }, say(`kind.${kind}`)));
    for (const sum of sums)
      line.append(element("td", { class: "number" }, sum.has(kind) ? ms(sum.get(kind) ?? 0) : "–"));
    body.append(line);
  }
  const foot = element("tr", { "data-kind": "wall" }, element("th", { scope: "row" }, say("wall")));
  for (const result of results) foot.append(element("td", { class: "number" }, ms(wallOf(result.ledger))));
  return element(
    "details",
    { class: "numbers" },
    element("summary", {}, `${say("numbers")} (ms)`),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": say("numbers") },
      element("table", {}, element("thead", {}, head), body, element("tfoot", {}, foot)),
    ),
  );
}
