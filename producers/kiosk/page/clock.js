/**
 * What time it is, as well as a page can tell: its own clock, corrected by the gateway's. Pure.
 *
 * A moment is read off two clocks: `clock`, which somebody may set (Date.now()), and `mono`, which
 * nobody can (performance.now()), in one life of the page. Where the clock was set between two
 * measurements, clock − mono jumps.
 *
 * @typedef {{clock: number, mono: number, life: string}} Moment  milliseconds
 * @typedef {Moment & {offset: number, error: number}} Measurement  the gateway's time − clock
 */

/** How many measurements are kept. */
const KEPT = 20;
const FRESH_MS = 10 * 60_000;
const SAME_MS = 1_000;

/**
 * The gateway's clock read `theirs` between two moments of ours.
 * @param {Moment} sent
 * @param {Moment} answered
 * @param {number} theirs milliseconds
 * @returns {Measurement}
 */
export function measured(sent, answered, theirs) {
  const error = (answered.mono - sent.mono) / 2;
  const middle = answered.clock - error;
  return {...answered, offset: theirs - middle, error};
}

/**
 * Measurements with a new one; the oldest go. One that took long says less than what is known, and
 * is left out, unless the clock was set or what is known is old.
 * @param {Measurement[]} known
 * @param {Measurement} one
 * @returns {Measurement[]}
 */
export function withMeasurement(known, one) {
  const last = known.at(-1);
  const same = last && last.life === one.life && isAlike(last, one);
  if (same && one.error > 2 * last.error + 50 && one.mono - last.mono < FRESH_MS) return known;
  return [...known, one].slice(-KEPT);
}

/**
 * When a moment was, by what was measured around it; null where nothing ever was.
 *
 * By the clock, where it stood then as it stood at some measurement; or where it only seems to have
 * jumped, because the device slept, which moves the clock on and not `mono`. Else somebody set it
 * and nobody measured: then by `mono`.
 * @param {Moment} moment
 * @param {Measurement[]} measurements oldest first, of this and earlier lives
 * @returns {number|null} milliseconds since the epoch
 */
export function trueTime(moment, measurements) {
  const ofLife = measurements.filter((one) => one.life === moment.life);
  const like = nearest(ofLife, (one) => Math.abs(drift(one) - drift(moment)));
  if (like && isAlike(like, moment)) return moment.clock + like.offset;
  const before = ofLife.findLast((one) => one.mono <= moment.mono);
  const after = ofLife.find((one) => one.mono > moment.mono);
  if (before && after && isSleep(before, moment, after)) return moment.clock + before.offset;
  const last = measurements.at(-1);
  if (!after && last && last.life !== moment.life) return moment.clock + last.offset;
  const near = nearest(ofLife, (one) => Math.abs(one.mono - moment.mono));
  return near ? near.clock + near.offset + moment.mono - near.mono : null;
}

/**
 * Whether a moment can be told now for good: it was measured lately, and nobody set the clock since.
 * @param {Moment} moment
 * @param {Measurement[]} measurements
 */
export function isCertain(moment, measurements) {
  const last = measurements.at(-1);
  return (
    last !== undefined &&
    last.life === moment.life &&
    moment.mono - last.mono < FRESH_MS &&
    isAlike(moment, last)
  );
}

function nearest(measurements, distance) {
  const closer = (best, one) => (best && distance(best) < distance(one) ? best : one);
  return measurements.reduce(closer, null);
}

function isAlike(one, other) {
  return Math.abs(drift(one) - drift(other)) < SAME_MS;
}

/** A clock that was right before and after, and moved on by no more than from the one to the other. */
function isSleep(before, moment, after) {
  const isKept = Math.abs(before.offset - after.offset) < SAME_MS;
  return isKept && drift(before) <= drift(moment) && drift(moment) <= drift(after);
}

function drift(moment) {
  return moment.clock - moment.mono;
}
