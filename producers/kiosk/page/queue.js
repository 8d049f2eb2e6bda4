/**
 * The taps of this browser, in the order in which they were made, until the gateway has them.
 *
 * A tap is `saved` until it was answered, then `accepted` or `refused`; a refusal that the person in
 * charge has looked at is `seen`. Nothing else ever leaves the state `saved`.
 *
 * @typedef {object} Tap
 * @property {number} [n] place in the order
 * @property {string} id
 * @property {"in"|"out"|"void"} kind
 * @property {string} volunteer
 * @property {string|null} team
 * @property {string|null} activity
 * @property {string|null} of the tap that a void takes back
 * @property {"badge"|"number"|"list"} how
 * @property {string|null} badge
 * @property {number} clock
 * @property {number} mono
 * @property {string} life
 * @property {string|null} time RFC 3339, once it is decided, for ever
 * @property {"saved"|"accepted"|"refused"|"seen"} state
 * @property {string|null} reason
 * @property {{zh: string, en: string}|null} what
 */
import {refusal} from "./refused.js";
import {asked} from "./store.js";

const HISTORY_MS = 3 * 86_400_000;

export class Queue {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
  }

  /**
   * Keep a tap. Resolved once it is on the disk; throws Refused where it can't be.
   * @param {Tap} tap
   */
  async add(tap) {
    try {
      await this.store.write("taps", (taps) => asked(taps.add(tap)));
    } catch {
      throw refusal("no-storage");
    }
  }

  /**
   * The oldest taps that wait.
   * @param {number} most
   * @returns {Promise<Tap[]>}
   */
  async waiting(most) {
    return this.store.read("taps", (taps) => asked(taps.index("state").getAll("saved", most)));
  }

  /**
   * Give taps their time, those that have none; the taps as they are then.
   * @param {Tap[]} waiting
   * @param {(tap: Tap) => string|null} timeOf
   * @returns {Promise<Tap[]>}
   */
  async decideTimes(waiting, timeOf) {
    if (waiting.every((tap) => tap.time !== null)) return waiting;
    return this.store.write("taps", async (taps) => {
      const decided = [];
      for (const {n} of waiting) {
        const tap = await asked(taps.get(n));
        if (tap.time === null) {
          tap.time = timeOf(tap);
          await asked(taps.put(tap));
        }
        decided.push(tap);
      }
      return decided;
    });
  }

  /**
   * Note what the gateway answered; the taps that changed.
   * @param {Map<string, {state: "accepted"|"refused", reason?: string|null, what?: any}>} answers by id
   * @returns {Promise<Tap[]>}
   */
  async settle(answers) {
    return this.store.write("taps", async (taps) => {
      const settled = [];
      for (const [id, {state, reason = null, what = null}] of answers) {
        const tap = await asked(taps.index("id").get(id));
        if (tap?.state !== "saved") continue;
        await asked(taps.put(Object.assign(tap, {state, reason, what})));
        settled.push(tap);
      }
      return settled;
    });
  }

  /** @returns {Promise<{queued: number, oldest: Tap|null, refused: number}>} */
  async counts() {
    return this.store.read("taps", async (taps) => {
      const states = taps.index("state");
      const queued = await asked(states.count("saved"));
      const [oldest] = await asked(states.getAll("saved", 1));
      return {queued, oldest: oldest ?? null, refused: await asked(states.count("refused"))};
    });
  }

  /**
   * What the gateway refused and nobody has looked at.
   * @returns {Promise<Tap[]>}
   */
  async refused() {
    return this.store.read("taps", (taps) => asked(taps.index("state").getAll("refused")));
  }

  /** The person in charge has looked at a refusal. @param {string} id */
  async see(id) {
    await this.store.write("taps", async (taps) => {
      const tap = await asked(taps.index("id").get(id));
      if (tap?.state === "refused") await asked(taps.put({...tap, state: "seen"}));
    });
  }

  /**
   * What a volunteer did here lately, newest first.
   * @param {string} volunteer
   * @returns {Promise<Tap[]>}
   */
  async tapsOf(volunteer) {
    const found = await this.store.read("taps", (taps) =>
      asked(taps.index("volunteer").getAll(volunteer)),
    );
    return found.reverse();
  }

  /** Drop what was settled days ago. @param {number} now */
  async forget(now) {
    await this.store.write("taps", async (taps) => {
      for (const state of ["accepted", "seen"]) {
        for (const tap of await asked(taps.index("state").getAll(state))) {
          if (tap.clock < now - HISTORY_MS) await asked(taps.delete(tap.n));
        }
      }
    });
  }
}
