/**
 * The page's own database: taps and a few facts, on the disk before anybody is told so.
 *
 * It knows nothing of what they mean. A promise of `write` is kept only once its transaction is
 * complete, with strict durability.
 */
import {refusal} from "./refused.js";

const NAME = "hours-kiosk";
const VERSION = 1;

/**
 * @returns {Promise<Store>} throws Refused where the browser has no room for one
 */
export function openStore() {
  return new Promise((resolve, reject) => {
    const failed = () => reject(refusal("no-storage"));
    let opening;
    try {
      opening = indexedDB.open(NAME, VERSION);
    } catch {
      failed();
      return;
    }
    opening.onupgradeneeded = () => makeStores(opening.result);
    opening.onerror = failed;
    opening.onblocked = failed;
    opening.onsuccess = () => resolve(new Store(opening.result));
  });
}

function makeStores(database) {
  const taps = database.createObjectStore("taps", {keyPath: "n", autoIncrement: true});
  taps.createIndex("id", "id", {unique: true});
  taps.createIndex("state", "state");
  taps.createIndex("volunteer", "volunteer");
  database.createObjectStore("facts");
}

export class Store {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
    database.onversionchange = () => database.close(); // a newer page takes over
  }

  /**
   * Do something with stores in one transaction; what it gives, once that is complete.
   * @template T
   * @param {string} name of the store
   * @param {(store: IDBObjectStore) => Promise<T>|T} deed
   * @returns {Promise<T>}
   */
  async write(name, deed) {
    return this.#within(name, "readwrite", deed);
  }

  /**
   * @template T
   * @param {string} name
   * @param {(store: IDBObjectStore) => Promise<T>|T} deed
   * @returns {Promise<T>}
   */
  async read(name, deed) {
    return this.#within(name, "readonly", deed);
  }

  async #within(name, mode, deed) {
    const transaction = this.database.transaction(name, mode, {durability: "strict"});
    const complete = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(undefined);
      transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
    });
    complete.catch(() => {}); // it is awaited below, or the deed's own failure is told
    let result;
    try {
      result = await deed(transaction.objectStore(name));
    } catch (error) {
      abort(transaction);
      throw error;
    }
    await complete;
    return result;
  }

  /** @param {string} name */
  async fact(name) {
    return this.read("facts", (facts) => asked(facts.get(name)));
  }

  /** @param {string} name */
  async setFact(name, value) {
    await this.write("facts", (facts) => asked(facts.put(value, name)));
  }
}

/**
 * A request's result.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function abort(transaction) {
  try {
    transaction.abort();
  } catch {
    // it has ended already
  }
}
