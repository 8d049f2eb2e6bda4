/** A tone and a shake for what happened: in goes up, out goes down, a refusal growls twice. */

/** Hertz and milliseconds, one after the other. */
const TONES = {
  in: [[523, 90], [784, 160]],
  out: [[784, 90], [523, 160]],
  undone: [[440, 140]],
  refused: [[196, 160], [0, 60], [165, 240]],
};
const SHAKES = {in: [60], out: [60, 60, 60], undone: [30], refused: [200, 80, 200]};
const LOUDNESS = 0.25;

/** @type {AudioContext|null} */
let context = null;

/**
 * @param {"in"|"out"|"undone"|"refused"} what
 * @param {{sound: boolean, vibration: boolean}} settings
 */
export function signal(what, settings) {
  if (settings.vibration) navigator.vibrate?.(SHAKES[what]);
  if (settings.sound) play(TONES[what]);
}

function play(tones) {
  const audio = listening();
  if (audio === null) return;
  let at = audio.currentTime;
  for (const [hertz, milliseconds] of tones) {
    if (hertz > 0) sound(audio, hertz, at, milliseconds / 1000);
    at += milliseconds / 1000;
  }
}

/** Made at the first tap: a browser lets a page sound only after somebody has touched it. */
function listening() {
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume().catch(() => {});
    return context;
  } catch {
    return null; // a device without sound taps in silence
  }
}

function sound(audio, hertz, at, seconds) {
  const tone = new OscillatorNode(audio, {frequency: hertz, type: "triangle"});
  const gain = new GainNode(audio, {gain: 0});
  gain.gain.setTargetAtTime(LOUDNESS, at, 0.008); // without a click at either end
  gain.gain.setTargetAtTime(0, at + seconds * 0.8, 0.02);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + seconds + 0.1);
}
