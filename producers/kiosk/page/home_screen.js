/** The first screen: a large part that invites, or says what has become of it; and other ways. */
import {clockTime} from "./choices.js";
import {button, icon, inBoth, make, spoken} from "./elements.js";
import {nameOf, textOf} from "./names.js";
import {secondsLeft} from "./visits.js";
import {inTwo} from "./words.js";

const PANELS = {invite: invitation, done: donePanel, undone: undonePanel, refused: refusedPanel};

/** @param {import("./screens.js").Ui} ui @returns {import("./screens.js").Screen} */
export function homeScreen(ui) {
  const element = make("div", {class: "home"});
  let panel = null;
  let ways = null;
  const refresh = () => {
    const key = panelKey(ui);
    if (panel?.key === key) return panel.refresh();
    const focused = document.activeElement;
    const had = focused === document.body || panel?.element.contains(focused);
    panel = {key, refresh: () => {}, ...PANELS[ui.kiosk.panel.kind](ui)};
    if (ways?.state !== ui.camera.state) ways = {state: ui.camera.state, element: waysOf(ui)};
    show(element, [panel.element, ways.element]);
    panel.refresh();
    if (had) panel.element.querySelector("h1")?.focus();
  };
  return {element, refresh};
}

/** What stays is not taken out: it would lose the focus. */
function show(element, children) {
  children.forEach((child, n) => {
    if (element.children[n] === undefined) element.append(child);
    else if (element.children[n] !== child) element.children[n].replaceWith(child);
  });
}

function panelKey({kiosk, camera}) {
  const {kind, id} = kiosk.panel;
  return [kind, id, kind === "refused" && kiosk.panel.serial, camera.state].join(" ");
}

function invitation(ui) {
  return ui.camera.state === "off" ? showBadge(ui) : cameraPanel(ui);
}

function showBadge({say, language}) {
  return {
    element: make(
      "section",
      {class: "panel invite"},
      make("div", {class: "badge-picture"}, icon("badge")),
      make("h1", {tabindex: -1}, ...inBoth(...inTwo("show_badge"), language)),
      make("p", {class: "how"}, say("show_how")),
    ),
  };
}

function cameraPanel({camera, say, actions}) {
  const trouble = make("p", {class: "trouble", hidden: true}, say("camera_offline"));
  const element = make(
    "section",
    {class: "panel seeing"},
    make("h1", {tabindex: -1}, say("show_how_camera")),
    make("div", {class: "finder"}, camera.video),
    trouble,
    button({class: "quiet", click: () => actions.turnCamera()}, "turn", say("turn_camera")),
  );
  void camera.video.play().catch(() => {}); // moving it in the page has stopped it
  return {element, refresh: () => (trouble.hidden = camera.canRead)};
}

function donePanel(ui) {
  const {kiosk, say, language} = ui;
  const {id} = kiosk.panel;
  const done = doneOf(kiosk, id);
  const {tap, who} = done;
  const standing = make("p", {class: "standing"});
  const left = make("span", {class: "left"});
  const element = make(
    "section",
    {class: `panel done ${tap.kind}`},
    make("div", {class: "big-check"}, icon("check")),
    make("h1", {tabindex: -1}, ...inBoth(...inTwo(`done_${tap.kind}`), language)),
    make("p", {class: "whose"}, nameOf(who, ui), " ", make("time", {}, timeOf(tap, kiosk))),
    standing,
    button(
      {class: "undo", "aria-label": undoLabel(tap, who, say), click: () => kiosk.undo(id)},
      "undo",
      say("undo"),
      " ",
      left,
    ),
  );
  const refresh = () => {
    const now = doneOf(kiosk, id);
    if (now === undefined) return;
    put(standing, standingOf(now.tap, say));
    standing.dataset.state = now.tap.state;
    put(left, say("undo_seconds", {n: secondsLeft(now, kiosk.now())}));
  };
  return {element, refresh};
}

function undonePanel(ui) {
  const {kiosk, say} = ui;
  const done = doneOf(kiosk, kiosk.panel.id);
  return {
    element: make(
      "section",
      {class: "panel undone"},
      make("div", {class: "big-check"}, icon("undo")),
      make("h1", {tabindex: -1}, say("undone")),
      done && make("p", {class: "whose"}, nameOf(done.who, ui)),
    ),
  };
}

function refusedPanel({kiosk, say, language}) {
  const {what, key} = kiosk.panel;
  return {
    element: make(
      "section",
      {class: "panel refused"},
      make("div", {class: "big-check"}, icon("close")),
      make("h1", {tabindex: -1}, what ? spoken(what, language) : say(key)),
      button({class: "plain", click: () => kiosk.go("home")}, "check", say("got_it")),
    ),
  };
}

function waysOf({kiosk, camera, say, actions}) {
  const isOn = camera.state === "on";
  const words = say(isOn ? "stop_camera" : "use_camera");
  return make(
    "nav",
    {class: "ways", "aria-label": say("no_badge")},
    make("p", {class: "how"}, say("no_badge")),
    button({class: "way", click: () => actions.switchCamera()}, isOn ? "stop" : "camera", words),
    button({class: "way", click: () => kiosk.go("number")}, "keypad", say("type_number")),
    button({class: "way", click: () => kiosk.go("list")}, "people", say("pick_name")),
  );
}

/** Whether it is only here yet, with the gateway, or refused. */
export function standingOf(tap, say) {
  if (tap.state === "saved") return say("saved");
  return say(tap.state === "accepted" ? "accepted" : "tap_refused");
}

export function timeOf(tap, kiosk) {
  return clockTime(tap.time ?? tap.clock, kiosk.station.roster?.timezone);
}

export function undoLabel(tap, who, say) {
  return say("undo_whose", {name: textOf(who, say), kind: say(`kind_${tap.kind}`)});
}

/** Words in a place, touched only when they change: a screen reader may be reading them. */
export function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

const doneOf = (kiosk, id) => kiosk.visits.recent.find((one) => one.tap.id === id);
