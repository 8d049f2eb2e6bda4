/**
 * Serves the whole page from this device, so that it works with the network away for days.
 *
 * The gateway fills in VERSION, the hash of all files, and FILES, their paths. One version is served
 * whole or not at all; a new one waits until the page says that nobody is in the middle of anything.
 * What is asked of /api goes to the network alone. Taps are not here: the page's database has them.
 */
const VERSION = "VERSION";
const FILES = ["FILES"];
const CACHE = `hours-kiosk-${VERSION}`;
const served = new Set(FILES);

addEventListener("install", (event) => {
  event.waitUntil(fill());
});

addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forgetOthers(), clients.claim()]));
});

addEventListener("message", ({data}) => {
  if (data === "take-over") skipWaiting();
});

addEventListener("fetch", (event) => {
  const {origin, pathname} = new URL(event.request.url);
  if (origin !== location.origin || event.request.method !== "GET") return;
  if (served.has(pathname)) event.respondWith(fromCache(event.request, pathname));
});

/** All files, or none: `addAll` fails where any of them does. */
async function fill() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((path) => new Request(path, {cache: "reload"})));
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

async function fromCache(request, pathname) {
  const cache = await caches.open(CACHE);
  return (await cache.match(pathname)) ?? fetch(request);
}
