/** What the browser keeps for this page. Where storage is blocked, nothing is kept and the page works all the same. */

/** @param {() => Storage} storage @param {string} name @returns {string | null} */
export function recall(storage, name) {
  try {
    return storage().getItem(name);
  } catch {
    return null;
  }
}

/** @param {() => Storage} storage @param {string} name @param {string} value */
export function remember(storage, name, value) {
  try {
    storage().setItem(name, value);
  } catch {
    // Blocked or full: the choice holds until the page is left.
  }
}

export const forGood = () => localStorage;
export const forTheTab = () => sessionStorage;
