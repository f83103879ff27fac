/** The HTTP API as this page uses it. Every failure is a `Problem` (RFC 9457), including network errors. */

import { forTheTab, recall, remember } from "./memory.js";

const KEY = "onelook-key";

/** The bearer key of this tab, if the server needs one. */
let key = recall(forTheTab, KEY);

/** @typedef {{ field: string, message: string }} FieldError */

export class Problem extends Error {
  /** @param {{ status?: number, title?: string, kind?: string, detail?: string, hint?: string, errors?: FieldError[], retryAfter?: string | null }} said */
  constructor({ status = 0, title = "", kind = "", detail = "", hint = "", errors = [], retryAfter = null }) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.kind = kind;
    this.detail = detail;
    this.hint = hint;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }
}

/** @param {string} given a bearer key, kept as long as the tab */
export function useKey(given) {
  key = given;
  remember(forTheTab, KEY, given);
}

/**
 * @param {string} path
 * @param {RequestInit} init
 * @returns {Promise<Response>} one that is ok
 */
async function ask(path, init = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : undefined;
  let response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem({ status: 0 });
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem({ ...body, status: response.status, retryAfter: response.headers.get("Retry-After") });
}

/** @param {string} path */
const json = async (path) => (await ask(path)).json();

export const taxonomy = () => json("/v1/taxonomy");
export const options = () => json("/v1/options");
export const samples = () => json("/v1/samples");

/** @param {string} name */
export const sample = async (name) => {
  const response = await ask(`/v1/samples/${encodeURIComponent(name)}`);
  return response.blob().catch(() => Promise.reject(new Problem({ status: 0 }))); // it broke off
};

/**
 * One picture through several arms, each of them `rounds` times.
 * @param {{ blob: Blob, name: string, arms: string[], context: Record<string, string> }} asked
 * @param {number} rounds @param {AbortSignal} signal
 */
export async function compare({ blob, name, arms, context }, rounds, signal) {
  const form = new FormData();
  form.append("image", blob, name);
  for (const arm of arms) form.append("arms", arm);
  for (const [field, value] of Object.entries(context)) form.append(field, value);
  form.append("rounds", String(rounds));
  return (await ask("/v1/compare", { method: "POST", body: form, signal })).json();
}
