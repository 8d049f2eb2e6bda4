/** The screen stays on while the page is seen, where the browser can and the setting says so. */

const AGAIN_MS = 30_000;

/** @param {() => boolean} isWanted */
export function keepAwake(isWanted) {
  let lock = null;
  const hold = async () => {
    const isHeld = lock !== null && !lock.released;
    if (!isWanted() || document.visibilityState !== "visible") await lock?.release();
    else if (!isHeld) lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  };
  document.addEventListener("visibilitychange", () => void hold());
  setInterval(() => void hold(), AGAIN_MS); // a battery that runs low takes it away
  void hold();
}
