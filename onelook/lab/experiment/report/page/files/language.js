/** The page's language: that which its writer chose, else that of the browser; a button changes it. */

const root = document.documentElement;
const LOCALES = { en: "en", zh: "zh-CN" };
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
speak(language);
