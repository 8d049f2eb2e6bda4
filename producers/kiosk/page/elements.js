/**
 * Elements, made by hand. Invariant: words become text and never markup, so that a name can't
 * become a tag.
 */
import {PATHS} from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {string | number | Node | null | undefined | false} Child nothing is made of an empty one
 * @param {string} tag
 * @param {Record<string, unknown>} attributes functions listen (`click`), null and false are left out
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) put(element, name, value);
  element.append(...children.flat().filter(isSomething).map(asNode));
  return element;
}

/** A drawing of ours, which says nothing to a screen reader: words stand beside it. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  for (const [key, value] of Object.entries({viewBox: "0 0 24 24", class: "icon"}))
    drawing.setAttribute(key, value);
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(path);
  return drawing;
}

/** A button with an icon before its words. */
export function button(attributes, drawing, ...words) {
  const label = make("span", {class: "label"}, ...words);
  return make("button", {type: "button", ...attributes}, drawing && icon(drawing), label);
}

/** The same in both languages: the one that was chosen is large. */
export function inBoth(zh, en, language) {
  const chinese = make("span", {lang: "zh-CN"}, zh);
  const english = make("span", {lang: "en"}, en);
  const [first, second] = language === "en" ? [english, chinese] : [chinese, english];
  second.className = "second";
  return [first, " ", second];
}

/**
 * What is said in both languages, in the one that was chosen.
 * @param {{zh: string, en: string}} what
 */
export function spoken({zh, en}, language) {
  const text = (language === "en" ? en : zh) || zh || en;
  return make("span", {lang: text === zh ? "zh-CN" : "en"}, text);
}

const isSomething = (child) => child !== null && child !== undefined && child !== false;
const asNode = (child) => (child instanceof Node ? child : String(child));

function put(element, name, value) {
  if (typeof value === "function") element.addEventListener(name, value);
  else if (isSomething(value)) element.setAttribute(name, value === true ? "" : String(value));
}
