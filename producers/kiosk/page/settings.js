/**
 * What the person in charge has set on this device: language, sound, screen, camera, activity.
 * Not where taps are kept. Invariant: a browser that stores nothing still has the defaults.
 */
const NAME = "hours-kiosk-settings";

/**
 * `activity` is what everybody here comes for on one day: {code, day}.
 * @typedef {{language: "zh"|"en", sound: boolean, vibration: boolean, large: boolean, awake: boolean,
 *   camera: boolean, facing: "environment"|"user", activity: {code: string, day: string}|null}} Settings
 * @type {Settings}
 */
const DEFAULTS = {
  language: "zh",
  sound: true,
  vibration: true,
  large: false,
  awake: true,
  camera: false,
  facing: "environment",
  activity: null,
};

/** @returns {Settings} */
export function readSettings() {
  try {
    return {...DEFAULTS, ...JSON.parse(localStorage.getItem(NAME) ?? "{}")};
  } catch {
    return {...DEFAULTS};
  }
}

/** @param {Settings} settings */
export function keepSettings(settings) {
  try {
    localStorage.setItem(NAME, JSON.stringify(settings));
  } catch {
    // Then they last as long as the page does.
  }
}
