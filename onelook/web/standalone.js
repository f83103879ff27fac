/** What the scripts of pages share that are one file each: language, numbers, elements, and the dialog of a picture. */

const root = document.documentElement;
const LOCALES = { en: "en", zh: "zh-CN" };
/** That which the page's writer chose, else that of the browser; a button changes it. */
let language = root.dataset.language ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
/** What must be drawn again in another language. */
const redraw = [];

function speak(chosen) {
  language = chosen;
  root.lang = LOCALES[chosen];
  for (const button of document.querySelectorAll(".languages button"))
    button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  for (const draw of redraw) draw();
}

for (const button of document.querySelectorAll(".languages button"))
  button.addEventListener("click", () => speak(button.dataset.language));

/** The words of the page, `WORDS`, by language and key; `{name}` in them is replaced by a value. */
const say = (key, values = {}) => WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

const number = (value) => value.toLocaleString(LOCALES[language]);

/** 99.96 % is not 100 %. */
function percent(value) {
  if (value === null || value === undefined) return "–";
  const digits = value > 0.995 && value < 1 ? 1 : 0;
  const shown = digits ? Math.floor(value * 1000) / 10 : Math.round(value * 100);
  return `${shown.toLocaleString(LOCALES[language], { minimumFractionDigits: digits })}%`;
}

const byId = (id) => document.getElementById(id);

/** Creates an element without markup in strings. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** The buttons and arrow keys of a dialog that shows one picture; `step` goes on by 1 or back by -1. */
function browse(dialog, step) {
  byId("close").addEventListener("click", () => dialog.close());
  byId("before").addEventListener("click", () => step(-1));
  byId("after").addEventListener("click", () => step(1));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
}
