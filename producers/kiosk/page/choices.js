/**
 * What may be chosen, and what must be asked: from the roster and a person, as values. It shows
 * nothing. Invariant: a question has at least two answers.
 */

/**
 * The next thing to ask of somebody who taps in, or null; what has one answer is filled in.
 * @returns {{current: object, ask: null|"team"|"activity", offered: object[], more: object[]}}
 */
export function nextQuestion(current, roster, settled, now) {
  if (current.kind !== "in") return {current, ask: null, offered: [], more: []};
  const {offered, more} = teamsOffered(current.who, roster);
  if (current.team === null) {
    if (offered.length + more.length > 1) return {current, ask: "team", offered, more};
    current = {...current, team: [...offered, ...more][0]?.code ?? null};
  }
  return askActivity(current, roster, settled, now);
}

/** A person's own valid teams, the kiosk's first; of somebody unknown: the kiosk's, then all. */
export function teamsOffered(who, roster) {
  const teams = roster?.teams ?? [];
  const here = new Set(roster?.kiosk.teams ?? []);
  const own = teams.filter((team) => who.teams.includes(team.code));
  if (own.length > 0) return {offered: hereFirst(own, here), more: []};
  const rest = teams.filter((team) => !here.has(team.code));
  return {offered: teams.filter((team) => here.has(team.code)), more: rest};
}

/** Today's activities of a team. */
export function activitiesOffered(roster, team, now) {
  const today = dayOf(now, roster?.timezone);
  return (roster?.activities ?? []).filter(
    (one) => one.teams.includes(team) && isOn(one, today, roster.timezone),
  );
}

/** The civil day (ISO) of a moment in milliseconds. */
export function dayOf(moment, timezone) {
  const parts = {timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit"};
  return new Intl.DateTimeFormat("en-CA", parts).format(moment);
}

/** HH:MM:SS, or HH:MM, of a moment in milliseconds or RFC 3339, by the ledger's clock. */
export function clockTime(moment, timezone, seconds = true) {
  const parts = {timeZone: timezone, hour: "2-digit", minute: "2-digit", hourCycle: "h23"};
  if (seconds) parts.second = "2-digit";
  return new Intl.DateTimeFormat("en-GB", parts).format(new Date(moment));
}

function askActivity(current, roster, settled, now) {
  if (current.activity !== undefined) return {current, ask: null, offered: [], more: []};
  const offered = activitiesOffered(roster, current.team, now);
  const fixed = offered.find((one) => one.code === settled);
  if (fixed === undefined && offered.length > 0)
    return {current, ask: "activity", offered, more: []};
  return {current: {...current, activity: fixed?.code ?? null}, ask: null, offered: [], more: []};
}

function isOn(activity, today, timezone) {
  const start = activity.start === null ? today : dayOf(new Date(activity.start), timezone);
  const end = activity.end === null ? start : dayOf(new Date(activity.end), timezone);
  return start <= today && today <= end;
}

const hereFirst = (teams, here) =>
  [...teams].sort((one, other) => here.has(other.code) - here.has(one.code));
