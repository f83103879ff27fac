/** A run's ledger as intervals on a time axis, without DOM access. The intervals of a run add up to its wall time. */

/** @typedef {"prepare" | "turn" | "switch" | "throttle" | "queue" | "first_token" | "decode" | "engine" | "parse" | "other" | "scheduling"} Kind */
/** @typedef {{ kind: Kind, from: number, to: number }} Stretch milliseconds since the run began */
/** @typedef {{ name: string, attempts: number, cached: boolean, stretches: Stretch[] }} Row one node span */

/** In the order of the legend. @type {Kind[]} */
export const KINDS = [
  "prepare",
  "turn",
  "switch",
  "throttle",
  "queue",
  "first_token",
  "decode",
  "engine",
  "parse",
  "other",
  "scheduling",
];

/** The kind of a node's own time, outside of engine calls and other spans. @param {string} node @returns {Kind} */
const ownKind = (node) => (node === "prepare" || node === "parse" ? node : "other");

/** The phases of a call that an engine can report, in order. @type {Kind[]} */
const REPORTED = ["turn", "switch", "throttle", "queue", "first_token", "decode"];

/** The reported phases end with the call; the time before them is transport. @param {any} call @returns {Stretch[]} */
function engineStretches(call) {
  /** @type {(kind: Kind) => number} */
  const duration = (kind) => call.server?.[`${kind}_ms`] ?? 0;
  let position = call.end_ms - REPORTED.reduce((sum, kind) => sum + duration(kind), 0);
  /** @type {Stretch[]} */
  const stretches = [{ kind: "engine", from: call.start_ms, to: position }];
  for (const kind of REPORTED) {
    stretches.push({ kind, from: position, to: position + duration(kind) });
    position += duration(kind);
  }
  return stretches;
}

/** A node span without gaps: its spans, and its own time between them. @param {any} node @returns {Stretch[]} */
function nodeStretches(node) {
  const own = ownKind(node.name);
  /** @type {Stretch[]} */
  const stretches = [];
  let reached = node.start_ms;
  for (const span of node.spans) {
    stretches.push({ kind: own, from: reached, to: span.start_ms });
    if (span.name === "engine") stretches.push(...engineStretches(span));
    else stretches.push({ kind: span.name === "parse" ? "parse" : own, from: span.start_ms, to: span.end_ms });
    reached = span.end_ms;
  }
  stretches.push({ kind: own, from: reached, to: node.end_ms });
  return merged(stretches);
}

/** Removes empty intervals and merges neighbours of one kind. @param {Stretch[]} stretches @returns {Stretch[]} */
function merged(stretches) {
  /** @type {Stretch[]} */
  const kept = [];
  for (const stretch of stretches) {
    if (stretch.to <= stretch.from) continue;
    const last = kept.at(-1);
    if (last && last.kind === stretch.kind && last.to === stretch.from) last.to = stretch.to;
    else kept.push({ ...stretch });
  }
  return kept;
}

/** The run's whole time. @param {any} ledger @returns {number} */
export const wallOf = (ledger) =>
  ledger.wall_ms ?? Math.max(0, ...ledger.nodes.map((/** @type {any} */ node) => node.end_ms));

/** One row per node span, in order of time. @param {any} ledger @returns {Row[]} */
export function rows(ledger) {
  return [...ledger.nodes]
    .sort((one, other) => one.start_ms - other.start_ms)
    .map((node) => ({ name: node.name, attempts: node.attempts, cached: node.spans.some((/** @type {any} */ span) => span.cached), stretches: nodeStretches(node) }));
}

/** The gaps in which no node was active. @param {any} ledger @returns {Stretch[]} */
export function scheduling(ledger) {
  /** @type {Stretch[]} */
  const gaps = [];
  let reached = 0;
  for (const node of [...ledger.nodes].sort((one, other) => one.start_ms - other.start_ms)) {
    gaps.push({ kind: "scheduling", from: reached, to: node.start_ms });
    reached = Math.max(reached, node.end_ms);
  }
  gaps.push({ kind: "scheduling", from: reached, to: wallOf(ledger) });
  return merged(gaps);
}

/** All intervals of a run, in order of time. @param {any} ledger @returns {Stretch[]} */
export const whole = (ledger) =>
  [...rows(ledger).flatMap((row) => row.stretches), ...scheduling(ledger)].sort((one, other) => one.from - other.from);

/** Milliseconds of each kind that occurs. @param {any} ledger @returns {Map<Kind, number>} */
export function totals(ledger) {
  /** @type {Map<Kind, number>} */
  const sums = new Map();
  for (const { kind, from, to } of whole(ledger)) sums.set(kind, (sums.get(kind) ?? 0) + (to - from));
  return sums;
}

/** About five round numbers from 0 up to `end`. @param {number} end @returns {number[]} */
export function ticks(end) {
  if (!(end > 0)) return [0];
  const rough = end / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
}
