/** A result to take along: copied, or downloaded, as the API's JSON. */

import { element } from "./dom.js";
import { say } from "./language.js";

/** @param {any} result a TagResult */
export function takeAlong(result) {
  const text = () => `${JSON.stringify(result, null, 2)}\n`;
  const done = element("span", { class: "small", role: "status" });
  const copy = async () => {
    done.textContent = say((await copied(text())) ? "copied" : "notCopied");
  };
  return element(
    "p",
    { class: "take" },
    element("button", { class: "plain", type: "button", onclick: copy }, say("copy")),
    element("button", { class: "plain", type: "button", onclick: () => download(text(), fileName(result)) }, say("download")),
    done,
  );
}

/** @param {any} result */
function fileName({ source, arm }) {
  const stem = String(source ?? "picture").replace(/\.\w+$/, "");
  return `${stem.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80)}.${arm}.json`;
}

/** @param {string} text @param {string} name */
function download(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = /** @type {HTMLAnchorElement} */ (element("a", { href: address, download: name }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(address));
}

/** Browsers offer the clipboard on https and on this machine only; elsewhere a selection is copied. @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedFromSelection(text);
  }
}

/** @param {string} text */
function copiedFromSelection(text) {
  const before = document.activeElement;
  const field = /** @type {HTMLTextAreaElement} */ (element("textarea", { class: "unseen", "aria-hidden": "true" }));
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
