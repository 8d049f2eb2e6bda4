/**
 * The screens that people at the kiosk see, drawn from its state. They decide nothing. Invariant: a
 * screen is drawn anew only when it becomes another one, with another `keyOf`; what changes in it is
 * `refresh`ed.
 *
 * @typedef {{element: HTMLElement, refresh: () => void, focus?: HTMLElement}} Screen `focus`: what
 *   has it first, if not the heading
 * @typedef {{kiosk: import("./kiosk.js").Kiosk, camera: any, say: import("./words.js").Say,
 *   language: "zh"|"en", actions: Record<string, Function>}} Ui
 */
import {clockTime} from "./choices.js";
import {button, icon, inBoth, make, spoken} from "./elements.js";
import {enrolmentScreen} from "./enrolment_screen.js";
import {homeScreen} from "./home_screen.js";
import {inChargeScreen} from "./in_charge_screen.js";
import {listScreen} from "./list_screen.js";
import {nameOf, textOf} from "./names.js";
import {numberScreen} from "./number_screen.js";
import {inTwo} from "./words.js";

const ROUTES = {
  home: homeScreen,
  number: numberScreen,
  list: listScreen,
  enrol: enrolmentScreen,
  "in-charge": inChargeScreen,
};

/** Which screen is to be seen now. @param {Ui} ui @returns {string} */
export function keyOf({kiosk, language}) {
  const {visits, question, route, station, code} = kiosk;
  const {current} = visits;
  if (current !== null)
    return [language, current.who.volunteer, question.ask, question.ask && current.team].join(" ");
  const more = {list: station.roster?.as_of, enrol: code}[route];
  return [language, route, more ?? ""].join(" ");
}

/** @param {Ui} ui @returns {Screen} */
export function screenOf(ui) {
  const {visits, question, route} = ui.kiosk;
  if (visits.current === null) return ROUTES[route](ui);
  if (question.ask === "team") return teamScreen(ui);
  if (question.ask === "activity") return activityScreen(ui);
  return personScreen(ui);
}

/** In or out: the likely one is marked, and neither is chosen for anybody. */
function personScreen(ui) {
  const {kiosk, say} = ui;
  const {who} = kiosk.visits.current;
  const lastCall = make("p", {class: "last-call", hidden: true});
  const element = make(
    "div",
    {class: "person", "data-volunteer": who.volunteer},
    make(
      "div",
      {class: "person-top"},
      // It has the focus, and neither button: a scanner that ends with two line ends presses nothing.
      make("h1", {tabindex: -1}, nameOf(who, ui)),
      lately(ui, who),
      button({class: "quiet", click: () => kiosk.leave()}, "close", say("not_me")),
    ),
    lastCall,
    make("div", {class: "in-or-out"}, tapButton(ui, "in", who), tapButton(ui, "out", who)),
  );
  const refresh = () => showLastCall(lastCall, ui, who);
  return {element, refresh};
}

function tapButton({kiosk, say, language}, kind, who) {
  const isLikely = who.suggest === kind;
  return make(
    "button",
    {
      type: "button",
      class: `tap ${kind}${isLikely ? " likely" : ""}`,
      click: () => kiosk.press(kind),
    },
    icon(kind),
    make("span", {class: "label"}, ...inBoth(...inTwo(`kind_${kind}`), language)),
    isLikely && make("span", {class: "mark"}, icon("check"), say("suggested")),
  );
}

/** What this person did a moment ago, for whoever scans twice. */
function lately({kiosk, say}, who) {
  const done = kiosk.visits.recent.find(
    (one) => one.who.volunteer === who.volunteer && !one.undone,
  );
  if (done === undefined) return make("p", {class: "how"}, say("in_or_out"));
  const time = clockTime(done.tap.time ?? done.tap.clock, kiosk.station.roster?.timezone);
  const words = say("just_now", {time, kind: say(`kind_${done.tap.kind}`)});
  return make("p", {class: "how lately"}, icon("check"), words);
}

function showLastCall(element, {kiosk, say}, who) {
  const seconds = kiosk.lastCallSeconds;
  if (element.hidden !== (seconds === null)) element.hidden = seconds === null;
  if (seconds === null) return;
  const name = textOf(who, say);
  const words = `${say("still_there", {name})} ${say("still_there_how", {n: seconds})}`;
  if (element.textContent !== words) element.textContent = words;
}

function teamScreen(ui) {
  const {kiosk, say} = ui;
  const {offered, more} = kiosk.question;
  const choices = make("div", {class: "choices"});
  const answer = (team) => () => kiosk.answer({team: team.code});
  const show = (teams) => teams.map((one) => choice(spoken(one.name, ui.language), answer(one)));
  choices.append(...show(offered.length > 0 ? offered : more));
  if (offered.length > 0 && more.length > 0)
    choices.append(moreTeams(say, choices, () => show(more), more.length));
  return question(ui, "which_team", choices);
}

function moreTeams(say, choices, show, n) {
  const opened = () => {
    const added = show();
    choices.lastChild.replaceWith(...added);
    added[0].focus();
  };
  return button({class: "choice other", click: opened}, "people", say("all_teams", {n}));
}

function activityScreen(ui) {
  const {kiosk, say} = ui;
  const choices = make(
    "div",
    {class: "choices"},
    kiosk.question.offered.map((one) =>
      choice(activityLabel(one, kiosk), () => kiosk.answer({activity: one.code})),
    ),
    choice(say("no_activity"), () => kiosk.answer({activity: null}), "choice other"),
  );
  return question(ui, "which_activity", choices);
}

function activityLabel({title, start}, kiosk) {
  const time = start && clockTime(start, kiosk.station.roster?.timezone, false);
  const label = make("span", {lang: "zh-CN"}, title);
  return time ? make("span", {}, make("span", {class: "time"}, time), " ", label) : label;
}

function question(ui, key, choices) {
  const {kiosk, say} = ui;
  const {who} = kiosk.visits.current;
  const element = make(
    "div",
    {class: "question"},
    make("h1", {tabindex: -1}, say(key)),
    make("p", {class: "how"}, nameOf(who, ui)),
    choices,
    button({class: "quiet", click: () => kiosk.back()}, "back", say("back")),
  );
  return {element, refresh: () => {}};
}

const choice = (words, click, kind = "choice") => button({class: kind, click}, null, words);
