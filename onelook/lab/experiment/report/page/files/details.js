/** One picture, with the answers of all arms beside its label. */

const dialog = byId("details");
let viewed = 0;

function openDetails(place) {
  viewed = place;
  drawDetails();
  if (!dialog.open) dialog.showModal();
}

function drawDetails() {
  const picture = shown[viewed];
  byId("details-title").textContent = picture.name;
  byId("close").textContent = say("close");
  byId("before").textContent = "←";
  byId("after").textContent = "→";
  byId("before").disabled = viewed === 0;
  byId("after").disabled = viewed === shown.length - 1;
  const facts = [thumbnailBox(picture)];
  if (picture.cluster !== null) facts.push(element("p", { class: "small" }, `${say("cluster")}: ${picture.cluster}`));
  if (ABOUT.folder !== null && location.protocol === "file:" && typeof picture.thumbnail === "number") {
    const path = picture.name.split("/").map(encodeURIComponent).join("/");
    facts.push(element("a", { href: `${ABOUT.folder}/${path}`, target: "_blank", rel: "noreferrer noopener" }, say("original")));
  }
  byId("details-body").replaceChildren(element("div", {}, ...facts), answersOf(picture));
}

/** A row for the category and each attribute, a column for the label and each arm. */
function answersOf(picture) {
  const asked = picture.answers.map((answer, arm) => ({ answer, arm })).filter(({ answer }) => answer);
  const names = new Set([...Object.keys(picture.truth?.details ?? {}), ...asked.flatMap(({ answer }) => Object.keys(answer.details))]);
  const list = (values) => (values === undefined ? "–" : values.length ? values.join(", ") : say("nothing"));
  const cell = (text, confidence, right) =>
    element("td", { class: right === null ? null : right ? "right" : "wrong" }, text, confidence === undefined ? null : element("span", { class: "sure" }, ` ${percent(confidence)}`));
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const row = (name, truth, cells) =>
    element("tr", {}, element("th", { scope: "row" }, name), picture.truth ? element("td", {}, truth) : null, ...cells);
  const rows = [
    row(say("category"), picture.truth?.category, asked.map(({ answer }) =>
      cell(answer.category ?? say("failed"), answer.confidences.category, picture.truth && answer.category === picture.truth.category))),
    ...[...names].map((name) =>
      row(name, list(picture.truth?.details[name]), asked.map(({ answer }) => {
        const known = picture.truth?.details[name];
        return cell(list(answer.details[name]), answer.confidences[name], known === undefined ? null : same(answer.details[name], known) && answer.category === picture.truth.category);
      }))),
    row(say("latency"), "", asked.map(({ answer }) => cell(`${number(answer.latency)} ms`, undefined, null))),
    row(say("status"), "", asked.map(({ answer }) => cell([say(answer.status), ...answer.errors].join("; "), undefined, null))),
  ];
  const head = [say("attribute"), ...(picture.truth ? [say("label")] : []), ...asked.map(({ arm }) => ABOUT.arms[arm])];
  return element(
    "div",
    { class: "wide", tabindex: 0, role: "group", "aria-labelledby": "details-title" },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...head.map((each) => element("th", { scope: "col" }, each)))),
      element("tbody", {}, ...rows),
    ),
  );
}

function step(by) {
  if (viewed + by < 0 || viewed + by >= shown.length) return;
  viewed += by;
  drawDetails();
}

browse(dialog, step);
dialog.addEventListener("close", () => {
  if (viewed < chosen.from || viewed >= chosen.from + PAGE) turn(Math.floor(viewed / PAGE) * PAGE);
  byId("cards").querySelector(`.card[data-place="${viewed}"]`)?.focus();
});
redraw.push(() => {
  if (dialog.open) drawDetails();
});
speak(language);
