/**
 * A volunteer number as people type it: the id and one check character behind it, by ISO 7064
 * mod 37,36, so that a slip is noticed. The same as producers/volunteer_numbers.py.
 */
const CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const MODULUS = CHARACTERS.length;

/**
 * @param {string} id characters 0-9A-Z
 * @returns {string} one character
 */
export function checkCharacter(id) {
  let check = MODULUS / 2;
  for (const character of id) {
    check = (((check || MODULUS) * 2) % (MODULUS + 1) + CHARACTERS.indexOf(character)) % MODULUS;
  }
  return CHARACTERS[(1 - (((check || MODULUS) * 2) % (MODULUS + 1)) + MODULUS) % MODULUS];
}

/**
 * The id that was typed, or null. Case, spaces and hyphens don't matter, nor whether somebody reads
 * 0 as O, or 1 as I or L.
 * @param {string} text
 * @returns {string|null}
 */
export function readNumber(text) {
  const typed = text.toUpperCase().replace(/[\s\-－—]/g, "");
  if (!/^[0-9A-Z]{2,129}$/.test(typed)) return null;
  const check = forgiven(typed.slice(-1));
  const as_typed = typed.slice(0, -1);
  for (const id of [as_typed, forgiven(as_typed)]) {
    if (forgiven(checkCharacter(id)) === check) return id;
  }
  return null;
}

function forgiven(text) {
  return text.replace(/O/g, "0").replace(/[IL]/g, "1");
}
