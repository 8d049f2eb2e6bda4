/**
 * The team's list, in groups: 200 names are found in two touches. Pure. Invariant: everybody of
 * the list is in exactly one group, and no two of a group look the same.
 */
import {ENDING, numberOf} from "./names.js";

const ONE_PAGE = 24;
const collator = new Intl.Collator("zh-Hans-CN-u-co-pinyin");

/**
 * By the first character of the masked name, in the order of its sound; all together if few.
 * @param {{volunteer: string, called: string|null, teams: string[]}[]} people
 * @returns {{head: string, people: object[]}[]}
 */
export function grouped(people) {
  if (people.length <= ONE_PAGE) return people.length ? [{head: "", people: sorted(people)}] : [];
  const groups = new Map();
  for (const one of people) {
    const head = headOf(one);
    groups.set(head, [...(groups.get(head) ?? []), one]);
  }
  return [...groups]
    .map(([head, members]) => ({head, people: sorted(members)}))
    .sort((one, other) => collator.compare(one.head, other.head));
}

/** The people of a team, or of all; without those who are paused or have left. */
export function listed(roster, team) {
  const inactive = new Set(roster?.inactive ?? []);
  return (roster?.people ?? []).filter(
    (one) => !inactive.has(one.volunteer) && (team === null || one.teams.includes(team)),
  );
}

/** By volunteer the last characters of their number: as many as tell these apart, at least ENDING. */
export function endings(people) {
  const numbers = people.map((one) => numberOf(one.volunteer));
  const longest = Math.max(ENDING, ...numbers.map((one) => one.length));
  let length = ENDING;
  while (length < longest && new Set(numbers.map((one) => one.slice(-length))).size < people.length)
    length += 1;
  return new Map(people.map((one, n) => [one.volunteer, numbers[n].slice(-length)]));
}

const headOf = (one) => (one.called ? [...one.called][0] : "#");
const sorted = (people) =>
  [...people].sort(
    (one, other) =>
      collator.compare(one.called ?? "", other.called ?? "") ||
      (one.volunteer < other.volunteer ? -1 : 1),
  );
