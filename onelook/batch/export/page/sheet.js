/** The page: filters, pictures and details together. */

function update() {
  byId("most").value = percent(Number(byId("confidence").value) / 100);
  showPictures(chosen());
  byId("count").textContent = say("count", { shown: number(shown.length), all: number(PICTURES.length) });
}

function drawAll() {
  sayAll();
  const count = (status) => number(PICTURES.filter((each) => each.status === status).length);
  const title = say("title", { name: BATCH.name, version: BATCH.version });
  document.title = `${title} · onelook`;
  byId("title").textContent = title;
  byId("about").textContent = say("about", {
    model: BATCH.model, failed: count("failed"), review: count("needs_review"), todo: count("todo"),
  });
  drawFilters();
  update();
}

function savePaths() {
  const list = new Blob(shown.map((each) => `${each.path}\n`), { type: "text/plain" });
  const link = element("a", { href: URL.createObjectURL(list), download: "paths.txt" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

byId("filters").addEventListener("input", (event) => {
  if (event.target.id === "category") drawAttributes();
  update();
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", () =>
  setTimeout(() => {
    drawAttributes();
    update();
  }),
);
byId("save").addEventListener("click", savePaths);
grid.addEventListener("click", (event) => {
  const card = event.target.closest(".card");
  if (card) openDetails(Number(card.dataset.index));
});
grid.addEventListener("keydown", onKey);
grid.addEventListener("focusin", (event) => {
  const card = event.target.closest(".card");
  // A dialog that closes gives the focus back to the card that opened it, which may not be the one that it showed last.
  if (card && !viewing && Number(card.dataset.index) !== current) moveTo(Number(card.dataset.index));
});
browse(dialog, step);
dialog.addEventListener("close", () => {
  viewing = false;
  moveTo(current);
});
addEventListener("scroll", draw, { passive: true });
let known = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === known) draw();
  else relayout();
  known = innerWidth;
});
redraw.push(drawAll);
speak(language);
