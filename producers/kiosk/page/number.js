/**
 * A volunteer number as people type it: the id and one check character behind it, by ISO 7064's
 * hybrid system over Crockford's characters, so that a slip is noticed. The same as
 * producers/volunteer_numbers.py.
 */
const CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const NUMBER = new RegExp(`^[${CHARACTERS}]{2,129}$`);
const MODULUS = CHARACTERS.length;

/**
 * @param {string} id of these characters
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
  const typed = text.toUpperCase().replace(/[\s\-－—]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  if (!NUMBER.test(typed)) return null;
  const id = typed.slice(0, -1);
  return checkCharacter(id) === typed.slice(-1) ? id : null;
}
