/** How somebody is called on a screen: masked, or by the end of their number. */
import {make} from "./elements.js";
import {checkCharacter} from "./number.js";

/** Of a number, as people tell them apart: V7K2M9QXTA1-K ends with TA1-K. */
export const ENDING = 5;

/** An id as it is printed, with its check character; one that has no number stays as it is. */
export function numberOf(volunteer) {
  const hasNumber = /^[0-9A-HJKMNP-TV-Z]+$/.test(volunteer);
  return hasNumber ? `${volunteer}-${checkCharacter(volunteer)}` : volunteer;
}

/** @param {{volunteer: string, called: string|null}} who @returns {string} */
export function textOf(who, say) {
  return who.called ?? say("somebody", {end: numberOf(who.volunteer).slice(-ENDING)});
}

/** The same as an element: a name is Chinese, whatever language the screen speaks. */
export function nameOf(who, {say}) {
  return make("span", {class: "name", lang: who.called ? "zh-CN" : null}, textOf(who, say));
}
