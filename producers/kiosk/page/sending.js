/**
 * Taps on their way to the gateway: in order, again and again, until each was answered.
 *
 * One tab of the browser sends for all (a Web Lock says which). Nothing is decided here but which
 * answers count: a tap stays `saved` through every failure that may pass.
 */
import {Away, ask} from "./api.js";
import {trueTime} from "./clock.js";
import {bothOf} from "./refused.js";

const AT_ONCE = 500;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const IDLE_MS = 25_000;
/** For so long after a failure a new tap doesn't hurry: a queue of thousands is read each time. */
const PATIENT_MS = 2_000;
/** Refusals of a whole request that are about what stands in it, not about who asks or when. */
const ABOUT_CONTENT = new Set([413, 422]);

export class Sender {
  /**
   * @param {object} with_
   * @param {import("./queue.js").Queue} with_.queue
   * @param {() => string|null} with_.key
   * @param {() => Promise<import("./clock.js").Measurement[]>} with_.measurements of all tabs
   * @param {() => Promise<void>} with_.measure asks the gateway for the time; throws Away
   * @param {() => Promise<object>} with_.report how the page is
   * @param {(answer: {time?: string}, sent: any) => void} with_.heard an answer came
   * @param {(taps: any[]) => void} with_.settled
   * @param {(state: {online?: boolean, refusedAs?: import("./refused.js").Refused|null}) => void} with_.told
   * @param {() => import("./clock.js").Moment} with_.moment
   */
  constructor(with_) {
    this.with = with_;
    /** Whether somebody has called since the last turn began: then the next one doesn't wait. */
    this.called = false;
    this.endRest = () => {};
    this.stopped = false;
    this.failedAt = -Infinity;
  }

  /** Send until the page ends; other tabs wait for their turn. */
  async run() {
    if (!navigator.locks) return this.#loop();
    return navigator.locks.request("hours-kiosk-sender", () => this.#loop());
  }

  /** The network may be back. */
  poke() {
    this.called = true;
    this.endRest();
  }

  /** There is something more to send. */
  more() {
    if (performance.now() - this.failedAt > PATIENT_MS) this.poke();
  }

  async #loop() {
    let pause = FIRST_PAUSE_MS;
    while (!this.stopped) {
      this.called = false;
      const outcome = await this.#once();
      if (outcome === "more") continue;
      if (outcome === "later") this.failedAt = performance.now();
      pause = outcome === "idle" ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
      if (!this.called) await this.#rest(outcome === "idle" ? IDLE_MS : pause);
    }
  }

  #rest(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endRest = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }

  /** Send what waits, once: "more" waits, "idle" nothing does, "later" it must be tried again. */
  async #once() {
    const key = this.with.key();
    if (key === null) return "idle";
    try {
      const waiting = await this.with.queue.waiting(AT_ONCE);
      if (waiting.length === 0) {
        await this.#report(key);
        return "idle";
      }
      const taps = await this.#decided(waiting);
      if (taps.length === 0) return "later";
      const settled = await this.#send(key, taps);
      return settled > 0 ? "more" : "later";
    } catch (error) {
      if (error instanceof Away) this.with.told({online: false});
      else if (error.status) this.with.told({online: true, refusedAs: error});
      else console.error(error);
      return "later";
    }
  }

  async #report(key) {
    const sent = this.with.moment();
    const {value} = await ask("POST", "/api/report", {key, body: await this.with.report()});
    this.with.heard(value, sent);
    this.with.told({online: true, refusedAs: null});
  }

  /** The taps whose time is decided; an undecided one holds up those behind it. */
  async #decided(waiting) {
    if (waiting.some((tap) => tap.time === null)) await this.with.measure();
    const measurements = await this.with.measurements();
    const decided = await this.with.queue.decideTimes(waiting, (tap) => {
      const time = trueTime(tap, measurements);
      return time === null ? null : new Date(time).toISOString();
    });
    const open = decided.findIndex((tap) => tap.time === null);
    return open < 0 ? decided : decided.slice(0, open);
  }

  /** Send taps together, or one by one where together they can't be read; how many were settled. */
  async #send(key, taps) {
    try {
      return await this.#sendTogether(key, taps);
    } catch (error) {
      if (!ABOUT_CONTENT.has(error.status)) throw error;
      if (taps.length > 1) return this.#sendEach(key, taps);
      const refused = {state: "refused", reason: error.reason, what: error.what};
      return this.#settle(new Map([[taps[0].id, refused]]));
    }
  }

  async #sendEach(key, taps) {
    let settled = 0;
    for (const tap of taps) settled += await this.#send(key, [tap]);
    return settled;
  }

  async #sendTogether(key, taps) {
    const sent = this.with.moment();
    const body = {taps: taps.map(asSent), report: await this.with.report()};
    const {value} = await ask("POST", "/api/taps", {key, body});
    if (!Array.isArray(value?.taps)) throw new Away("no answer of the gateway's");
    this.with.heard(value, sent);
    this.with.told({online: true, refusedAs: null});
    const asked = new Set(taps.map((tap) => tap.id));
    const answers = new Map();
    for (const {id, state, reason, what} of value.taps) {
      if (!asked.has(id) || !["accepted", "refused"].includes(state)) continue;
      answers.set(id, {state, reason, what: what ? bothOf(what) : null});
    }
    return this.#settle(answers);
  }

  async #settle(answers) {
    const settled = await this.with.queue.settle(answers);
    if (settled.length > 0) this.with.settled(settled);
    return settled.length;
  }
}

function asSent({id, kind, volunteer, team, activity, of, how, badge, time, clock}) {
  return {
    ...{id, kind, volunteer, team, activity, of, how, badge, time},
    clock: readable(clock),
  };
}

/** A clock may stand where no calendar reaches; what is sent must still be a time. */
function readable(clock) {
  return new Date(Math.min(Math.max(clock, -62_135_596_800_000), 253_402_300_799_000)).toISOString();
}
