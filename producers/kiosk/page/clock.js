/**
 * What time it is, as well as a page can tell: its own clock, corrected by the gateway's. Pure.
 *
 * A moment is read off two clocks: `clock`, which somebody may set (Date.now()), and `mono`, which
 * nobody can (performance.now()), in one life of the page. Where the clock was set between two
 * measurements, clock − mono jumps; a tap belongs to the measurement with the same difference.
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
  const same = last && last.life === one.life && Math.abs(drift(last) - drift(one)) < SAME_MS;
  if (same && one.error > 2 * last.error + 50 && one.mono - last.mono < FRESH_MS) return known;
  return [...known, one].slice(-KEPT);
}

/**
 * When a moment was, by the measurement that fits it best; null where nothing was ever measured.
 * @param {Moment} moment
 * @param {Measurement[]} measurements oldest first
 * @returns {number|null} milliseconds since the epoch
 */
export function trueTime(moment, measurements) {
  const best = fitting(moment, measurements);
  return best === null ? null : moment.clock + best.offset;
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
    Math.abs(drift(moment) - drift(last)) < SAME_MS
  );
}

function fitting(moment, measurements) {
  const ofLife = measurements.filter((one) => one.life === moment.life);
  if (ofLife.length === 0) return measurements.at(-1) ?? null;
  const distance = (one) => Math.abs(drift(one) - drift(moment));
  return ofLife.reduce((best, one) => (distance(one) <= distance(best) ? one : best));
}

function drift(moment) {
  return moment.clock - moment.mono;
}
