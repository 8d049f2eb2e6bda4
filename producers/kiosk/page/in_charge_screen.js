/** For the person in charge: how the kiosk is, what was refused, and what can be set. */
import {activitiesOffered, clockTime, dayOf} from "./choices.js";
import {button, icon, make, spoken} from "./elements.js";
import {put} from "./home_screen.js";
import {nameOf} from "./names.js";

/** @param {import("./screens.js").Ui} ui @returns {import("./screens.js").Screen} */
export function inChargeScreen(ui) {
  const {kiosk, say} = ui;
  const lines = make("ul", {class: "lines"});
  const refused = make("section", {class: "refusals"});
  const element = make(
    "div",
    {class: "in-charge"},
    make("h1", {tabindex: -1}, say("in_charge")),
    make("section", {}, make("h2", {}, say("status")), lines),
    refused,
    settingsOf(ui),
    make(
      "div",
      {class: "row"},
      button({class: "go", click: () => kiosk.go("home")}, "back", say("back")),
      button({class: "quiet", click: () => kiosk.go("enrol")}, "key", say("enrol_again")),
    ),
  );
  const shown = {count: null};
  const refresh = () => {
    showLines(lines, statusLines(ui));
    if (shown.count === kiosk.station.state.refused) return;
    shown.count = kiosk.station.state.refused;
    void showRefused(ui, refused);
  };
  return {element, refresh};
}

/** Icon and words, and whether it is a worry. */
function statusLines({kiosk, say, language}) {
  const {roster, state, enrolment} = kiosk.station;
  const {code} = enrolment.kiosk;
  const name = roster?.kiosk.place_name ?? {zh: enrolment.kiosk.place, en: enrolment.kiosk.place};
  const place = spoken(name, language).textContent;
  return [
    ["person", say("enrolled_as", {place, code}), false],
    [state.online ? "cloud" : "offline", say(state.online ? "connected" : "not_connected"), false],
    ["in", queueLine(state, roster, say), false],
    ["clock", ...clockLine(state, roster, say)],
    ["key", ...persistedLine(state, say)],
    ["people", ...rosterLine(roster, say)],
    ["check", say("version", {v: state.version ?? "–"}), false],
  ];
}

function queueLine({queued, oldest}, roster, say) {
  if (queued === 0) return say("queue_empty");
  const time = oldest === null ? "–" : clockTime(oldest, roster?.timezone, false);
  return say("queue", {n: queued, time});
}

function clockLine({clockOffMs}, roster, say) {
  if (clockOffMs === null) return [say("clock_unknown"), false];
  const skew = (roster?.skew_seconds ?? 300) * 1000;
  const off = Math.abs(clockOffMs);
  if (off <= skew) return [say("clock_good", {n: (off / 1000).toFixed(1)}), false];
  return [say("clock_off", {n: Math.round(off / 60_000)}), true];
}

function persistedLine({persisted}, say) {
  if (persisted === true) return [say("persisted_yes"), false];
  return [say(persisted === false ? "persisted_no" : "persisted_unknown"), persisted === false];
}

function rosterLine(roster, say) {
  if (roster === null) return [say("roster_none"), true];
  const time = roster.as_of ? clockTime(roster.as_of, roster.timezone, false) : "–";
  return [say("roster_as_of", {time, n: roster.people.length}), false];
}

function showLines(list, lines) {
  while (list.children.length < lines.length)
    list.append(make("li", {}, make("span", {class: "words"})));
  lines.forEach(([drawing, words, isWorry], n) => {
    const line = list.children[n];
    if (line.dataset.drawing !== drawing || line.classList.contains("worry") !== isWorry) {
      line.querySelector("svg")?.remove();
      line.prepend(icon(isWorry ? "warning" : drawing));
      line.dataset.drawing = drawing;
      line.classList.toggle("worry", isWorry);
    }
    put(line.lastChild, words);
  });
}

async function showRefused(ui, section) {
  const taps = await ui.kiosk.station.refusedTaps();
  section.replaceChildren(
    make("h2", {}, ui.say("refused_taps", {n: taps.length})),
    taps.length === 0
      ? make("p", {class: "how"}, ui.say("refused_none"))
      : make("ul", {class: "refused-list"}, taps.map((tap) => refusedTap(ui, tap))),
  );
}

function refusedTap(ui, tap) {
  const {kiosk, say, language, actions} = ui;
  const {roster} = kiosk.station;
  const person = roster?.people.find((one) => one.volunteer === tap.volunteer);
  const who = {volunteer: tap.volunteer, called: person?.called ?? null};
  const time = clockTime(tap.time ?? tap.clock, roster?.timezone);
  const kind = tap.kind === "void" ? say("undo") : say(`kind_${tap.kind}`);
  return make(
    "li",
    {},
    make(
      "div",
      {},
      make("p", {class: "whose"}, nameOf(who, ui), ` ${kind} `, make("time", {}, time)),
      make("p", {}, tap.what ? spoken(tap.what, language) : (tap.reason ?? "")),
    ),
    button({class: "plain", click: () => actions.acknowledge(tap.id)}, "check", say("acknowledge")),
  );
}

function settingsOf(ui) {
  const {say, actions} = ui;
  return make(
    "section",
    {class: "settings"},
    make("h2", {}, say("settings")),
    make(
      "div",
      {class: "switches"},
      ["sound", "vibration", "large", "awake", "camera"].map((name) => switchOf(ui, name)),
      button({class: "plain", click: () => actions.fullScreen()}, "full", say("full_screen")),
    ),
    activityChoice(ui),
  );
}

function switchOf({kiosk, say, actions}, name) {
  const isOn = kiosk.settings[name];
  const words = say(name === "camera" ? "camera_always" : name);
  const state = make("span", {class: "state"}, say(isOn ? "on" : "off"));
  const label = make("span", {class: "label"}, words);
  const attributes = {type: "button", class: "switch", role: "switch", click: toggled};
  return make("button", {...attributes, "aria-checked": String(isOn)}, label, state);

  function toggled(event) {
    const now = !kiosk.settings[name];
    event.currentTarget.setAttribute("aria-checked", String(now));
    state.textContent = say(now ? "on" : "off");
    actions.set({[name]: now});
  }
}

/** One activity for everybody, today only. */
function activityChoice({kiosk, say, actions}) {
  const {roster} = kiosk.station;
  const now = kiosk.station.now();
  const teams = (roster?.teams ?? []).map((one) => one.code);
  const today = new Map(
    teams.flatMap((team) => activitiesOffered(roster, team, now)).map((one) => [one.code, one]),
  );
  if (today.size === 0) return null;
  const day = dayOf(now, roster.timezone);
  const set = kiosk.settings.activity?.day === day ? kiosk.settings.activity.code : "";
  const chosen = ({target: {value: code}}) => actions.set({activity: code ? {code, day} : null});
  const titles = [...today.values()].map((one) => [one.code, one.title]);
  const options = [["", say("ask_each")], ...titles];
  return make(
    "label",
    {class: "activity-choice"},
    make("span", {}, say("todays_activity")),
    make(
      "select",
      {change: chosen},
      options.map(([value, words]) => make("option", {value, selected: value === set}, words)),
    ),
  );
}
