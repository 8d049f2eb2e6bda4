/**
 * Badges seen by the camera. The light is on only between `start` and `stop`. It doesn't judge what
 * it reads. Invariant: a badge that stays in view is read once; at most one picture is under way.
 */

const LOOK_MILLISECONDS = 250; // four a second
const SAME_BADGE_MILLISECONDS = 4_000;
const LONGEST_SIDE = 960;
const QUALITY = 0.8;

/** Why there is no picture: `camera-refused`, `no-camera`, `camera-busy`, `camera-insecure`. */
export class NoCamera extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export class Camera extends EventTarget {
  video = Object.assign(document.createElement("video"), {muted: true, playsInline: true});
  #stream = null;
  #looking = 0;
  #seen = new Map();
  #canvas = document.createElement("canvas");

  /**
   * Events: "text" (detail: what a code says) and "change" (of `state` or `canRead`).
   * @param {(picture: Blob) => Promise<string|null>} readPicture for a browser that can't itself
   */
  constructor(readPicture) {
    super();
    this.readPicture = readPicture;
    this.isPaused = () => false;
  }

  /** Whether pictures can be read: not where the browser can't and the gateway is away. */
  canRead = true;

  /** @returns {"on"|"off"} */
  get state() {
    return this.#stream === null ? "off" : "on";
  }

  /** @throws {NoCamera} */
  async start(facing) {
    this.stop();
    const turn = ++this.#looking;
    const stream = await opened(facing);
    if (turn !== this.#looking) return end(stream); // it was stopped meanwhile
    this.#stream = stream;
    this.video.srcObject = stream;
    this.#say("change");
    await this.video.play().catch(() => {});
    this.#look(turn, await detector());
  }

  stop() {
    this.#looking += 1;
    if (this.#stream !== null) end(this.#stream);
    this.#stream = null;
    this.video.srcObject = null;
    this.#say("change");
  }

  async #look(turn, reader) {
    while (turn === this.#looking) {
      const begun = performance.now();
      if (document.visibilityState === "visible" && this.video.videoWidth > 0)
        await this.#read(reader);
      await pause(Math.max(20, LOOK_MILLISECONDS - (performance.now() - begun)));
    }
  }

  async #read(reader) {
    try {
      const text = reader
        ? await local(reader, this.video)
        : await this.readPicture(await picture(this.video, this.#canvas));
      this.#note(true);
      if (text && this.#isNew(text)) this.#say("text", text);
    } catch {
      this.#note(false);
    }
  }

  #note(canRead) {
    const isNews = this.canRead !== canRead;
    this.canRead = canRead;
    if (isNews) this.#say("change");
  }

  /** Whether it came into view just now. While nobody is read, who comes is not taken for read. */
  #isNew(text) {
    const now = performance.now();
    const isNew = now - (this.#seen.get(text) ?? -Infinity) > SAME_BADGE_MILLISECONDS;
    if (isNew && this.isPaused()) return false;
    this.#seen.set(text, now);
    return isNew;
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

async function opened(facing) {
  if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("camera-insecure");
  const video = {facingMode: {ideal: facing}, width: {ideal: 1280}, height: {ideal: 720}};
  try {
    return await navigator.mediaDevices.getUserMedia({video, audio: false});
  } catch (error) {
    throw new NoCamera(REASONS[error.name] ?? "camera-busy");
  }
}

const REASONS = {
  NotAllowedError: "camera-refused",
  SecurityError: "camera-refused",
  NotFoundError: "no-camera",
  OverconstrainedError: "no-camera",
};

async function detector() {
  try {
    const formats = await globalThis.BarcodeDetector?.getSupportedFormats();
    return formats?.includes("qr_code") ? new BarcodeDetector({formats: ["qr_code"]}) : null;
  } catch {
    return null;
  }
}

const local = async (reader, video) => (await reader.detect(video))[0]?.rawValue ?? null;

async function picture(video, canvas) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

const end = (stream) => stream.getTracks().forEach((track) => track.stop());
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
