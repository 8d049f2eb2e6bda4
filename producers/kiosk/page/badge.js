/**
 * What a scanned text says, checked as docs/badges.md has it, with no network: the same as
 * producers/badges.py. Whether a badge was replaced since, the roster tells.
 */
import {refusal} from "./refused.js";

const FIELD = "[0-9A-Z]{1,128}|\\+[A-Z2-7]{2,1024}";
const BADGE = new RegExp(
  `^(HOURS1-([A-Z2-7]{8})-([A-Z2-7]{8})-(${FIELD})-(${FIELD})-(0|[1-9][0-9]{0,7}))-([A-Z2-7]{103})$`,
);
const ANY_VERSION = /^HOURS[1-9][0-9]{0,2}-[0-9A-Z $%*+\-./:]+$/;
const PLAIN = /^[0-9A-Z]{1,128}$/;
const LONGEST = 4296;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * The badge that a text is. Throws Refused; `cannot-check` where this browser has no Ed25519.
 * @param {string} text
 * @param {string} ledger the ledger's name
 * @param {{id: string, key: string}[]} keys ids, and 32 bytes each in base64
 * @returns {Promise<{volunteer: string, serial: string, generation: number}>}
 */
export async function readBadge(text, ledger, keys) {
  const seen = text.trim();
  if (!/^[\x00-\x7f]*$/.test(seen) || seen.length > LONGEST) throw refusal("not-a-badge");
  const parts = BADGE.exec(seen.toUpperCase());
  if (parts === null) throw refusal(unread(seen.toUpperCase()));
  const [, said, tag, keyId, volunteerField, serialField, generation, signatureText] = parts;
  const [volunteer, serial] = [textOf(volunteerField), textOf(serialField)];
  const signature = bytesOf(signatureText);
  if (volunteer === null || serial === null || signature === null) throw refusal("not-a-badge");
  if (tag !== (await ledgerTag(ledger))) throw refusal("another-ledger");
  const candidates = keys.filter((key) => key.id === keyId);
  if (candidates.length === 0) throw refusal("unknown-key");
  const signed = new TextEncoder().encode(`${said}\n${ledger}`);
  for (const {key} of candidates) {
    if (await verifies(key, signature, signed)) {
      return {volunteer, serial, generation: Number(generation)};
    }
  }
  throw refusal("bad-signature");
}

function unread(seen) {
  return ANY_VERSION.test(seen) && !seen.startsWith("HOURS1-") ? "unknown-version" : "not-a-badge";
}

async function verifies(key, signature, signed) {
  let imported;
  try {
    const raw = Uint8Array.from(atob(key), (character) => character.charCodeAt(0));
    imported = await crypto.subtle.importKey("raw", raw, {name: "Ed25519"}, false, ["verify"]);
  } catch {
    throw refusal("cannot-check");
  }
  return crypto.subtle.verify({name: "Ed25519"}, imported, signature, signed);
}

async function ledgerTag(ledger) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ledger));
  return base32(new Uint8Array(digest).slice(0, 5));
}

/** The text that gives exactly this field; null if none does. */
function textOf(field) {
  if (!field.startsWith("+")) return field;
  const bytes = bytesOf(field.slice(1));
  if (bytes === null) return null;
  try {
    const text = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true}).decode(bytes);
    const length = Array.from(text).length;
    return length >= 1 && length <= 128 && !PLAIN.test(text) ? text : null;
  } catch {
    return null;
  }
}

/** What is written in base32; null where bits are left over that could say anything. */
function bytesOf(text) {
  const bytes = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    held = ((held << 5) | BASE32.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  const content = Uint8Array.from(bytes);
  return base32(content) === text ? content : null;
}

function base32(bytes) {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0x1fff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(held >> bits) & 31];
    }
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text;
}
