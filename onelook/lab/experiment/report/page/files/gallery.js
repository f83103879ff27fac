/** The pictures, and what two arms made of each. All text of the data is written as text, never as markup. */

const read = (name) => JSON.parse(byId(`data-${name}`).textContent);
const ABOUT = read("about");
const THUMBNAILS = read("thumbnails");
const PICTURES = read("pictures").map(([name, cluster, thumbnail, truth, answers], index) => ({
  index,
  name,
  cluster,
  thumbnail,
  truth: truth && { category: truth[0], details: truth[1] },
  answers: answers.map(
    (each) =>
      each && {
        status: each[0], category: each[1], details: each[2], confidences: each[3], least: each[4],
        latency: each[5], errors: each[6], right: each[7],
      },
  ),
}));
const PAGE = 48;
const OUTCOMES = ["won", "lost", "both_wrong", "both_right", "unlabelled", "unasked"];
const AGREEMENT = ["other", "same", "unasked"];
const LABELLED = ABOUT.metrics.length > 0;

/** What is chosen; `from`: the first picture of the page that is shown. */
const initial = () => ({
  arm: ABOUT.arms.length > 1 ? 1 : 0, against: 0, metric: 0, outcome: "", category: "", confidence: 100, path: "",
  order: "outcome", from: 0,
});
let chosen = initial();
let shown = [];

const spelled = (answer) => (answer && answer.status !== "failed" ? JSON.stringify([answer.category, answer.details]) : null);

/** Of the chosen pair of arms: won is right where `against` is wrong. */
function outcomeOf(picture) {
  const [ours, theirs] = [picture.answers[chosen.arm], picture.answers[chosen.against]];
  if (!ours || !theirs) return "unasked";
  if (!LABELLED) return spelled(ours) === spelled(theirs) ? "same" : "other";
  const [one, other] = [ours.right[chosen.metric], theirs.right[chosen.metric]];
  if (one === null || other === null) return "unlabelled";
  return one ? (other ? "both_right" : "won") : other ? "lost" : "both_wrong";
}

const categoryOf = (picture) => picture.truth?.category ?? picture.answers[chosen.arm]?.category ?? null;

function select(id, value, entries) {
  const made = element("select", { id }, ...entries.map(([key, text]) => element("option", { value: key }, text)));
  made.value = String(value);
  return element("label", { for: id }, element("span", {}, say(id)), made);
}

/** Written anew in another language; what is chosen stays chosen. */
function drawFilters() {
  const arms = ABOUT.arms.map((name, index) => [String(index), name]);
  const any = ["", say("any")];
  const range = element("input", { id: "confidence", type: "range", min: 1, max: 100, value: chosen.confidence });
  const path = element("input", { id: "path", type: "search", autocomplete: "off", spellcheck: "false", value: chosen.path });
  const metrics = ABOUT.metrics.map((each, index) => [String(index), each[language]]);
  byId("filters").replaceChildren(
    select("outcome", chosen.outcome, [any, ...(LABELLED ? OUTCOMES : AGREEMENT).map((each) => [each, say(each)])]),
    select("arm", chosen.arm, arms),
    select("against", chosen.against, arms),
    ...(LABELLED ? [select("metric", chosen.metric, metrics)] : []),
    select("category", chosen.category, [any, ...ABOUT.categories.map((each) => [each, each])]),
    element("label", { for: "confidence" }, element("span", {}, `${say("confidence")} `, element("output", { for: "confidence" })), range),
    element("label", { for: "path" }, element("span", {}, say("path")), path),
    select("order", chosen.order, ["outcome", "unsure", "told"].map((each) => [each, say(`order.${each}`)])),
    element("button", { type: "reset" }, say("reset")),
  );
}

function filter() {
  const path = chosen.path.toLowerCase();
  const most = chosen.confidence / 100;
  const least = (picture) => picture.answers[chosen.arm]?.least ?? 0;
  shown = PICTURES.filter(
    (each) =>
      (chosen.outcome === "" || outcomeOf(each) === chosen.outcome) &&
      (chosen.category === "" || categoryOf(each) === chosen.category) &&
      (most === 1 || least(each) <= most) &&
      (path === "" || each.name.toLowerCase().includes(path)),
  );
  const ranks = LABELLED ? OUTCOMES : AGREEMENT;
  const rank = new Map(shown.map((each) => [each, ranks.indexOf(outcomeOf(each))]));
  if (chosen.order === "outcome") shown.sort((a, b) => rank.get(a) - rank.get(b) || a.index - b.index);
  if (chosen.order === "unsure") shown.sort((a, b) => least(a) - least(b) || a.index - b.index);
  if (chosen.from >= shown.length) chosen.from = 0;
}

