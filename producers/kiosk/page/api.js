/**
 * Asking the gateway. An answer is believed only if it is JSON and of the gateway's shape: what a
 * captive portal says with status 200 is no answer.
 */
import {Refused, bothOf} from "./refused.js";

const PATIENCE_MS = 15_000;

/** The gateway wasn't reached, or what came back wasn't the gateway's. */
export class Away extends Error {}

/**
 * @param {"GET"|"POST"} method
 * @param {string} path
 * @param {{key?: string, body?: any, etag?: string|null, patience?: number}} [options]
 * @returns {Promise<{status: number, value: any, etag: string|null}>} value null with 304
 * @throws {Away|Refused}
 */
export async function ask(method, path, {key, body, etag, patience = PATIENCE_MS} = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (key) headers.authorization = `Bearer ${key}`;
  if (etag) headers["if-none-match"] = etag;
  const isBlob = body instanceof Blob;
  if (body !== undefined) headers["content-type"] = isBlob ? body.type : "application/json";
  let response;
  let value = null;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined || isBlob ? body : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(patience),
    });
    if (response.status !== 304) value = await response.json();
  } catch (error) {
    throw new Away(String(error));
  }
  if (response.ok || response.status === 304) {
    return {status: response.status, value, etag: response.headers.get("etag")};
  }
  if (typeof value?.reason !== "string" || typeof value?.what !== "string") {
    throw new Away(`status ${response.status}`);
  }
  throw Object.assign(new Refused(value.reason, bothOf(value.what)), {status: response.status});
}
