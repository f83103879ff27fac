/** Browser storage of this page. If storage is blocked, the page works without it. */

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
    // Blocked or full: the choice is kept until the page is closed.
  }
}

export const forGood = () => localStorage;
export const forTheTab = () => sessionStorage;
