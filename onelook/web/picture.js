/** The picture: dropped anywhere, pasted, chosen as a file, or taken from the album. */

import { byId, element } from "./dom.js";
import { number, say } from "./language.js";

/** @typedef {{ blob: Blob, name: string, truth: any }} Picture */

export class PictureField {
  /** @param {(picture: Picture) => void} chosen called with each new picture */
  constructor(chosen) {
    this.chosen = chosen;
    /** @type {Picture | null} */
    this.picture = null;
    /** Whether the chosen picture has been loaded and taken; null: none is on its way. @type {Promise<boolean> | null} */
    this.loading = null;
    this.preview = byId("preview");
    this.file = byId("file");
    this.note = byId("file-note");
    /** The text of the note, in the current language. @type {() => string} */
    this.noteWords = () => "";

    this.file.addEventListener("change", () => {
      this.takeFiles(this.file.files);
      this.file.value = ""; // so that the same file can be chosen again
    });
    document.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.takeFiles(event.clipboardData.files);
    });
    this.listenForDrops();
  }

  listenForDrops() {
    let inside = 0;
    const lit = (/** @type {number} */ change) => {
      inside = change ? Math.max(inside + change, 0) : 0;
      document.body.classList.toggle("dropping", inside > 0);
    };
    document.addEventListener("dragenter", () => lit(1));
    document.addEventListener("dragleave", () => lit(-1));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      lit(0);
      if (event.dataTransfer?.files.length) this.takeFiles(event.dataTransfer.files);
      else this.say(() => say("notAFile"));
    });
  }

  /** @param {FileList} files */
  takeFiles(files) {
    const [first] = files;
    if (!first) return;
    const { length } = files;
    this.take({ blob: first, name: first.name || "pasted.png", truth: null });
    if (length > 1) this.say(() => say("firstOfSeveral", { count: length }));
  }

  /** @param {Promise<Picture>} loaded @param {(error: unknown) => void} failed */
  takeWhenLoaded(loaded, failed) {
    const latest = () => this.loading === loading; // no other picture has been chosen meanwhile
    const loading = loaded.then(
      (picture) => {
        if (!latest()) return false;
        this.take(picture);
        return true;
      },
      (error) => {
        if (latest()) this.loading = null;
        failed(error);
        return false;
      },
    );
    this.loading = loading;
  }

  /** @param {Picture} picture */
  take(picture) {
    this.loading = null;
    this.picture = picture;
    const { name, blob } = picture;
    this.say(() => say("chosenPicture", { name, size: number(blob.size / 1000, blob.size < 10_000 ? 1 : 0) }));
    this.show(blob);
    this.chosen(picture);
  }

  /** @param {Blob} blob */
  show(blob) {
    const address = URL.createObjectURL(blob);
    const image = /** @type {HTMLImageElement} */ (element("img", { alt: "" }));
    image.addEventListener("load", () => URL.revokeObjectURL(address));
    image.addEventListener("error", () => {
      URL.revokeObjectURL(address);
      image.replaceWith(element("span", { class: "small", "data-say": "noPreview" }, say("noPreview")));
    });
    image.src = address;
    this.preview.replaceChildren(image);
    this.preview.hidden = false;
    byId("drop").classList.add("filled");
  }

  /** @param {() => string} words */
  say(words) {
    this.noteWords = words;
    this.translate();
  }

  translate() {
    this.note.textContent = this.noteWords();
  }
}
