/** The batch: read from the data blocks of the page. What they hold is text, never markup. */

const BATCH = JSON.parse(byId("batch").textContent);
const PICTURES = JSON.parse(byId("rows").textContent).map(
  ([id, path, uri, status, category, confidence, least, tags, errors, duplicateOf, thumbnail], index) => ({
    index, id, path, uri, status, category, confidence, least, tags, errors, duplicateOf, thumbnail,
  }),
);

/** Thumbnails are parsed a block at a time, when the first of the block is shown. */
const parsed = new Map();

function thumbnailOf(picture) {
  if (picture.thumbnail === null) return null;
  const block = Math.floor(picture.thumbnail / BATCH.thumbnailsInBlock);
  if (!parsed.has(block)) parsed.set(block, JSON.parse(byId(`thumbnails-${block}`).textContent));
  const data = parsed.get(block)[picture.thumbnail % BATCH.thumbnailsInBlock];
  return data === null ? null : `data:image/webp;base64,${data}`;
}

const categoryOf = (picture) => (picture.category === null ? null : BATCH.categories[picture.category]);

/** The chosen options of a picture: attribute, option and confidence of each. */
function tagsOf(picture) {
  const category = categoryOf(picture);
  return picture.tags.map(([attribute, option, confidence]) => ({
    attribute: category.attributes[attribute],
    option: category.attributes[attribute].options[option],
    confidence,
  }));
}

const nameOf = (picture) => picture.path.replace(/[/\\]+$/, "").split(/[/\\]/).pop() || picture.path;

function thumbnailBox(picture) {
  const source = thumbnailOf(picture);
  const shown = source === null ? say("noThumbnail") : element("img", { src: source, alt: "", decoding: "async" });
  return element("div", { class: "thumb" }, shown);
}
