/**
 * New ids of taps: ULIDs, that sort as they were made and never repeat, whatever the clock does.
 */
const CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 16;

let lastTime = 0;

/**
 * @param {number} now milliseconds since the epoch
 * @returns {string} 26 characters
 */
export function newId(now = Date.now()) {
  lastTime = Math.max(lastTime + 1, Math.floor(now), 0);
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH));
  return timePart(lastTime) + Array.from(random, (byte) => CHARACTERS[byte & 31]).join("");
}

function timePart(time) {
  let text = "";
  for (let rest = time; text.length < TIME_LENGTH; rest = Math.floor(rest / 32)) {
    text = CHARACTERS[rest % 32] + text;
  }
  return text;
}
