/** A number, typed on keys large enough for any finger, or on a keyboard. */
import {button, make, spoken} from "./elements.js";
import {put} from "./home_screen.js";
import {readNumber} from "./number.js";

/** No number holds I, L, O or U. */
const KEYS = "1234567890ABCDEFGHJKMNPQRSTVWXYZ";
const LONGEST = 129;

/** @param {import("./screens.js").Ui} ui @returns {import("./screens.js").Screen} */
export function numberScreen(ui) {
  const {kiosk, say} = ui;
  const field = numberField(ui);
  const wrong = make("p", {class: "wrong", id: "wrong", role: "alert"});
  const how = make("p", {class: "how", id: "number-how"}, say("number_how"));
  const element = make(
    "form",
    {class: "number", novalidate: true, submit: (event) => sent(event, kiosk)},
    make(
      "div",
      {class: "number-line"},
      field.label,
      field.input,
      button({class: "plain", click: () => kiosk.type(kiosk.typed.slice(0, -1))}, "erase", say("delete")),
      button({type: "submit", class: "go"}, "check", say("ok")),
    ),
    how,
    wrong,
    keypad(ui, field.input),
    button({class: "quiet", click: () => kiosk.go("home")}, "back", say("back")),
  );
  const refresh = () => refreshNumber(ui, field.input, how, wrong);
  return {element, refresh, focus: field.input};
}

function numberField({kiosk, say}) {
  const input = make("input", {
    id: "number",
    type: "text",
    // Our own keys are on the screen; a keyboard that is plugged in types as well.
    inputmode: "none",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    maxlength: LONGEST,
    "aria-describedby": "number-how wrong",
    input: () => kiosk.type(input.value),
  });
  return {input, label: make("h1", {}, make("label", {for: "number"}, say("your_number")))};
}

function refreshNumber({kiosk, say, language}, input, how, wrong) {
  if (input.value !== kiosk.typed) input.value = kiosk.typed;
  const refusal = kiosk.wrongNumber;
  input.toggleAttribute("aria-invalid", refusal !== null);
  how.hidden = refusal !== null;
  if (refusal === null) put(wrong, "");
  else put(wrong, refusal.what ? spoken(refusal.what, language).textContent : say(refusal.key));
  input.classList.toggle("good", readNumber(kiosk.typed) !== null);
}

function keypad({kiosk, say}, input) {
  const press = (key) => {
    kiosk.type((kiosk.typed + key).slice(0, LONGEST));
    input.value = kiosk.typed;
    finish(kiosk);
  };
  const keys = [...KEYS].map((key) => {
    const kind = /\d/.test(key) ? "key digit" : "key";
    return make("button", {type: "button", class: kind, click: () => press(key)}, key);
  });
  return make("div", {class: "keypad", role: "group", "aria-label": say("keys")}, keys);
}

/** As long as the numbers of this list are: then it is looked up, or refused, at once. */
function finish(kiosk) {
  const lengths = new Set((kiosk.station.roster?.people ?? []).map((one) => one.volunteer.length));
  const [usual] = lengths;
  const isWhole = lengths.size === 1 && kiosk.typed.replace(/[\s-]/g, "").length === usual + 1;
  if (isWhole) void kiosk.come({number: kiosk.typed});
}

function sent(event, kiosk) {
  event.preventDefault();
  if (kiosk.typed !== "") void kiosk.come({number: kiosk.typed});
}
