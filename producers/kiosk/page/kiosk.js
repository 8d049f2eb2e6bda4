/**
 * What happens at the kiosk: people come, are asked, tap, undo. It draws nothing and listens to no
 * device. Invariant: nothing is a tap before a person pressed for it and the station has it on the
 * disk; a person who was identified is shown until they or somebody else send them away.
 *
 * Events: "change"; "signal" (detail: in, out, undone, refused); "say" (detail: {key, values}), what
 * a screen reader hears.
 */
import {dayOf, nextQuestion} from "./choices.js";
import * as visiting from "./visits.js";

const NEXT_MS = 700; // a person's result, where somebody waits
const CAMERA_AGAIN_MS = 2_500;
const QUIET_MS = 30_000;
const LAST_CALL_MS = 20_000;
const FORGOTTEN_MS = 60_000;

/**
 * `panel` is the large part of the first screen: invite, done (`id`), undone (`id`), or refused.
 * @typedef {{kind: "invite"|"done"|"undone"|"refused", id?: string, what?: {zh: string, en: string}}} Panel
 */
export class Kiosk extends EventTarget {
  visits = visiting.NOBODY;
  /** @type {"home"|"number"|"list"|"in-charge"|"enrol"} */
  route = "home";
  /** @type {Panel} */
  panel = {kind: "invite"};
  /** Words that stay until somebody closes them: {id, what}. */
  notices = [];
  /** What is being asked of the current person; null: in or out. */
  question = {ask: null, offered: [], more: []};
  typed = "";
  /** Why the number that was typed is none; null: it may be one. */
  wrongNumber = null;
  isSaving = false;
  #arrivals = Promise.resolve();
  #quietSince = 0;
  #notices = 0;
  #shownAt = 0;

  /**
   * @param {import("./station.js").Station} station
   * @param {import("./settings.js").Settings} settings
   * @param {() => number} now milliseconds, for what passes
   */
  constructor(station, settings, now = Date.now) {
    super();
    Object.assign(this, {station, settings, now});
    if (station.enrolment === null) this.route = "enrol";
    station.addEventListener("tap", ({detail}) => this.#told(detail));
  }

  get isIdle() {
    const {current, waiting, recent} = this.visits;
    const isHome = this.route === "home" && this.notices.length === 0;
    return isHome && current === null && waiting.length + recent.length === 0 && !this.isSaving;
  }

  /** Seconds until the current person is taken to have gone; null: not asked yet. */
  get lastCallSeconds() {
    const over = this.now() - this.#quietSince - QUIET_MS;
    return this.visits.current && over >= 0 ? Math.ceil((LAST_CALL_MS - over) / 1000) : null;
  }

  /** Somebody touched something. */
  stir() {
    this.#quietSince = this.now();
  }

  go(route) {
    this.route = route;
    this.stir();
    this.type("");
    if (route === "home") this.panel = {kind: "invite"};
    this.#changed();
  }

  /** What stands in the number's field. */
  type(text) {
    this.typed = text;
    this.wrongNumber = null;
    this.#changed();
  }

  /**
   * Somebody comes: they are looked up one after the other, so that the row is in their order.
   * @param {{badge?: string, number?: string, volunteer?: string}} by
   * @returns {Promise<void>}
   */
  come(by) {
    this.#arrivals = this.#arrivals.then(() => this.#identify(by)).catch(console.error);
    return this.#arrivals;
  }

  async press(kind) {
    if (this.isSaving || this.visits.current === null) return;
    this.visits = visiting.answered(this.visits, {kind});
    await this.#ask();
  }

  /** @param {{team: string} | {activity: string|null}} answer */
  async answer(answer) {
    this.visits = visiting.answered(this.visits, answer);
    await this.#ask();
  }

  /** A step back: from a question to in or out, from there away. */
  back() {
    const {current} = this.visits;
    if (this.isSaving || current === null) return;
    if (current.kind === null) return this.leave();
    this.visits = visiting.answered(this.visits, {kind: null, team: null, activity: undefined});
    this.question = {ask: null, offered: [], more: []};
    this.#changed();
  }

  /** The current person goes without a tap. */
  leave() {
    if (this.isSaving) return;
    this.visits = visiting.left(this.visits);
    this.#next();
  }

  sendAway(volunteer) {
    this.visits = visiting.sentAway(this.visits, volunteer);
    this.#changed();
  }

  async undo(id) {
    const done = this.visits.recent.find((one) => one.tap.id === id);
    if (done === undefined || done.undone) return;
    this.visits = visiting.undone(this.visits, id); // at once: a second press undoes nothing more
    try {
      await this.station.undo(done.tap);
    } catch (error) {
      this.visits = visiting.restored(this.visits, id);
      return this.#refuse(error);
    }
    if (this.panel.id === id) this.panel = {kind: "undone", id};
    this.#tell("undone", "undone");
    this.#changed();
  }

  dismiss(id) {
    this.notices = this.notices.filter((one) => one.id !== id);
    this.#changed();
  }

  /** A device has no way on: {key} of words.js. */
  refuse(shown) {
    this.#refused(shown, {});
  }

  /** Time has passed: what can't be undone any more goes, and who has gone, goes. */
  tick() {
    const now = this.now();
    this.visits = visiting.lapsed(this.visits, now);
    const shown = this.visits.recent.some((one) => one.tap.id === this.panel.id);
    const isOver = this.settings.camera && now - this.#shownAt > CAMERA_AGAIN_MS;
    if (this.panel.id !== undefined && (!shown || isOver)) this.panel = {kind: "invite"};
    if (this.visits.current === null && now - this.#shownAt > NEXT_MS) this.#take();
    if (this.lastCallSeconds !== null && this.lastCallSeconds <= 0) this.#wentAway();
    if (this.#isForgotten(now)) return this.go("home");
    this.#changed();
  }

  /** Somebody has left the list open: others' names are not to stand there. */
  #isForgotten(now) {
    const isOpen = this.route === "list" || this.route === "number";
    return isOpen && this.visits.current === null && now - this.#quietSince > FORGOTTEN_MS;
  }

  async #identify(by) {
    let who;
    try {
      who = await this.station.identify(by);
    } catch (error) {
      return this.#refuse(error, by);
    }
    // Somebody types their number: what they have typed is there again after the one with a badge.
    if (by.badge === undefined || this.route !== "number" || this.typed === "") this.#goHome();
    if (visiting.isHere(this.visits, who.volunteer))
      return this.#say("already_waiting", {who});
    this.visits = visiting.arrived(this.visits, who);
    if (this.visits.current?.who === who) this.#begin();
    this.#changed();
  }

  #goHome() {
    this.route = "home";
    this.typed = "";
  }

