/** The page: the input on the left, the results on the right, and their state. */

import { leaveAlbum, showAlbum, translateAlbum } from "./album.js";
import { comparison, empty, looking } from "./answer.js";
import * as api from "./api.js";
import { Choices } from "./choices.js";
import { byId, sentence } from "./dom.js";
import { known, ms, number, say, sayAll, setLanguage } from "./language.js";
import { PictureField } from "./picture.js";
import { problemCard } from "./problem.js";

const TICK_MS = 100;

/** What was asked about which picture. @typedef {{ blob: Blob, name: string, truth: any, arms: string[], context: Record<string, string> }} Asked */

/** @type {{ taxonomy: any, choices: Choices | null, model: string, note: any, problem: api.Problem | null, asking: AbortController | null,
 *   answer: { asked: Asked, arms: any[], ratios: any[], rounds: number } | null }} */
const state = { taxonomy: null, choices: null, model: "", note: {}, problem: null, asking: null, answer: null };

const answer = byId("answer");
const shown = byId("shown");
const said = byId("said");
const look = byId("look");
const cancel = byId("cancel");

/** A result belongs to its picture: a new picture removes it and cancels the run. */
const picture = new PictureField(({ truth }) => {
  if (!truth) leaveAlbum();
  state.asking?.abort();
  state.answer = null;
  if (state.choices) state.problem = null;
  showProblem();
  if (!state.asking) showAnswer();
});

function translate() {
  sayAll();
  translateAlbum();
  picture.translate();
  state.choices?.followLanguage();
  nameButton();
  nameModel();
  showNote();
  showProblem();
  if (!state.asking) showAnswer();
}

/** Also after a change of the arms. */
function nameButton() {
  const count = state.choices?.chosenArms().length ?? 0;
  look.textContent = count > 1 ? say("compare", { count }) : say("look");
  byId("arms-note").textContent = "";
}

/** Shows the name of a folder, without its path. */
function nameModel() {
  const model = state.model.startsWith("/") ? state.model.split("/").at(-1) : state.model;
  byId("model").textContent = model ? say("model", { model }) : "";
}

/** Shows the server's note about its model, in the page's language if the page has words for its kind. */
function showNote() {
  const { note, note_kind: kind } = state.note;
  const translated = known(`note.${kind}`);
  const place = byId("note");
  place.replaceChildren(sentence(translated ? say(`note.${kind}`) : (note ?? "")));
  place.toggleAttribute("lang", !translated);
  if (!translated) place.lang = "en"; // what is left is the server's own
  place.hidden = !note;
}

function showProblem() {
  byId("problem").replaceChildren(...(state.problem ? [problemCard(state.problem, retryWithKey)] : []));
}

function showAnswer() {
  const { answer, taxonomy } = state;
  if (answer) {
    const { asked, arms, ratios, rounds } = answer;
    const threshold = Number(asked.context["confidence_threshold"] ?? 0);
    const measure = (/** @type {number} */ count) => void ask(asked, count);
    const timing = { rounds, walls: arms.map(({ wall_ms }) => wall_ms), ratios, measure };
    const results = arms.map(({ result }) => result);
    shown.replaceChildren(comparison(results, { taxonomy, truth: asked.truth, threshold, timing }));
  } else shown.replaceChildren(state.problem ? "" : empty());
}

/** @param {unknown} error a bug is thrown again, for the console */
function fail(error) {
  if (!(error instanceof api.Problem)) throw error;
  state.problem = error;
  showProblem();
  if (!state.asking) showAnswer();
}

/** @param {string} key */
function retryWithKey(key) {
  api.useKey(key);
  state.problem = null;
  showProblem();
  if (state.choices) void submit();
  else void start();
}

async function start() {
  try {
    const [taxonomy, options, samples] = await Promise.all([api.taxonomy(), api.options(), api.samples()]);
    state.problem = null;
    showProblem();
    state.taxonomy = taxonomy;
    state.choices = new Choices(byId("arms"), byId("fields"), options, nameButton);
    state.model = options.model;
    nameModel();
    state.note = options;
    showNote();
    showAlbum(samples, (one) => picture.takeWhenLoaded(one, fail), fail);
    nameButton();
  } catch (error) {
    fail(error);
  }
}

/** The first invalid field, with its message. @param {Choices} choices */
function lacking(choices) {
  if (!picture.picture) {
    picture.say(() => say("noPicture"));
    return byId("file");
  }
  if (!choices.chosenArms().length) {
    byId("arms-note").textContent = say("noArm");
    return choices.arms[0];
  }
  return Object.values(choices.inputs).find((input) => !input.checkValidity());
}

/** The form's question, or what it lacks. */
async function submit() {
  if (picture.loading && !(await picture.loading)) return; // a problem is shown, or another picture was chosen
  if (state.asking) return;
  if (!state.choices) return start(); // the first attempt failed; try again
  const lack = lacking(state.choices);
  if (lack) return pointAt(lack);
  const { blob, name, truth } = /** @type {import("./picture.js").Picture} */ (picture.picture);
  state.answer = null;
  await ask({ blob, name, truth, arms: state.choices.chosenArms(), context: state.choices.context() });
}

/** @param {Asked} asked @param {number} rounds how often each arm is asked; an answer that is there stays if this fails */
async function ask(asked, rounds = 1) {
  const asking = new AbortController();
  Object.assign(state, { asking, problem: null });
  showProblem();
  const stop = showLooking(asked.arms);
  try {
    const { arms, time_ratios: ratios } = await api.compare(asked, rounds, asking.signal);
    state.answer = { asked, arms, ratios, rounds };
    said.textContent = arms.map((/** @type {any} */ { result }) => spoken(result)).join(" ");
  } catch (error) {
    said.textContent = asking.signal.aborted ? say("cancelled") : ""; // an error is in the alert
    if (!asking.signal.aborted) fail(error);
  } finally {
    state.asking = null;
    stop();
    showAnswer();
    if (answer.getBoundingClientRect().top > innerHeight / 2) answer.scrollIntoView();
  }
}

/** @param {HTMLInputElement} field */
function pointAt(field) {
  const folded = field.closest("details");
  if (folded) folded.open = true;
  field.focus();
  field.reportValidity();
}

/** @param {any} result */
function spoken({ arm, status, category, ledger }) {
  const outcome = [say(`status.${status}`), category?.label].filter(Boolean).join(", ");
  return say("answered", { arm, outcome, ms: ms(ledger.wall_ms) });
}

/** Busy until the returned function is called. @param {string[]} arms */
function showLooking(arms) {
  const began = performance.now();
  const draw = () => {
    const seconds = say("seconds", { seconds: number((performance.now() - began) / 1000, 1) });
    cancel.textContent = `${say("cancel")} (${seconds})`;
  };
  shown.replaceChildren(looking(arms));
  if (answer.getBoundingClientRect().top < 0) answer.scrollIntoView();
  draw();
  const timer = setInterval(draw, TICK_MS);
  said.textContent = shown.querySelector("p")?.textContent ?? "";
  const held = document.activeElement === look;
  answer.setAttribute("aria-busy", "true");
  look.hidden = true;
  cancel.hidden = false;
  if (held) cancel.focus();
  return () => {
    clearInterval(timer);
    const back = document.activeElement === cancel;
    answer.removeAttribute("aria-busy");
    look.hidden = false;
    cancel.hidden = true;
    if (back) look.focus();
  };
}

byId("ask").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  void submit();
});
cancel.addEventListener("click", () => state.asking?.abort());
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") state.asking?.abort();
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    setLanguage(/** @type {any} */ (button.getAttribute("data-language")));
    translate();
  });
}

translate();
void start();
