/**
 * What is on every screen: the place and the time, what must be known, who can still undo, who
 * waits. Invariant: a bar is drawn anew only when what it says has changed, and keeps the focus.
 */
import {clockTime} from "./choices.js";
import {button, icon, make, spoken} from "./elements.js";
import {timeOf, undoLabel, standingOf, put} from "./home_screen.js";
import {nameOf, textOf} from "./names.js";
import {secondsLeft} from "./visits.js";
import {tagOf} from "./words.js";

const MOST_RECENT = 3;
const DAY_MS = 86_400_000;

/** @param {import("./screens.js").Ui} ui */
export function drawTop(ui, header, notices) {
  const {kiosk, say, language} = ui;
  const {roster, enrolment} = kiosk.station;
  const code = enrolment?.kiosk.place;
  const place = roster?.kiosk.place_name ?? (code && {zh: code, en: code});
  const key = JSON.stringify([place, language, enrolment !== null, notices]);
  drawn(header, key, () => [
    make("p", {class: "place"}, place ? spoken(place, language) : say("title")),
    make("p", {class: "clock", "aria-hidden": "true"}),
    make("div", {class: "corner"}, languageButton(ui), enrolment && inChargeButton(ui)),
    notices.length > 0 && noticeBar(ui, notices),
  ]);
  put(header.querySelector(".clock"), clockTime(kiosk.station.now(), roster?.timezone, false));
}

function languageButton({say, language, actions}) {
  const other = language === "en" ? "zh" : "en";
  const words = make("span", {lang: tagOf(other)}, say("other_language"));
  return button({class: "small", click: () => actions.set({language: other})}, null, words);
}

function inChargeButton({kiosk, say}) {
  return button({class: "small", click: () => kiosk.go("in-charge")}, "person", say("in_charge"));
}

/** The gravest in full; how many more there are leads to the person in charge's screen. */
function noticeBar({kiosk, say}, notices) {
  const [first] = notices;
  const more = say("more_notices", {n: notices.length - 1});
  return make(
    "div",
    {class: `notice ${first.tone}`, role: "group", "aria-label": say("notices")},
    icon(first.drawing),
    make("p", {}, first.words),
    notices.length > 1 && button({class: "small", click: () => kiosk.go("in-charge")}, null, more),
  );
}

/**
 * What everybody must know, gravest first.
 * @param {{offlineSince: number|null}} since milliseconds
 * @returns {{words: string, tone: "grave"|"calm", drawing: string}[]}
 */
export function noticesOf({kiosk, say, language}, {offlineSince}) {
  const {state, roster} = kiosk.station;
  const {clockOffMs, revoked, trouble} = state;
  const skew = (roster?.skew_seconds ?? 300) * 1000;
  const minutes = Math.round(Math.abs(clockOffMs ?? 0) / 60_000);
  const time = offlineSince && clockTime(offlineSince, roster?.timezone, false);
  const notices = [
    revoked && grave(say("revoked"), "stop"),
    trouble && !revoked && grave(spoken(trouble.what, language).textContent, "warning"),
    Math.abs(clockOffMs ?? 0) > skew && grave(say("clock_off", {n: minutes}), "clock"),
    isAtRisk(state, kiosk) && grave(say("storage_danger"), "warning"),
    offlineSince && !revoked && {words: say("offline_since", {time}), tone: "calm", drawing: "offline"},
  ];
  return notices.filter(Boolean);
}

const grave = (words, drawing) => ({words, drawing, tone: "grave"});

/** A browser that promised nothing evicts what is old first. */
function isAtRisk({persisted, oldest}, kiosk) {
  return persisted === false && oldest !== null && kiosk.station.now() - oldest > DAY_MS;
}

/** Under the screen: words to close, what can be undone, who waits. */
export function drawBars(ui, section) {
  const {kiosk, language} = ui;
  const {visits, notices, panel} = kiosk;
  const isShown = (id) => id === panel.id && visits.current === null && kiosk.route === "home";
  const recent = visits.recent.filter((one) => !isShown(one.tap.id)).slice(0, MOST_RECENT);
  const waiting = visits.waiting;
  const key = JSON.stringify([
    language,
    notices.map((one) => one.id),
    recent.map((one) => [one.tap.id, one.undone]),
    waiting.map((one) => one.volunteer),
  ]);
  section.setAttribute("aria-label", ui.say("bars"));
  drawn(section, key, () => [
    notices.map((one) => closable(ui, one)),
    recent.length > 0 && make("ul", {class: "recent"}, recent.map((one) => recentOne(ui, one))),
    waiting.length > 0 && waitingRow(ui, waiting),
  ]);
  for (const one of recent) refreshRecent(section, ui, one);
}

function closable(ui, notice) {
  const {kiosk, say} = ui;
  return make(
    "div",
    {class: "notice closable"},
    icon("refused"),
    make("p", {}, noticeWords(ui, notice)),
    button({class: "small", click: () => kiosk.dismiss(notice.id)}, "close", say("close")),
  );
}

/** A tap that was refused, a sentence of the station's, or one of ours. */
function noticeWords({kiosk, say, language}, {tap, who, what, key}) {
  const name = who ? textOf(who, say) : "";
  if (!tap) return what ? spoken(what, language) : say(key, {name});
  const told = tap.what ? spoken(tap.what, language).textContent : (tap.reason ?? "");
  const kind = tap.kind === "void" ? say("undo") : say(`kind_${tap.kind}`);
  const whose = who ? name : textOf({volunteer: tap.volunteer, called: null}, say);
  return say("refused_notice", {name: whose, time: timeOf(tap, kiosk), kind, what: told});
}

function recentOne(ui, {tap, who, undone}) {
  const {kiosk, say} = ui;
  const label = undoLabel(tap, who, say);
  const undo = {class: "small", "aria-label": label, click: () => kiosk.undo(tap.id)};
  const time = make("time", {}, timeOf(tap, kiosk));
  return make(
    "li",
    {"data-tap": tap.id, class: undone ? "undone" : tap.kind},
    icon(undone ? "undo" : "check"),
    make("span", {class: "words"}, nameOf(who, ui), ` ${say(`kind_${tap.kind}`)} `, time),
    undone
      ? make("span", {class: "standing"}, say("undone_short"))
      : [
          make("span", {class: "standing"}),
          button(undo, "undo", say("undo"), " ", make("span", {class: "left"})),
        ],
  );
}

function refreshRecent(section, {kiosk, say}, one) {
  if (one.undone) return;
  const element = section.querySelector(`[data-tap="${one.tap.id}"]`);
  put(element.querySelector(".standing"), standingOf(one.tap, say));
  put(element.querySelector(".left"), String(secondsLeft(one, kiosk.now())));
}

function waitingRow(ui, waiting) {
  const {kiosk, say} = ui;
  const people = waiting.map((who) => {
    const label = say("send_away", {name: textOf(who, say)});
    const attributes = {type: "button", class: "away", "aria-label": label};
    return make(
      "li",
      {},
      nameOf(who, ui),
      make("button", {...attributes, click: () => kiosk.sendAway(who.volunteer)}, icon("close")),
    );
  });
  const heading = make("h2", {}, `${say("waiting")} ${waiting.length}`);
  return make("div", {class: "waiting"}, heading, make("ul", {}, people));
}

function drawn(place, key, draw) {
  if (place.dataset.key === key) return;
  const held = place.contains(document.activeElement);
  place.dataset.key = key;
  place.replaceChildren(...draw().flat().filter(Boolean));
  if (held) (place.querySelector("button") ?? document.querySelector("main h1"))?.focus();
}
