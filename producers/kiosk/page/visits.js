/**
 * Who stands before the kiosk, who waits, and what was done in the last ten seconds: values in,
 * values out. It knows no screen and no clock. Invariant: whoever was identified is the current
 * one, waits, or was sent away by somebody.
 *
 * @typedef {{volunteer: string, called: string|null, teams: string[], how: string,
 *   badge: string|null, suggest: "in"|"out", known: boolean}} Who as station.identify says
 * @typedef {{who: Who, kind: "in"|null, team: string|null, activity: string|null|undefined}} Current
 *   `activity` is undefined until it is known or was answered
 * @typedef {{tap: any, who: Who, at: number, undone: boolean}} Done
 * @typedef {{current: Current|null, waiting: Who[], recent: Done[]}} Visits newest first in `recent`
 */

export const UNDO_MILLISECONDS = 10_000;

/** @type {Visits} */
export const NOBODY = {current: null, waiting: [], recent: []};

/** Somebody is identified: their turn, or the row's end. Who is there already is there once. */
export function arrived(visits, who) {
  if (isHere(visits, who.volunteer)) return visits;
  const isNext = visits.current === null && visits.waiting.length === 0;
  if (isNext) return {...visits, current: beginning(who)};
  return {...visits, waiting: [...visits.waiting, who]};
}

/** @returns {boolean} whether somebody chooses or waits */
export function isHere({current, waiting}, volunteer) {
  return [current?.who, ...waiting].some((one) => one?.volunteer === volunteer);
}

/** An answer of the current person: {kind}, {team} or {activity}. */
export function answered(visits, answer) {
  return {...visits, current: {...visits.current, ...answer}};
}

/** The current one's tap is on the disk. Nobody is current until `next`. */
export function tapped(visits, tap, at) {
  const done = {tap, who: visits.current.who, at, undone: false};
  return {...visits, current: null, recent: [done, ...visits.recent]};
}

/** The current one goes without a tap. */
export function left(visits) {
  return {...visits, current: null};
}

/** One of the row goes without a tap. */
export function sentAway(visits, volunteer) {
  return {...visits, waiting: visits.waiting.filter((one) => one.volunteer !== volunteer)};
}

/** The first of the row, if nobody is current. */
export function next(visits) {
  if (visits.current !== null || visits.waiting.length === 0) return visits;
  const [first, ...waiting] = visits.waiting;
  return {...visits, current: beginning(first), waiting};
}

/** What the station says of a tap now. */
export function told(visits, tap) {
  const recent = visits.recent.map((one) => (one.tap.id === tap.id ? {...one, tap} : one));
  return {...visits, recent};
}

export function undone(visits, id) {
  return marked(visits, id, true);
}

/** Undoing it failed. */
export function restored(visits, id) {
  return marked(visits, id, false);
}

/** Without what can't be undone any more. */
export function lapsed(visits, now) {
  const recent = visits.recent.filter((one) => secondsLeft(one, now) > 0);
  return recent.length === visits.recent.length ? visits : {...visits, recent};
}

/** Whole seconds in which it can still be undone. */
export function secondsLeft(done, now) {
  return Math.max(0, Math.ceil((done.at + UNDO_MILLISECONDS - now) / 1000));
}

function marked(visits, id, undone) {
  const recent = visits.recent.map((one) => (one.tap.id === id ? {...one, undone} : one));
  return {...visits, recent};
}

const beginning = (who) => ({who, kind: null, team: null, activity: undefined});
