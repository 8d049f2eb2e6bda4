/**
 * A scanner that acts as a keyboard: fast keystrokes that end with Enter (or Tab), wherever the
 * focus is. It doesn't judge what was scanned. Invariant: what somebody types slowly reaches the
 * field they type it in; the keys of a scan press no button and stay in no field.
 *
 * Under an input method a key has no character (`key` is "Process"): then its place on the
 * keyboard (`code`) says which it is.
 */

const FAST_MILLISECONDS = 120; // scanners need 1 to 50 from key to key, quick hands 80 to 200
const BADGE_MILLISECONDS = 1_000; // nobody types the beginning of a badge by hand
const SHORTEST = 5;
const LONGEST = 5_000;
const ECHO_MILLISECONDS = 100; // a second line end
const LATE_MILLISECONDS = 300; // what an input method still writes
const BADGE = /^HOURS\d/;

/** Of a US keyboard, which scanners act as. */
const CODES = {Minus: "-", Space: " ", Period: ".", Slash: "/", NumpadAdd: "+", NumpadSubtract: "-"};

/** What was typed so far at one go: pure, so that its rules can be read alone. */
export class Burst {
  text = "";
  at = -Infinity;

  /** One more character; after a pause it begins anew. Milliseconds. */
  add(character, at) {
    if (at - this.at > (this.isBadge() ? BADGE_MILLISECONDS : FAST_MILLISECONDS)) this.text = "";
    this.text = (this.text + character).slice(0, LONGEST);
    this.at = at;
  }

  /** What was scanned, if a line's end at this time ends a scan, or null. */
  ended(at, inField) {
    const {text} = this;
    const isSoon = at - this.at <= (this.isBadge() ? BADGE_MILLISECONDS : FAST_MILLISECONDS);
    this.text = "";
    if (!isSoon) return null;
    const isScan = BADGE.test(text.toUpperCase()) || (text.length >= SHORTEST && !inField);
    return isScan ? text : null;
  }

  isBadge() {
    return BADGE.test(this.text.toUpperCase());
  }
}

/**
 * @param {(text: string) => void} scanned
 * @param {Window} page
 */
export function listenToScanner(scanned, page = window) {
  const burst = new Burst();
  let field = null; // where the burst began to be written, and what was there before
  let echo = -Infinity;

  page.addEventListener("keydown", heard, {capture: true});
  page.addEventListener("input", restored, {capture: true});
  page.addEventListener("compositionend", restored, {capture: true});

  function heard(event) {
    if (isCommand(event)) return;
    if (isEnd(event)) return end(event);
    const character = characterOf(event);
    if (character === null) return;
    const before = burst.text;
    burst.add(character, event.timeStamp);
    if (burst.text.length === 1) field = fieldOf(event.target);
    const pressesButton = character === " " && before.length > 1 && field === null;
    if (burst.isBadge() || pressesButton) event.preventDefault();
  }

  function end(event) {
    const isEcho = event.timeStamp - echo < ECHO_MILLISECONDS && burst.text === "";
    const text = burst.ended(event.timeStamp, field !== null);
    if (text === null && !isEcho) return;
    event.preventDefault(); // it would press the button that has the focus
    event.stopPropagation();
    if (text === null) return;
    echo = event.timeStamp;
    clear();
    scanned(text);
  }

  function clear() {
    if (field === null) return;
    field.element.blur(); // ends what an input method is composing
    write(field);
  }

  function restored(event) {
    const isLate = event.timeStamp - echo < LATE_MILLISECONDS && event.target === field?.element;
    if (isLate && event.isTrusted && field.element.value !== field.value) write(field);
  }
}

function write({element, value}) {
  element.value = value;
  element.dispatchEvent(new Event("input", {bubbles: true}));
}

const isCommand = (event) => event.ctrlKey || event.altKey || event.metaKey;

function isEnd({key, code}) {
  return key === "Enter" || key === "Tab" || code === "Enter" || code === "NumpadEnter";
}

function fieldOf(target) {
  return target instanceof HTMLInputElement ? {element: target, value: target.value} : null;
}

/** @returns {string|null} the character of a key; null for one that writes nothing */
function characterOf({key, code, shiftKey}) {
  if (key.length === 1 && key >= " " && key <= "~") return key;
  if (key !== "Process" && key !== "Unidentified" && key.length !== 1) return null;
  if (code === "Equal") return shiftKey ? "+" : "=";
  const found = /^(?:Key([A-Z])|(?:Digit|Numpad)(\d))$/.exec(code);
  return CODES[code] ?? found?.[1] ?? found?.[2] ?? null;
}
