/**
 * Installs the service worker, and lets a newer page take over when nobody is tapping.
 */
const EACH_MS = 15 * 60_000;
const LOOK_MS = 2_000;
const ours = globalThis.trustedTypes?.createPolicy("kiosk", {
  createScriptURL: (path) => {
    if (path !== "/sw.js") throw new TypeError(path);
    return path;
  },
});

/**
 * @param {() => boolean} isIdle whether the page may be loaded anew
 */
export async function keepUpdated(isIdle) {
  const container = navigator.serviceWorker;
  if (!container) return;
  const hadOne = container.controller !== null;
  container.addEventListener("controllerchange", () => hadOne && location.reload());
  const path = ours ? ours.createScriptURL("/sw.js") : "/sw.js";
  const registration = await container.register(path, {updateViaCache: "none"}).catch(() => null);
  if (registration === null) return;
  setInterval(() => void registration.update().catch(() => {}), EACH_MS);
  setInterval(() => {
    if (registration.waiting && isIdle()) registration.waiting.postMessage("take-over");
  }, LOOK_MS);
}
