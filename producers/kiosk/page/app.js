/**
 * The page's beginning: it opens the station, draws what the kiosk is, and brings it what scanner,
 * camera and address say. Nothing is decided here.
 */
import {keepAwake} from "./awake.js";
import {drawBars, drawTop, noticesOf} from "./bars.js";
import {Camera} from "./camera.js";
import {make, spoken} from "./elements.js";
import {timeOf} from "./home_screen.js";
import {Kiosk} from "./kiosk.js";
import {textOf} from "./names.js";
import {readNumber} from "./number.js";
import {listenToScanner} from "./scanner.js";
import {keyOf, screenOf} from "./screens.js";
import {keepSettings, readSettings} from "./settings.js";
import {signal} from "./sounds.js";
import {Station} from "./station.js";
import {keepUpdated} from "./updating.js";
import {tagOf, wordsOf} from "./words.js";

const TICK_MS = 250;
const OFFLINE_AFTER_MS = 3_000; // when the page opens it has simply not asked yet
const SAME_PRESS_MS = 350;
const SAME_PLACE_PX = 40;
const CODE = /#code=([0-9A-Z-]{4,64})/i;

const place = (id) => document.getElementById(id);

/** The one-time code that an operator's QR code led here with; it is gone from the address. */
function codeOfAddress() {
  const code = CODE.exec(location.hash)?.[1] ?? null;
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
  return code;
}

class Page {
  #key = "";
  #shown = {refresh: () => {}};
  #changedAt = -Infinity;
  /** Where the last press was; nowhere once somebody has scanned: they have let go. */
  #pressed = {x: NaN, y: NaN};
  #offlineSince = null;
  #opened = Date.now();

