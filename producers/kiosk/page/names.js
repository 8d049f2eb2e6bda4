/** How somebody is called on a screen: masked, or by the end of their number. */
import {make} from "./elements.js";
import {checkCharacter} from "./number.js";

const ENDING = 4;

/** An id as it is printed and typed, with its check character; another id stays as it is. */
export function numberOf(volunteer) {
  return /^[0-9A-Z]+$/.test(volunteer) ? volunteer + checkCharacter(volunteer) : volunteer;
}

/** @param {{volunteer: string, called: string|null}} who @returns {string} */
export function textOf(who, say) {
  return who.called ?? say("somebody", {end: numberOf(who.volunteer).slice(-ENDING)});
}

/** The same as an element: a name is Chinese, whatever language the screen speaks. */
export function nameOf(who, {say}) {
  return make("span", {class: "name", lang: who.called ? "zh-CN" : null}, textOf(who, say));
}
