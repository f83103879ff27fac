/** The pictures that are in view, and no others: ten thousand cards would take seconds to lay out. */

const GAP = 10;
const ROWS_AROUND = 3;

const grid = byId("grid");
const cards = new Map();
let shown = [];
let current = 0;
let columns = 1;
let width = 0;
let height = 0;

/** Show `pictures`, from the first one. */
function showPictures(pictures) {
  shown = pictures;
  current = 0;
  byId("none").hidden = pictures.length > 0;
  relayout();
}

/** Measure again: another width of the window, another language, or other pictures. */
function relayout() {
  for (const card of cards.values()) card.remove();
  cards.clear();
  const narrow = matchMedia("(width < 640px)").matches;
  const whole = grid.clientWidth;
  columns = Math.max(1, Math.floor((whole + GAP) / ((narrow ? 150 : 190) + GAP)));
  width = (whole - GAP * (columns - 1)) / columns;
  height = (narrow ? 120 : 150) + 14 + 3 * 1.4 * parseFloat(getComputedStyle(document.documentElement).fontSize) + 4;
  grid.style.height = `${Math.ceil(shown.length / columns) * (height + GAP)}px`;
  draw();
}

function draw() {
  const top = grid.getBoundingClientRect().top;
  const row = height + GAP;
  const first = Math.max(0, (Math.floor(-top / row) - ROWS_AROUND) * columns);
  const last = Math.min(shown.length, (Math.ceil((innerHeight - top) / row) + ROWS_AROUND) * columns);
  for (const [index, card] of cards) {
    if ((index < first || index >= last) && index !== current) {
      card.remove();
      cards.delete(index);
    }
  }
  for (let index = first; index < last; index++) place(index);
  if (shown.length) place(current);
}

function place(index) {
  if (cards.has(index)) return;
  const card = element("li", { "aria-setsize": shown.length, "aria-posinset": index + 1 }, cardOf(index));
  card.style.width = `${width}px`;
  card.style.height = `${height}px`;
  card.style.transform = `translate(${(index % columns) * (width + GAP)}px, ${Math.floor(index / columns) * (height + GAP)}px)`;
  const after = [...cards.keys()].filter((each) => each > index).sort((a, b) => a - b)[0];
  grid.insertBefore(card, after === undefined ? null : cards.get(after)); // in reading order
  cards.set(index, card);
}

function cardOf(index) {
  const picture = shown[index];
  const category = categoryOf(picture);
  const title = category === null ? say("uncategorized") : labelOf(category);
  const sure = picture.status === "ok" ? picture.confidence : picture.least;
  const sureness = element("span", { class: "number" }, sure === null ? null : percent(sure));
  const badge = element("span", { class: picture.status }, say(`status.${picture.status}`));
  const words = tagsOf(picture).map((tag) => labelOf(tag.option)).join(" · ") || picture.errors[0] || "";
  const button = element(
    "button",
    { type: "button", class: "card", tabindex: index === current ? 0 : -1, "data-index": index },
    thumbnailBox(picture),
    element("span", { class: "line" }, element("strong", {}, title), picture.status === "ok" ? null : badge, sureness),
    element("span", { class: "line tags" }, element("span", {}, words)),
    element("span", { class: "line name" }, element("span", {}, nameOf(picture))),
  );
  return button;
}

/** Make the card `index` the one that Tab reaches, and move the focus to it. */
function moveTo(index) {
  if (!shown.length) return;
  const before = cards.get(current)?.firstChild;
  if (before) before.tabIndex = -1;
  current = Math.max(0, Math.min(shown.length - 1, index));
  const top = grid.getBoundingClientRect().top + Math.floor(current / columns) * (height + GAP);
  if (top < 0) scrollBy(0, top - GAP);
  else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + GAP);
  draw();
  const card = cards.get(current).firstChild;
  card.tabIndex = 0;
  card.focus({ preventScroll: true });
}

function onKey(event) {
  const page = columns * Math.max(1, Math.floor(innerHeight / (height + GAP)) - 1);
  const steps = {
    ArrowRight: current + 1,
    ArrowLeft: current - 1,
    ArrowDown: current + columns,
    ArrowUp: current - columns,
    PageDown: current + page,
    PageUp: current - page,
    Home: 0,
    End: shown.length - 1,
  };
  if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  moveTo(steps[event.key]);
}
