/** Creates elements without markup in strings, inline styles or inline handlers. */

/**
 * @param {string} name tag name
 * @param {Record<string, any>} properties `on…` adds a listener, `style` sets custom properties through the CSSOM,
 *   `true` writes an empty attribute, `false`, `null` and `undefined` write none
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style")
      for (const [property, set] of Object.entries(value)) made.style.setProperty(property, set);
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false)
      made.append(child instanceof Node ? child : String(child));
  }
  return made;
}

/** The element with this id, which must exist. @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/** Text for screen readers. @param {string} text */
export const unseen = (text) => element("span", { class: "unseen" }, text);

/** A message of the server, with `…` and --options in code font. @param {string} text */
export function sentence(text) {
  const pieces = text.split(/`([^`]+)`|(--[\w-]+)/).filter((piece) => piece !== undefined);
  return element("span", {}, ...pieces.map((piece, index) => (index % 2 ? element("code", {}, piece) : piece)));
}
