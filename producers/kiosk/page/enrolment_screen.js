/** A browser becomes a kiosk: by a one-time code, typed, scanned, or from the address. */
import {button, make, spoken} from "./elements.js";

/** @param {import("./screens.js").Ui} ui @returns {import("./screens.js").Screen} */
export function enrolmentScreen(ui) {
  const {kiosk, say, actions} = ui;
  const input = make("input", {
    id: "code",
    type: "text",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    maxlength: 64,
    placeholder: "XXXX-XXXX-XXXX",
    "aria-describedby": "code-how code-wrong",
    value: kiosk.code ?? "",
  });
  const wrong = make("p", {class: "wrong", id: "code-wrong", role: "alert"});
  const go = button({type: "submit", class: "go"}, "key", say("enrol_go"));
  const submit = async (event) => {
    event?.preventDefault();
    if (input.value.trim() === "" || go.getAttribute("aria-disabled") === "true") return;
    go.setAttribute("aria-disabled", "true");
    wrong.textContent = "";
    const refusal = await actions.enrol(input.value);
    go.removeAttribute("aria-disabled");
    const words = refusal?.what ? spoken(refusal.what, ui.language) : say("failed");
    if (refusal) wrong.replaceChildren(words);
  };
  const element = make(
    "form",
    {class: "enrolment", novalidate: true, submit},
    make("h1", {}, make("label", {for: "code"}, say("enrol"))),
    make("p", {class: "how", id: "code-how"}, say("enrol_how")),
    input,
    wrong,
    make(
      "div",
      {class: "row"},
      kiosk.station.enrolment &&
        button({class: "quiet", click: () => kiosk.go("in-charge")}, "back", say("back")),
      go,
    ),
  );
  return {element, refresh: () => {}, focus: input};
}
