/**
 * The kiosk, for whoever shows it: who somebody is, their taps, and how things are.
 *
 * Events: "state", "roster", and "tap" (detail: the tap, as it has become).
 */
import {Away, ask} from "./api.js";
import {readBadge} from "./badge.js";
import {isCertain, measured, trueTime, withMeasurement} from "./clock.js";
import {newId} from "./ids.js";
import {readNumber} from "./number.js";
import {Queue} from "./queue.js";
import {Refused, bothOf, refusal} from "./refused.js";
import {Sender} from "./sending.js";
import {asked, openStore} from "./store.js";

const WHO_PATIENCE_MS = 1_500;
const OTHERS_KEPT = 200;
const UNDO_HOW = new Set(["in", "out"]);

/**
 * @typedef {object} Who
 * @property {string} volunteer
 * @property {string|null} called
 * @property {string[]} teams
 * @property {"badge"|"number"|"list"} how
 * @property {string|null} badge
 * @property {"in"|"out"} suggest
 * @property {boolean} known whether the roster, as far as it is known here, has them
 */
export class Station extends EventTarget {
  /**
   * Read what is kept, and begin to send. Throws Refused where nothing can be kept.
   * @returns {Promise<Station>}
   */
  static async open() {
    const store = await openStore();
    const [enrolment, roster, measurements] = await Promise.all(
      ["enrolment", "roster", "measurements"].map((name) => store.fact(name)),
    );
    const station = new Station(store, enrolment ?? null, roster ?? null, measurements ?? []);
    await station.#begin();
    return station;
  }

  /** Use `open`. */
  constructor(store, enrolment, roster, measurements) {
    super();
    this.enrolment = enrolment;
    this.roster = roster?.value ?? null;
    this.state = {
      ...{online: false, queued: 0, oldest: null, refused: 0, clockOffMs: null, persisted: null},
      ...{trouble: null, revoked: false, version: null},
    };
    this.life = newId();
    this.#store = store;
    this.#etag = roster?.etag ?? null;
    this.#measurements = measurements;
    this.#queue = new Queue(store);
    this.#others = new BroadcastChannel("hours-kiosk");
    this.#sender = this.#newSender();
  }

  #store;
  #etag;
  #measurements;
  #queue;
  #others;
  #sender;

  /**
   * Become the kiosk that a one-time code is for. Throws Refused.
   * @param {string} code
   */
  async enrol(code) {
    const {value} = await this.#asked("POST", "/api/enrol", {body: {code: code.trim()}});
    await this.#store.setFact("enrolment", value);
    this.enrolment = value;
    this.#say({revoked: false, trouble: null});
    this.#others.postMessage("enrolled");
    await this.refreshRoster();
    this.#sender.poke();
  }

  /**
   * Whose badge, number, or name on the list this is; as well as it can be known, also offline.
   * Throws Refused.
   * @param {{badge?: string, number?: string, volunteer?: string}} by
   * @returns {Promise<Who>}
   */
  async identify({badge, number, volunteer}) {
    if (badge !== undefined) return this.#byBadge(badge);
    if (volunteer !== undefined) return this.#who(volunteer, "list", null, null);
    const read = readNumber(number ?? "");
    if (read === null) throw refusal("wrong-number");
    const known = this.#person(read) !== undefined;
    const said = known ? null : await this.#askWho({volunteer: read});
    return this.#who(read, "number", null, said);
  }

