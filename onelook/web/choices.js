/** The choices of a run, from the server's schema: the arms, and a field for each other choice. */

import { element } from "./dom.js";
import { known, language, say } from "./language.js";

/** The default arms: the product, and what it replaces. */
const FIRST_ARMS = ["fused", "legacy"];

/** @param {any} schema a property @returns {string[] | null} */
const valuesOf = (schema) => schema.enum ?? (schema.const === undefined ? null : [schema.const]);

export class Choices {
  /** @param {HTMLElement} arms @param {HTMLElement} fields @param {{ context: any, arms: string[] }} options the context's schema, and the arms that can be run @param {() => void} changed */
  constructor(arms, fields, options, changed) {
    const { arm, ...rest } = options.context.properties;
    /** @type {Record<string, any>} */
    this.inputs = {};
    this.languageChosen = false;
    const names = options.arms;
    const preset = FIRST_ARMS.every((name) => names.includes(name)) ? FIRST_ARMS : [arm.default ?? names[0]];
    this.arms = names.map((name) => {
      const box = element("input", {
        type: "checkbox",
        name: "arms",
        value: name,
        checked: preset.includes(name),
        onchange: changed,
      });
      return /** @type {HTMLInputElement} */ (box);
    });
    arms.replaceChildren(
      ...this.arms.map((box) =>
        element(
          "label",
          { class: "arm" },
          box,
          element("span", { class: "arm-name" }, box.value),
          known(`arm.${box.value}`) &&
            element("span", { class: "small", "data-say": `arm.${box.value}` }, say(`arm.${box.value}`)),
        ),
      ),
    );
    fields.replaceChildren(...Object.entries(rest).map(([name, property]) => this.field(name, property)));
    this.followLanguage();
  }

  /** @returns {string[]} */
  chosenArms() {
    return this.arms.filter((box) => box.checked).map((box) => box.value);
  }

  /** The context's fields as the form sends them. @returns {Record<string, string>} */
  context() {
    return Object.fromEntries(
      Object.entries(this.inputs).map(([name, input]) => [
        name,
        String(input.type === "checkbox" ? input.checked : input.value),
      ]),
    );
  }

  /** The answer has the page's language until the user chooses another. */
  followLanguage() {
    const input = this.inputs["language"];
    if (input && !this.languageChosen && [...input.options].some((option) => option.value === language()))
      input.value = language();
  }

  /** @param {string} name @param {any} property its schema @returns {HTMLElement} */
  field(name, property) {
    const id = `option-${name}`;
    const words = known(`option.${name}`) ? { "data-say": `option.${name}` } : {};
    const label = element("label", { for: id, ...words }, known(`option.${name}`) ? say(`option.${name}`) : name);
    const input = this.input(id, name, property);
    this.inputs[name] = input;
    if (property.type === "boolean") return element("div", { class: "field check" }, input, label);
    if (input.getAttribute("type") !== "range") return element("div", { class: "field" }, label, input);
    const shown = element("output", { for: id, class: "number" }, property.default);
    input.addEventListener("input", () => (shown.textContent = /** @type {HTMLInputElement} */ (input).value));
    return element("div", { class: "field" }, label, element("span", { class: "range" }, input, shown));
  }

  /** @param {string} id @param {string} name @param {any} property */
  input(id, name, property) {
    const values = valuesOf(property);
    if (values) {
      const chosen = () => (this.languageChosen ||= name === "language");
      return element(
        "select",
        { id, onchange: chosen },
        ...values.map((value) => {
          const words = known(`choice.${value}`) ? { "data-say": `choice.${value}` } : {};
          return element(
            "option",
            { value, selected: value === property.default, ...words },
            known(`choice.${value}`) ? say(`choice.${value}`) : value,
          );
        }),
      );
    }
    if (property.type === "boolean") return element("input", { id, type: "checkbox", checked: property.default });
    const { minimum: min, maximum: max, default: value } = property;
    if (property.type === "integer")
      return element("input", { id, type: "number", inputmode: "numeric", min, max, step: 1, value });
    if (property.type === "number" && max !== undefined)
      return element("input", { id, type: "range", min, max, step: 0.01, value });
    return element("input", { id, type: "text", value });
  }
}
