/** One picture with all that is known of it. */

const dialog = byId("details");
let viewing = false;

function openDetails(index) {
  moveTo(index);
  drawDetails();
  viewing = true;
  if (!dialog.open) dialog.showModal();
}

function drawDetails() {
  const picture = shown[current];
  const category = categoryOf(picture);
  byId("details-title").textContent = nameOf(picture);
  const facts = [[say("status"), element("span", { class: picture.status }, say(`status.${picture.status}`))]];
  if (category !== null) {
    facts.push([say("category"), withConfidence(labelOf(category), picture.confidence)]);
    for (const attribute of category.attributes) {
      const tags = tagsOf(picture).filter((tag) => tag.attribute === attribute);
      const words = tags.map((tag) => withConfidence(labelOf(tag.option), tag.confidence));
      if (picture.status !== "failed") facts.push([labelOf(attribute), ...(words.length ? words : [say("nothing")])]);
    }
  }
  if (picture.duplicateOf !== null) facts.push([say("duplicateOf"), picture.duplicateOf]);
  if (picture.errors.length) facts.push([say("errors"), ...picture.errors]);
  facts.push([say("file"), picture.path]);
  const list = element("dl");
  for (const [term, ...values] of facts)
    list.append(element("dt", {}, term), element("dd", {}, ...values.map((each) => element("div", {}, each))));
  if (picture.uri !== null) {
    const link = element("a", { href: picture.uri, target: "_blank", rel: "noreferrer noopener" }, say("original"));
    list.append(element("dt"), element("dd", {}, link));
  }
  byId("details-body").replaceChildren(thumbnailBox(picture), list);
  byId("before").disabled = current === 0;
  byId("after").disabled = current === shown.length - 1;
}

const withConfidence = (label, confidence) =>
  `${label} ${confidence === null ? `(${say("unknown")})` : percent(confidence)}`;

function step(by) {
  if (current + by < 0 || current + by >= shown.length) return;
  const focused = document.activeElement;
  moveTo(current + by);
  focused.focus();
  drawDetails();
}