function tally() {
  const counts = Object.fromEntries(OUTCOMES.map((each) => [each, 0]));
  for (const each of shown) counts[outcomeOf(each)] += 1;
  const all = { shown: number(shown.length), all: number(PICTURES.length), ...counts };
  byId("count").textContent = say(LABELLED ? "count" : "countOnly", all);
}

function drawCards() {
  filter();
  tally();
  byId("filters").querySelector("output").textContent = percent(chosen.confidence / 100);
  byId("none").hidden = shown.length > 0;
  byId("none").textContent = say("none");
  const last = Math.min(chosen.from + PAGE, shown.length);
  const cards = [];
  for (let place = chosen.from; place < last; place++) cards.push(element("li", {}, cardOf(place)));
  byId("cards").replaceChildren(...cards);
  const before = element("button", { type: "button", "data-from": chosen.from - PAGE }, say("before"));
  const after = element("button", { type: "button", "data-from": chosen.from + PAGE }, say("after"));
  before.disabled = chosen.from === 0;
  after.disabled = last >= shown.length;
  const where = { from: number(chosen.from + 1), to: number(last), all: number(shown.length) };
  byId("pages").replaceChildren(...(shown.length > PAGE ? [before, element("span", { class: "small" }, say("page", where)), after] : []));
}

function thumbnailBox(picture) {
  const source = picture.thumbnail;
  const shows = typeof source === "number"
    ? element("img", { src: `data:image/webp;base64,${THUMBNAILS[source]}`, alt: "", decoding: "async" })
    : element("span", {}, say(source));
  return element("span", { class: "thumb" }, shows);
}

const words = (answer) => {
  if (!answer) return say("unasked");
  if (answer.status === "failed") return say("failed");
  const details = Object.values(answer.details).flat().map((each) => each.replaceAll("_", " "));
  return [answer.category, ...details].join(" · ");
};

/** One arm's answer in a line, marked right or wrong. */
function answerLine(picture, arm) {
  const answer = picture.answers[arm];
  const right = LABELLED && answer ? answer.right[chosen.metric] : null;
  const mark = right === null ? "·" : right ? "✓" : "✗";
  const state = right === null ? "" : right ? "right" : "wrong";
  return element(
    "span",
    { class: `answer ${state}` },
    element("span", { class: "sign", "aria-hidden": "true" }, mark),
    element("span", { class: "who" }, ABOUT.arms[arm]),
    element("span", { class: "sure" }, answer ? percent(answer.least) : ""),
    element("span", { class: "said" }, words(answer)),
    state ? element("span", { class: "unseen" }, `, ${say(state)}`) : null,
  );
}

function cardOf(place) {
  const picture = shown[place];
  const outcome = outcomeOf(picture);
  const truth = picture.truth && words({ ...picture.truth, status: "ok" });
  return element(
    "button",
    { type: "button", class: `card ${outcome}`, "data-place": place },
    thumbnailBox(picture),
    element("span", { class: `badge ${outcome}` }, say(outcome)),
    truth === null ? null : element("span", { class: "truth" }, element("span", { class: "who" }, say("label")), truth),
    answerLine(picture, chosen.arm),
    chosen.against === chosen.arm ? null : answerLine(picture, chosen.against),
    element("span", { class: "file" }, picture.name),
  );
}

function change(id, value) {
  chosen = { ...chosen, from: 0, [id]: ["arm", "against", "metric", "confidence"].includes(id) ? Number(value) : value };
  drawCards();
}

function turn(from, focus) {
  chosen.from = from;
  drawCards();
  byId("gallery").scrollIntoView({ block: "start" });
  (focus ?? byId("cards").querySelector(".card"))?.focus({ preventScroll: true });
}

/** Arrow keys go from card to card, by rows too; so do Home and End. */
function onKey(event) {
  const cards = [...byId("cards").querySelectorAll(".card")];
  const at = cards.indexOf(event.target);
  if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
  const top = cards[0].getBoundingClientRect().top;
  const columns = Math.max(1, cards.filter((each) => each.getBoundingClientRect().top === top).length);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: cards.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  cards[Math.min(Math.max(to, 0), cards.length - 1)].focus();
}

byId("filters").addEventListener("input", (event) => change(event.target.id, event.target.value));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", (event) => {
  event.preventDefault();
  chosen = initial();
  drawFilters();
  drawCards();
  byId("filters").querySelector("button").focus();
});
byId("pages").addEventListener("click", (event) => {
  const from = event.target.dataset?.from;
  if (from !== undefined) turn(Number(from));
});
byId("cards").addEventListener("click", (event) => {
  const card = event.target.closest(".card");
  if (card) openDetails(Number(card.dataset.place));
});
byId("cards").addEventListener("keydown", onKey);
redraw.push(() => {
  drawFilters();
  drawCards();
});
