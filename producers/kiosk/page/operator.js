/**
 * The operator's page: the gateway and its kiosks as they are now, those with trouble first.
 *
 * It keeps nothing but its own key, and shows what the gateway said last, and how long ago.
 */
import {Away, ask} from "./api.js";
import {make} from "./elements.js";
import {WORDS} from "./operator_words.js";
import {Refused, refusal} from "./refused.js";

const EACH_MS = 5_000;
const OLD_MS = 15_000;
const CODE = /#code=([0-9A-Z-]{4,64})/i;
const SKEW_MS = 300_000;
const HEADS = ["kiosk", "place", "seen_at", "queued", "oldest", "offset_ms", "version", "trouble"];
const KEY = "hours-operator-key";
const LANGUAGE = "hours-operator-language";

const state = {
  language: localStorage.getItem(LANGUAGE) === "en" ? 1 : 0,
  found: null,
  at: 0,
  refused: null,
};
const part = (id) => document.getElementById(id);
const say = (name, n = "") => WORDS[name][state.language].replace("{n}", String(n));

async function begin() {
  part("language").addEventListener("click", changeLanguage);
  const code = CODE.exec(location.hash)?.[1];
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (code) await enrol(code);
  draw();
  setInterval(showAge, 1_000);
  await refresh();
}

async function enrol(code) {
  try {
    const {value} = await ask("POST", "/api/enrol", {body: {code}});
    localStorage.setItem(KEY, value.key);
    state.refused = null;
  } catch (error) {
    state.refused = error instanceof Refused ? error.what : refusal("gateway-away").what;
  }
}

/** Look for ever, now and then. */
async function refresh() {
  await look();
  setTimeout(refresh, EACH_MS);
}

/** Ask how things are, and draw it; a key that is refused is forgotten. */
async function look() {
  const key = localStorage.getItem(KEY);
  if (key === null) return;
  try {
    state.found = (await ask("GET", "/api/operator/kiosks", {key})).value;
    state.at = performance.now();
  } catch (error) {
    if (error instanceof Away) return; // its age is shown
    localStorage.removeItem(KEY);
    state.found = null;
    state.refused = error.what ?? null;
  }
  draw();
}

function changeLanguage() {
  state.language = 1 - state.language;
  localStorage.setItem(LANGUAGE, state.language ? "en" : "zh");
  draw();
}

function draw() {
  document.documentElement.lang = state.language ? "en" : "zh-CN";
  document.title = say("title");
  part("title").textContent = say("title");
  part("language").textContent = say("other_language");
  part("language").lang = state.language ? "zh-CN" : "en";
  if (localStorage.getItem(KEY) === null) drawEntrance();
  else if (state.found) part("content").replaceChildren(...overview(state.found));
  showAge();
}

function drawEntrance() {
  const typed = part("content").querySelector("input")?.value ?? "";
  const input = make("input", {id: "code", autocomplete: "off", spellcheck: "false", required: ""});
  input.value = typed;
  const refused = state.refused ? state.refused[state.language ? "en" : "zh"] : "";
  const form = make(
    "form",
    {},
    make("label", {for: "code"}, `${say("code")} (${say("code_how")})`),
    input,
    make("button", {class: "main", type: "submit"}, say("enrol")),
    make("p", {class: "refused", role: "alert"}, refused),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await enrol(input.value);
    draw();
    await look();
  });
  part("content").replaceChildren(form);
}

function showAge() {
  const age = part("age");
  if (!state.found) {
    age.textContent = "";
    return;
  }
  const seconds = Math.round((performance.now() - state.at) / 1_000);
  const isOld = seconds * 1_000 > OLD_MS;
  age.className = isOld ? "old" : "";
  age.textContent = say(isOld ? "old" : "age", seconds);
}

function overview({gateway, kiosks}) {
  return [
    make("h2", {}, say("gateway")),
    ...(gateway.trouble ? [make("p", {class: "sentence"}, gateway.trouble)] : []),
    make("dl", {class: "gateway"}, figures(gateway)),
    make("h2", {}, say("kiosks")),
    kiosks.length ? table(kiosks) : make("p", {}, say("none")),
  ];
}

function figures(gateway) {
  const ahead = gateway.clock_offset_ms;
  const clock = ahead === null ? say("unmeasured") : `${seconds(ahead)} s (${gateway.clock_by})`;
  return [
    figure("connected", say(gateway.connected ? "yes" : "no"), !gateway.connected),
    figure("waiting", gateway.waiting, false),
    figure("oldest", minute(gateway.oldest), false),
    figure("published", gateway.published, false),
    figure("refused_at_door", gateway.refused_at_door, false),
    figure("refused_by_kafka", gateway.refused_by_kafka, gateway.refused_by_kafka > 0),
    figure("clock", clock, Math.abs(ahead ?? 0) > SKEW_MS),
    figure("roster", say(gateway.roster_current ? "yes" : "roster_old"), !gateway.roster_current),
    figure("version", gateway.version, false),
  ];
}

function figure(name, value, isTrouble) {
  const shown = [make("dt", {}, say(name)), make("dd", {}, String(value))];
  return make("div", {class: isTrouble ? "trouble" : "well"}, shown);
}

function table(kiosks) {
  const heads = HEADS.map((name) => make("th", {scope: "col"}, say(name)));
  return make(
    "table",
    {},
    make("thead", {}, make("tr", {}, heads)),
    make("tbody", {}, kiosks.map(row)),
  );
}

function row(kiosk) {
  const shown = {
    ...kiosk,
    kiosk: kiosk.code,
    seen_at: minute(kiosk.seen_at),
    oldest: minute(kiosk.oldest),
    offset_ms: kiosk.offset_ms === null ? null : seconds(kiosk.offset_ms),
    trouble: kiosk.trouble.map((word) => say(`trouble.${word}`)).join("、"),
  };
  const cells = HEADS.map((name) => {
    const attributes = {"data-head": say(name), class: name === "trouble" ? "words" : "plain"};
    return make("td", attributes, String(shown[name] ?? "–"));
  });
  return make("tr", {class: kiosk.trouble.length ? "trouble" : "well"}, cells);
}

function seconds(milliseconds) {
  return (milliseconds / 1_000).toFixed(1);
}

/** A time as people read it here. */
function minute(time) {
  if (time === null) return "–";
  const locale = state.language ? "en-GB" : "zh-CN";
  const at = new Date(time);
  const today = at.toDateString() === new Date().toDateString();
  const style = today ? {timeStyle: "medium"} : {dateStyle: "short", timeStyle: "short"};
  return at.toLocaleString(locale, style);
}

void begin();