  async #ask() {
    const {station} = this;
    const found = nextQuestion(this.visits.current, station.roster, this.#settled(), station.now());
    const {current, ...question} = found;
    this.visits = {...this.visits, current};
    this.question = question;
    if (question.ask === null) await this.#record();
    this.#changed();
  }

  /** What everybody comes for today, if the person in charge has said so. */
  #settled() {
    const {activity} = this.settings;
    const today = dayOf(this.station.now(), this.station.roster?.timezone);
    return activity?.day === today ? activity.code : null;
  }

  async #record() {
    const {kind, who, team, activity} = this.visits.current;
    if (kind === "in" && team === null) return this.#failed("no_team");
    this.isSaving = true;
    try {
      const tap = await this.station.tap({kind, who, team, activity: activity ?? null});
      this.#done(tap);
    } catch (error) {
      this.#refuse(error);
      this.visits = visiting.answered(this.visits, {kind: null, team: null, activity: undefined});
    } finally {
      this.isSaving = false;
    }
  }

  #done(tap) {
    const now = this.now();
    this.visits = visiting.tapped(this.visits, tap, now);
    this.panel = {kind: "done", id: tap.id};
    this.#shownAt = now;
    this.#tell(tap.kind, "done_said", this.visits.recent[0]);
  }

  /** The station says what has become of a tap. */
  #told(tap) {
    const done = this.visits.recent.find((one) => one.tap.id === tap.id);
    this.visits = visiting.told(this.visits, tap);
    if (tap.state === "refused") {
      this.#notice({tap, who: done?.who ?? null});
      this.#tell("refused", "tap_refused");
    }
    this.#changed();
  }

  #failed(key) {
    this.#notice({key});
    this.#tell("refused", key);
    this.back();
  }

  /** Words for whoever stands here; whoever is choosing is not disturbed by another's. */
  #refuse(error, by = {}) {
    if (!error.what) console.error(error);
    this.#refused(error.what ? {what: error.what} : {key: "failed"}, by);
  }

  #refused(shown, by) {
    if (by.number !== undefined && this.route === "number") this.wrongNumber = shown;
    else if (this.visits.current !== null || this.route !== "home") this.#notice(shown);
    else this.panel = {kind: "refused", serial: ++this.#notices, ...shown};
    this.#tell("refused", shown.key ?? null, shown);
    this.#changed();
  }

  #notice(shown) {
    this.notices = [{id: ++this.#notices, ...shown}, ...this.notices].slice(0, 3);
  }

  #wentAway() {
    this.#notice({key: "went_away", who: this.visits.current.who});
    this.visits = visiting.left(this.visits);
    this.#take();
  }

  #next() {
    this.panel = {kind: "invite"};
    this.#take();
    this.#changed();
  }

  #take() {
    const before = this.visits;
    this.visits = visiting.next(this.visits);
    if (this.visits !== before) this.#begin();
  }

  #begin() {
    this.question = {ask: null, offered: [], more: []};
    this.panel = {kind: "invite"};
    this.stir();
  }

  #tell(signal, key, shown = {}) {
    this.dispatchEvent(new CustomEvent("signal", {detail: signal}));
    this.#say(key, shown);
  }

  #say(key, shown) {
    this.dispatchEvent(new CustomEvent("say", {detail: {key, ...shown}}));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
