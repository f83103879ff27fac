/** Thumbnails of a few labelled pictures. */

import { sample } from "./api.js";
import { byId, element } from "./dom.js";
import { say } from "./language.js";

const AT_ONCE = 12;

/** @typedef {{ name: string, truth: any }} Sample */

/** @param {Sample[]} samples @param {(picture: Promise<import("./picture.js").Picture>) => void} chosen @param {(error: unknown) => void} failed */
export function showAlbum(samples, chosen, failed) {
  const place = byId("samples");
  const more = byId("more-samples");
  let shown = 0;

  const showMore = () => {
    samples.slice(shown, shown + AT_ONCE).forEach((one, index) => place.append(thumbnail(one, shown + index + 1)));
    shown += AT_ONCE;
    more.hidden = shown >= samples.length;
    translateAlbum();
  };

  /** @param {Sample} one @param {number} number */
  const thumbnail = ({ name, truth }, number) => {
    const image = /** @type {HTMLImageElement} */ (element("img", { alt: "", width: 56, height: 56 }));
    const blob = sample(name);
    blob.then((data) => {
      image.src = URL.createObjectURL(data);
    }, failed);
    const onchange = () => chosen(blob.then((data) => ({ blob: data, name, truth })));
    const radio = element("input", { type: "radio", name: "sample", value: name, "data-number": number, onchange });
    return element("label", { class: "sample", title: name }, radio, image);
  };

  place.replaceChildren();
  byId("album").hidden = samples.length === 0;
  more.onclick = showMore;
  showMore();
}

export function translateAlbum() {
  for (const radio of byId("samples").querySelectorAll("input")) {
    radio.setAttribute("aria-label", say("samplePicture", { number: radio.dataset.number }));
  }
}

/** Deselect the album's picture. */
export function leaveAlbum() {
  for (const radio of byId("samples").querySelectorAll("input")) radio.checked = false;
}
