/** Which pictures are shown, and in which order. */

const STATUSES = ["ok", "needs_review", "failed", "todo"];
const ORDERS = ["listed", "unsure", "path"];
const ANY = "";
const UNCATEGORIZED = "none";

function options(select, entries) {
  const chosen = select.value;
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
  select.value = entries.some(([value]) => value === chosen) ? chosen : entries[0][0];
}

/** Write the choices in the page's language; what is chosen stays chosen. */
function drawFilters() {
  options(byId("status"), [[ANY, say("any")], ...STATUSES.map((each) => [each, say(`status.${each}`)])]);
  options(byId("category"), [
    [ANY, say("any")],
    ...BATCH.categories.map((each) => [each.id, labelOf(each)]),
    [UNCATEGORIZED, say("uncategorized")],
  ]);
  options(byId("sort"), ORDERS.map((each) => [each, say(`sort.${each}`)]));
  drawAttributes();
}

/** A choice for each attribute of the chosen category. */
function drawAttributes() {
  const category = BATCH.categories.find((each) => each.id === byId("category").value);
  const kept = new Map([...byId("attributes").querySelectorAll("select")].map((each) => [each.name, each.value]));
  byId("attributes").replaceChildren(
    ...(category?.attributes ?? []).map((attribute) => {
      const name = `${category.id}.${attribute.id}`;
      const select = element("select", { name });
      options(select, [[ANY, say("any")], ...attribute.options.map((each) => [each.id, labelOf(each)])]);
      select.value = kept.get(name) ?? ANY;
      return element("label", {}, element("span", {}, labelOf(attribute)), select);
    }),
  );
}

function chosen() {
  const path = byId("path").value.toLowerCase();
  const status = byId("status").value;
  const category = byId("category").value;
  const most = Number(byId("confidence").value) / 100;
  const wanted = [...byId("attributes").querySelectorAll("select")]
    .filter((each) => each.value !== ANY)
    .map((each) => [each.name.split(".")[1], each.value]);

  const shown = PICTURES.filter(
    (picture) =>
      (status === ANY || picture.status === status) &&
      (category === ANY || (categoryOf(picture)?.id ?? UNCATEGORIZED) === category) &&
      (most === 1 || (picture.category !== null && (picture.least ?? 0) <= most)) &&
      (path === "" || picture.path.toLowerCase().includes(path)) &&
      (wanted.length === 0 || hasAll(picture, wanted)),
  );
  const order = byId("sort").value;
  if (order === "unsure") shown.sort((a, b) => (a.least ?? -1) - (b.least ?? -1) || a.index - b.index);
  if (order === "path") shown.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return shown;
}

function hasAll(picture, wanted) {
  const tags = tagsOf(picture);
  return wanted.every(([attribute, option]) =>
    tags.some((tag) => tag.attribute.id === attribute && tag.option.id === option),
  );
}
