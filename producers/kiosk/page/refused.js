/**
 * A refusal: a stable word, and what to tell people in both languages.
 */
export class Refused extends Error {
  /**
   * @param {string} reason
   * @param {{zh: string, en: string}} what
   */
  constructor(reason, what) {
    super(reason);
    this.reason = reason;
    this.what = what;
  }
}

/**
 * The two halves of a sentence of the gateway's, "中文。 English.".
 * @param {string} text
 * @returns {{zh: string, en: string}}
 */
export function bothOf(text) {
  const end = text.search(/[。！？] /);
  if (end < 0) return {zh: text, en: text};
  return {zh: text.slice(0, end + 1), en: text.slice(end + 2)};
}

/** @type {Record<string, {zh: string, en: string}>} */
const WORDS = {
  "not-a-badge": {
    zh: "这不是志愿者证的二维码，或没有扫完整：请对准志愿者证再扫一次。",
    en: "This is not a badge's QR code, or not all of it: scan the badge once more.",
  },
  "unknown-version": {
    zh: "志愿者证的版本比签到机新：请更新签到机的程序。",
    en: "The badge is of a version this kiosk doesn't know: update the kiosk's program.",
  },
  "another-ledger": {
    zh: "这是别的地区的志愿者证，在这里不能用。",
    en: "This badge is another district's, and doesn't count here.",
  },
  "unknown-key": {
    zh: "签到机没有这张志愿者证的公钥：请更新签到机的公钥，或补办志愿者证。",
    en: "This kiosk lacks the public key of this badge: give it the newest keys, or replace the badge.",
  },
  "bad-signature": {
    zh: "志愿者证的签名不对，可能被改动过：请再扫一次，仍不行就找队长。",
    en: "The badge's signature is wrong, it may have been altered: scan it once more, and if that doesn't help, ask your team leader.",
  },
  "replaced-badge": {
    zh: "这张志愿者证已经换过新证，旧证不能用：请用新证，或输入编号。",
    en: "This badge was replaced by a newer one: use that, or type the number.",
  },
  inactive: {
    zh: "名册里这位志愿者已暂停或退出：请找队长。",
    en: "The roster says that this volunteer is paused or has left: ask the team leader.",
  },
  "cannot-check": {
    zh: "这个浏览器离线时查验不了志愿者证：请输入编号，或从名单里选。",
    en: "This browser can't check badges while offline: type the number, or choose from the list.",
  },
  "wrong-number": {
    zh: "编号不对，可能有一位输错了：请对照志愿者证再看一遍。",
    en: "The number is wrong, one character may be mistyped: compare it with the badge.",
  },
  "no-storage": {
    zh: "这台设备存不下签到（空间不足或隐私模式）：请找负责人，不要用它签到。",
    en: "This device can't keep taps (no space, or private mode): ask the person in charge, don't tap here.",
  },
  "gateway-away": {
    zh: "连不上网关：请检查网络，再试一次。",
    en: "The gateway doesn't answer: check the network, and try again.",
  },
};

/**
 * A refusal of the page's own.
 * @param {string} reason
 */
export function refusal(reason) {
  return new Refused(reason, WORDS[reason]);
}
