/** The language of the page: the user's choice, or the browser's language, or English. */

import { forGood, recall, remember } from "./memory.js";
import en from "./words.en.js";
import zh from "./words.zh.js";

/** @typedef {"zh" | "en"} Language */
/** @type {Record<Language, Record<string, string>>} */
const WORDS = { en, zh };
const LOCALES = { en: "en", zh: "zh-CN" };
const REMEMBERED = "onelook-language";

/** @type {Language} */
let current = remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** @returns {Language | null} */
function remembered() {
  const name = recall(forGood, REMEMBERED);
  return name === "zh" || name === "en" ? name : null;
}

export const language = () => current;
export const locale = () => LOCALES[current];

/** @param {Language} name */
export function setLanguage(name) {
  current = name;
  remember(forGood, REMEMBERED, name);
}

/** Whether there are words for this key. @param {string} key */
export const known = (key) => key in WORDS[current];

/**
 * The words for `key`, with `{name}` replaced by the value of that name.
 * @param {string} key @param {Record<string, string | number>} values
 */
export function say(key, values = {}) {
  return (WORDS[current][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** The label of a taxonomy entry, in the page's language if the taxonomy has it. @param {Partial<Record<Language, string>>} label */
export const labelOf = (label) => label[current] ?? Object.values(label)[0] ?? "";

/** Write the words into the page's fixed text. */
export function sayAll() {
  document.documentElement.lang = locale();
  for (const place of document.querySelectorAll("[data-say]"))
    place.textContent = say(place.getAttribute("data-say") ?? "");
  for (const place of document.querySelectorAll("[data-say-label]")) {
    place.setAttribute("aria-label", say(place.getAttribute("data-say-label") ?? ""));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-language") === current));
  }
}

/** @param {number} value @param {number} digits */
export function number(value, digits = 0) {
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Milliseconds in the format of the terminal. @param {number} value */
export const ms = (value) => number(value, 1);

/** A probability; 99.99 % is not 100 %. @param {number} value */
export function percent(value) {
  const digits = value > 0.995 && value < 1 ? 1 : 0;
  const shown = Math.floor(value * 100 * 10 ** digits) / 10 ** digits;
  return `${number(digits ? shown : Math.round(value * 100), digits)}%`;
}

/** A list in words: "a, b and c". @param {string[]} items */
export const list = (items) => new Intl.ListFormat(locale()).format(items);
