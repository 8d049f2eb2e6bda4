/** The list of the team's people by masked name: a surname, then a person. */
import {button, make, spoken} from "./elements.js";
import {endings, grouped, listed} from "./people.js";

/** @param {import("./screens.js").Ui} ui @returns {import("./screens.js").Screen} */
export function listScreen(ui) {
  const {kiosk, say} = ui;
  const state = {team: null, head: null};
  const heading = make("h1", {tabindex: -1});
  const body = make("div", {class: "list-body"});
  const filter = make("div", {class: "chips", role: "group"});
  const draw = () => drawList(ui, state, {heading, filter, body}, draw);
  const back = () => {
    if (state.head === null) return kiosk.go("home");
    state.head = null;
    draw();
    heading.focus();
  };
  const element = make(
    "div",
    {class: "list"},
    make(
      "div",
      {class: "list-top"},
      button({class: "quiet", click: back}, "back", say("back")),
      heading,
      filter,
    ),
    body,
  );
  draw();
  return {element, refresh: () => {}};
}

function drawList(ui, state, {heading, filter, body}, draw) {
  const {kiosk, say} = ui;
  const groups = grouped(listed(kiosk.station.roster, state.team));
  const shown = groups.length === 1 ? groups[0] : groups.find((one) => one.head === state.head);
  const choose = (change) => () => {
    Object.assign(state, change);
    draw();
    heading.focus();
  };
  const first = groups.length === 0 ? "pick_name" : "choose_surname";
  heading.textContent = say(shown ? "choose_name" : first);
  filter.replaceChildren(...teamFilter(ui, state, choose));
  body.replaceChildren(
    groups.length === 0
      ? make("p", {class: "how"}, say("nobody_listed"))
      : shown
        ? namesOf(kiosk, shown.people)
        : headsOf(groups, choose),
  );
}

/** Of each team of this kiosk, where there are several. */
function teamFilter({kiosk, say, language}, state, choose) {
  const {roster} = kiosk.station;
  const teams = (roster?.teams ?? []).filter((one) => roster.kiosk.teams.includes(one.code));
  if (teams.length < 2) return [];
  const chip = (code, words) => {
    const click = choose({team: code, head: null});
    return button({class: "chip", "aria-pressed": String(state.team === code), click}, null, words);
  };
  const chips = teams.map((one) => chip(one.code, spoken(one.name, language)));
  return [chip(null, say("all")), ...chips];
}

function headsOf(groups, choose) {
  const heads = groups.map(({head, people}) =>
    make(
      "button",
      {type: "button", class: "head", click: choose({head})},
      make("span", {lang: "zh-CN"}, head),
      make("span", {class: "count"}, people.length),
    ),
  );
  return make("div", {class: "heads"}, heads);
}

function namesOf(kiosk, people) {
  const ends = endings(people);
  const names = people.map((one) =>
    make(
      "button",
      {type: "button", class: "name-choice", click: () => kiosk.come({volunteer: one.volunteer})},
      make("span", {lang: "zh-CN", class: "name"}, one.called ?? "–"),
      make("span", {class: "ending"}, `…${ends.get(one.volunteer)}`),
    ),
  );
  return make("div", {class: "names"}, names);
}