  /**
   * Keep what somebody did. Resolved once it is on the disk; throws Refused where it can't be.
   * @param {{kind: "in"|"out", who: Who, team?: string|null, activity?: string|null}} what
   */
  async tap({kind, who, team = null, activity = null}) {
    const isIn = kind === "in";
    return this.#keep({
      kind,
      volunteer: who.volunteer,
      team: isIn ? team : null,
      activity: isIn ? activity : null,
      of: null,
      how: who.how,
      badge: who.badge,
    });
  }

  /** Take a tap back. @param {import("./queue.js").Tap} tap */
  async undo(tap) {
    if (!UNDO_HOW.has(tap.kind)) throw new Error("only a tap in or out can be undone");
    const {volunteer, how, badge} = tap;
    return this.#keep({
      ...{kind: "void", volunteer, team: null, activity: null, of: tap.id, how, badge},
    });
  }

  /** What the gateway refused and nobody has looked at. */
  async refusedTaps() {
    return this.#queue.refused();
  }

  /** The person in charge has looked at it. @param {string} id */
  async seeRefused(id) {
    await this.#queue.see(id);
    await this.#count();
  }

  /** The QR code in a picture, read by the gateway; null: none. Throws Refused. @param {Blob} image */
  async readImage(image) {
    const key = this.enrolment?.key;
    const {value} = await this.#asked("POST", "/api/badge-image", {key, body: image});
    return value.text;
  }

  /** Ask for what the roster says now, if it says something new. */
  async refreshRoster() {
    const key = this.enrolment?.key;
    if (!key) return;
    try {
      const {status, value, etag} = await ask("GET", "/api/roster", {key, etag: this.#etag});
      if (status === 304 || !Array.isArray(value?.people)) return;
      await this.#store.setFact("roster", {value, etag});
      this.roster = value;
      this.#etag = etag;
      this.dispatchEvent(new Event("roster"));
    } catch (error) {
      if (!(error instanceof Away) && !(error instanceof Refused)) throw error;
    }
  }

  /** The time, as well as it is known. @returns {number} milliseconds since the epoch */
  now() {
    return trueTime(this.#moment(), this.#measurements) ?? Date.now();
  }

  async #begin() {
    this.#others.onmessage = ({data}) => this.#heardOfOthers(data);
    addEventListener("online", () => this.#sender.poke());
    document.addEventListener("visibilitychange", () => this.#sender.poke());
    await this.#count();
    void this.#askToPersist();
    void this.#queue.forget(Date.now());
    void this.#sender.run();
    void this.refreshRoster();
  }

  #newSender() {
    return new Sender({
      queue: this.#queue,
      key: () => this.enrolment?.key ?? null,
      measurements: () => this.#store.fact("measurements"),
      measure: () => this.#measure(),
      moment: () => this.#moment(),
      report: () => this.#report(),
      heard: (answer, sent) => this.#heard(answer, sent),
      told: (news) => this.#told(news),
      settled: (taps) => void this.#settled(taps),
    });
  }

  async #byBadge(text) {
    const roster = this.roster;
    let read;
    try {
      if (roster === null) throw refusal("cannot-check");
      read = await readBadge(text, roster.ledger, roster.badge_keys);
    } catch (error) {
      if (error.reason !== "cannot-check") throw error;
      const said = await this.#askWho({badge: text});
      if (said === null) throw error;
      return this.#who(said.volunteer, "badge", text, said);
    }
    const {volunteer, generation} = read;
    const person = this.#person(volunteer);
    const newest = person?.generation ?? roster.replaced[volunteer] ?? 0;
    if (generation < newest) throw refusal("replaced-badge");
    const said = person ? null : await this.#askWho({badge: text});
    return this.#who(volunteer, "badge", text, said);
  }

  /** What the gateway knows of somebody; null where it doesn't answer at once. Throws Refused. */
  async #askWho(by) {
    const key = this.enrolment?.key;
    if (!key || !this.state.online) return null;
    try {
      return (await ask("POST", "/api/who", {key, body: by, patience: WHO_PATIENCE_MS})).value;
    } catch (error) {
      if (error instanceof Away || !error.status || error.status === 401) return null;
      throw error;
    }
  }

  async #who(volunteer, how, badge, said) {
    if (this.roster?.inactive.includes(volunteer)) throw refusal("inactive");
    const person = this.#person(volunteer);
    return {
      volunteer,
      called: person?.called ?? said?.called ?? null,
      teams: person?.teams ?? said?.teams ?? [],
      ...{how, badge},
      suggest: await this.#suggested(volunteer, said?.last ?? null),
      known: person !== undefined || Boolean(said?.known),
    };
  }

  #person(volunteer) {
    return this.roster?.people.find((one) => one.volunteer === volunteer);
  }

  /** The opposite of what they did last, if that was within the cap. */
  async #suggested(volunteer, elsewhere) {
    const capMs = (this.roster?.cap_seconds ?? 57_600) * 1_000;
    const taps = await this.#queue.tapsOf(volunteer);
    const undone = new Set(taps.map((tap) => tap.of));
    const here = taps.find((tap) => tap.kind !== "void" && !undone.has(tap.id));
    const times = [
      here && {kind: here.kind, at: here.time ? Date.parse(here.time) : here.clock},
      elsewhere && {kind: elsewhere.kind, at: Date.parse(elsewhere.time)},
    ].filter((one) => one && this.now() - one.at < capMs);
    const last = times.sort((one, other) => other.at - one.at)[0];
    return last?.kind === "in" ? "out" : "in";
  }

  async #keep(said) {
    const moment = this.#moment();
    const certain = isCertain(moment, this.#measurements);
    const time = certain ? new Date(trueTime(moment, this.#measurements)).toISOString() : null;
    const tap = {
      id: newId(moment.clock),
      ...said,
      ...moment,
      time,
      ...{state: "saved", reason: null, what: null},
    };
    await this.#queue.add(tap);
    this.#others.postMessage("tap");
    this.#sender.more();
    void this.#count();
    return tap;
  }

  async #settled(taps) {
    for (const tap of taps) this.#changed(tap);
    this.#others.postMessage({taps});
    await this.#count();
  }

  #changed(tap) {
    this.dispatchEvent(new CustomEvent("tap", {detail: tap}));
  }

  #heardOfOthers(news) {
    if (news === "tap") this.#sender.more();
    else if (news === "enrolled") location.reload();
    else if (news.taps) news.taps.forEach((tap) => this.#changed(tap));
    void this.#count();
  }

  #moment() {
    return {clock: Date.now(), mono: performance.now(), life: this.life};
  }

  async #measure() {
    const sent = this.#moment();
    const {value} = await ask("GET", "/api/time");
    await this.#noteTime(sent, value);
  }

  #heard(answer, sent) {
    void this.#noteTime(sent, answer);
    const {roster, version, trouble} = answer;
    if (roster && roster !== this.#etag) void this.refreshRoster();
    if (version) this.#say({version});
    if (trouble !== undefined) {
      this.#say({trouble: trouble && {reason: trouble.reason, what: bothOf(trouble.what)}});
    }
  }

  async #noteTime(sent, {time}) {
    const theirs = Date.parse(time);
    if (Number.isNaN(theirs)) throw new Away("no time");
    const one = measured(sent, this.#moment(), theirs);
    this.#measurements = withMeasurement(this.#measurements, one);
    this.#say({clockOffMs: -Math.round(this.#measurements.at(-1).offset)});
    await this.#keepMeasurements();
  }

  /** Those of other tabs stay, and of earlier lives: taps of theirs may still wait. */
  async #keepMeasurements() {
    await this.#store.write("facts", async (facts) => {
      const kept = (await asked(facts.get("measurements"))) ?? [];
      const others = kept.filter((one) => one.life !== this.life).slice(-OTHERS_KEPT);
      const ours = this.#measurements.filter((one) => one.life === this.life);
      await asked(facts.put([...others, ...ours], "measurements"));
    });
  }

  #told({online, refusedAs}) {
    if (online !== undefined) this.#say({online});
    if (refusedAs === undefined) return;
    const revoked = refusedAs?.reason === "revoked" || refusedAs?.reason === "unknown-key";
    this.#say({revoked});
    if (refusedAs) this.#say({trouble: {reason: refusedAs.reason, what: refusedAs.what}});
  }

  async #report() {
    const {queued, oldest, refused} = await this.#queue.counts();
    const {clockOffMs, persisted} = this.state;
    return {
      queued,
      oldest: oldest === null ? null : new Date(this.#whenOf(oldest)).toISOString(),
      refused,
      offset_ms: clockOffMs,
      version: VERSION,
      persisted,
    };
  }

  #whenOf(tap) {
    return tap.time ? Date.parse(tap.time) : (trueTime(tap, this.#measurements) ?? tap.clock);
  }

  async #count() {
    const {queued, oldest, refused} = await this.#queue.counts();
    this.#say({queued, oldest: oldest && this.#whenOf(oldest), refused});
  }

  async #askToPersist() {
    const storage = navigator.storage;
    const persisted = storage?.persist ? await storage.persist().catch(() => null) : null;
    this.#say({persisted});
  }

  async #asked(method, path, options) {
    try {
      return await ask(method, path, options);
    } catch (error) {
      if (error instanceof Away) throw refusal("gateway-away");
      throw error;
    }
  }

  #say(news) {
    if (Object.entries(news).every(([name, value]) => this.state[name] === value)) return;
    this.state = {...this.state, ...news};
    this.dispatchEvent(new Event("state"));
  }
}

/** Of the page that runs; the gateway fills it in as it serves this file. */
const VERSION = "VERSION";