  constructor(station) {
    this.kiosk = new Kiosk(station, readSettings());
    this.camera = new Camera((picture) => station.readImage(picture));
    this.#listen(station);
    this.#dress();
    this.draw();
    if (this.kiosk.settings.camera) void this.#startCamera();
    setInterval(() => this.#tick(), TICK_MS);
    void keepUpdated(() => this.kiosk.isIdle);
    keepAwake(() => this.kiosk.settings.awake);
  }

  get ui() {
    const {kiosk, camera} = this;
    const {language} = kiosk.settings;
    return {kiosk, camera, language, say: wordsOf(language), actions: this.actions};
  }

  actions = {
    set: (change) => this.#set(change),
    enrol: (code) => this.#enrol(code),
    acknowledge: (id) => this.kiosk.station.seeRefused(id),
    switchCamera: () => (this.camera.state === "on" ? this.#stopCamera() : this.#startCamera()),
    turnCamera: () => this.#turnCamera(),
    fullScreen: () =>
      document.fullscreenElement
        ? document.exitFullscreen()
        : document.documentElement.requestFullscreen().catch(() => {}),
  };

  get #isFirstScreen() {
    return this.kiosk.route === "home" && this.kiosk.visits.current === null;
  }

  draw() {
    const {ui} = this;
    if (!this.#isFirstScreen && !this.kiosk.settings.camera && this.camera.state === "on")
      this.#stopCamera();
    this.#noteOffline();
    drawTop(ui, place("top"), noticesOf(ui, {offlineSince: this.#offlineSince}));
    const screen = this.#screen(ui);
    screen.refresh();
    drawBars(ui, place("bars"));
  }

  #screen(ui) {
    const key = keyOf(ui);
    if (key === this.#key) return this.#shown;
    const screen = screenOf(ui);
    this.#key = key;
    this.#shown = screen;
    this.#changedAt = performance.now();
    place("screen").replaceChildren(screen.element);
    scrollTo(0, 0);
    (screen.focus ?? screen.element.querySelector("h1"))?.focus({preventScroll: true});
    return screen;
  }

  /** What comes by itself, as the next of the row does, comes late enough: its first press counts. */
  #tick() {
    const before = this.#changedAt;
    this.kiosk.tick();
    this.#changedAt = before;
  }

  #listen(station) {
    const {kiosk, camera} = this;
    for (const name of ["state", "roster"]) station.addEventListener(name, () => this.draw());
    kiosk.addEventListener("change", () => this.draw());
    kiosk.addEventListener("signal", ({detail}) => signal(detail, kiosk.settings));
    kiosk.addEventListener("say", ({detail}) => this.#say(detail));
    camera.addEventListener("change", () => this.draw());
    camera.addEventListener("text", ({detail}) => this.#scanned(detail));
    camera.isPaused = () => !this.#isFirstScreen;
    listenToScanner((text) => this.#scanned(text));
    addEventListener("click", (event) => this.#clicked(event), {capture: true});
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => kiosk.stir());
    addEventListener("hashchange", () => this.codeGiven(codeOfAddress()));
  }

  /** A second press that was meant for the screen before does nothing on the next one. */
  #clicked(event) {
    const {x, y} = this.#pressed;
    const isSamePlace = Math.hypot(event.clientX - x, event.clientY - y) < SAME_PLACE_PX;
    const isNewScreen = event.timeStamp - this.#changedAt < SAME_PRESS_MS;
    this.#pressed = {x: event.clientX, y: event.clientY};
    if (!isSamePlace || !isNewScreen || event.detail === 0) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #scanned(text) {
    const {kiosk} = this;
    this.#pressed = {x: NaN, y: NaN};
    kiosk.stir();
    const code = CODE.exec(text)?.[1];
    if (code) return this.codeGiven(code);
    if (kiosk.station.enrolment === null) return;
    void kiosk.come(readNumber(text) === null ? {badge: text} : {number: text});
  }

  codeGiven(code) {
    if (code === null) return;
    this.kiosk.code = code;
    this.kiosk.go("enrol");
    const isFirst = this.kiosk.station.enrolment === null;
    if (isFirst) document.querySelector("form.enrolment").requestSubmit();
  }

  async #enrol(code) {
    const {kiosk} = this;
    try {
      await kiosk.station.enrol(code);
    } catch (error) {
      if (!error.what) console.error(error);
      return error;
    }
    kiosk.code = null;
    kiosk.go("home");
    return null;
  }

  #set(change) {
    const {kiosk} = this;
    kiosk.settings = {...kiosk.settings, ...change};
    keepSettings(kiosk.settings);
    this.#dress();
    if (change.camera === true) void this.#startCamera();
    if (change.camera === false) this.#stopCamera();
    this.draw();
  }

  #dress() {
    const {language, large} = this.kiosk.settings;
    document.documentElement.lang = tagOf(language);
    document.documentElement.classList.toggle("large", large);
    document.title = wordsOf(language)("title");
  }

  async #startCamera() {
    const {kiosk, camera} = this;
    kiosk.panel = {kind: "invite"};
    try {
      await camera.start(kiosk.settings.facing);
    } catch (error) {
      kiosk.refuse({key: error.reason ?? "camera-busy"});
    }
  }

  #stopCamera() {
    this.camera.stop();
  }

  #turnCamera() {
    const facing = this.kiosk.settings.facing === "user" ? "environment" : "user";
    this.#set({facing});
    void this.#startCamera();
  }

  #noteOffline() {
    const {online} = this.kiosk.station.state;
    const isEarly = Date.now() - this.#opened < OFFLINE_AFTER_MS;
    if (online || this.kiosk.station.enrolment === null) this.#offlineSince = null;
    else if (!isEarly) this.#offlineSince ??= this.kiosk.station.now();
  }

  /** For whoever hears the screen: what happened, and of a refusal, at once. */
  #say({key, ...shown}) {
    const {ui} = this;
    const isRefusal = shown.what || key === "tap_refused" || key === "failed";
    const words = shown.what
      ? spoken(shown.what, ui.language)
      : ui.say(key, this.#filledIn(shown, ui));
    const spot = place(isRefusal ? "alarm" : "said");
    spot.replaceChildren(make("p", {}, words));
  }

  #filledIn({who, tap}, {say}) {
    const name = who ? textOf(who, say) : "";
    return tap ? {name, kind: say(`kind_${tap.kind}`), time: timeOf(tap, this.kiosk)} : {name};
  }
}

async function begin() {
  const code = codeOfAddress();
  try {
    const page = new Page(await Station.open());
    page.codeGiven(code);
  } catch (error) {
    console.error(error);
    const what = error.what ?? {zh: wordsOf("zh")("failed"), en: wordsOf("en")("failed")};
    place("screen").replaceChildren(
      make("h1", {class: "opening"}, spoken(what, "zh"), " ", spoken(what, "en")),
    );
  }
}

void begin();
