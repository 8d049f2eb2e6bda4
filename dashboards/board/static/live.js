// The front page's movement: the server sends the moving part whole, and how fresh it is.
// Invariant: a figure that may be old never looks live; without this script the page is right, as
// of the moment it was made.

const page = document.getElementById("live");
const fresh = document.getElementById("fresh");
const words = fresh.dataset;
const OLD_MILLISECONDS = 15_000;
const BEHIND_MILLISECONDS = 5_000;

let beat = { now: Number(words.now), read_at: Number(words.read), behind_ms: null, kafka: null, failing: null };
let heardAt = performance.now();
let isCut = true;

/** @param {number} milliseconds */
const age = (milliseconds) => {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 120 ? `${seconds} ${words.seconds}` : `${Math.round(seconds / 60)} ${words.minutes}`;
};

/** What is to be said of the figures, and how bad it is. */
const state = () => {
  const since = performance.now() - heardAt;
  const old = beat.now - beat.read_at + since;
  const figures = words.old.replace("{age}", age(old));
  if (isCut) return { text: `${words.cut} · ${figures}`, mood: "old" };
  if (old > OLD_MILLISECONDS || beat.failing) return { text: figures, mood: "old" };
  if (beat.behind_ms !== null && beat.behind_ms + since > BEHIND_MILLISECONDS) {
    return { text: words.behind.replace("{age}", age(beat.behind_ms + since)), mood: "old" };
  }
  if (beat.kafka === null) return { text: words.kafka, mood: "doubt" };
  return { text: words.live, mood: "live" };
};

const show = () => {
  const { text, mood } = state();
  if (fresh.textContent !== text) fresh.textContent = text;
  fresh.dataset.mood = mood;
};

/** @param {string} markup the server's own, escaped there */
const replace = (markup) => {
  const parsed = new DOMParser().parseFromString(markup, "text/html");
  const held = document.activeElement?.closest("#live a")?.getAttribute("href");
  page.replaceChildren(...parsed.body.childNodes);
  if (held) [...page.querySelectorAll("a")].find((one) => one.getAttribute("href") === held)?.focus();
};

const source = new EventSource("/live");
source.addEventListener("figures", (event) => replace(event.data));
source.addEventListener("beat", (event) => {
  beat = JSON.parse(event.data);
  heardAt = performance.now();
  isCut = false;
  show();
});
source.addEventListener("error", () => {
  isCut = true;
  show();
  // A browser gives up where the answer was no stream: then the page is asked for anew.
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5_000);
});
setInterval(show, 1_000);
show();
