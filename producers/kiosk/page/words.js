/** Every word that the page says of itself, in Chinese and English. `{n}` is filled in. */

const WORDS = {
  title: ["签到机", "Kiosk"],
  show_badge: ["请刷志愿者证", "Show your badge"],
  show_how: ["把证上的二维码对准扫码器", "Hold its code to the scanner"],
  show_how_camera: ["把证上的二维码对准摄像头", "Hold its code to the camera"],
  no_badge: ["没带证？", "No badge with you?"],
  use_camera: ["用摄像头扫", "Use the camera"],
  stop_camera: ["关摄像头", "Camera off"],
  turn_camera: ["换个摄像头", "Other camera"],
  type_number: ["输入编号", "Type your number"],
  pick_name: ["名单里找", "Find your name"],
  in_charge: ["负责人", "In charge"],
  other_language: ["English", "中文"],
  back: ["返回", "Back"],
  ok: ["确定", "OK"],
  got_it: ["知道了", "Got it"],
  delete: ["删除", "Delete"],
  in_or_out: ["请按“签到”或“签退”", "Press In or Out"],
  suggested: ["建议", "Suggested"],
  not_me: ["不是我，取消", "Not me, cancel"],
  just_now: ["{time} 已{kind}", "{kind} at {time} already"],
  kind_in: ["签到", "In"],
  kind_out: ["签退", "Out"],
  done_in: ["签到成功", "You are in"],
  done_out: ["签退成功", "You are out"],
  done_said: ["{name} {time} 已{kind}", "{name}: {kind} at {time}"],
  undone: ["已撤销，这一次不算", "Undone: it doesn't count"],
  undone_short: ["已撤销", "Undone"],
  saved: ["已存在本机", "Saved here"],
  accepted: ["已收到", "Received"],
  tap_refused: ["没有被接受", "Not accepted"],
  undo: ["撤销", "Undo"],
  undo_seconds: ["还可撤销 {n} 秒", "{n} s left"],
  undo_whose: ["撤销 {name} 的{kind}", "Undo {name}, {kind}"],
  waiting: ["等候", "Waiting"],
  send_away: ["{name} 不签了", "{name}: not today"],
  already_waiting: ["{name} 已经在等候", "{name} is waiting already"],
  which_team: ["今天为哪个队服务？", "For which team today?"],
  which_activity: ["参加哪个活动？", "For which activity?"],
  no_activity: ["日常服务，没有活动", "No activity, everyday service"],
  all_teams: ["其他队（{n}）", "Other teams ({n})"],
  no_team: [
    "签到机里还没有可选的队：请告诉负责人。",
    "The kiosk knows no team to choose: tell the person in charge.",
  ],
  still_there: ["{name}，您还在吗？", "{name}, are you still there?"],
  still_there_how: [
    "{n} 秒后返回，什么也不记。按一下屏幕就继续。",
    "In {n} s it goes back and notes nothing. Touch the screen to go on.",
  ],
  went_away: [
    "{name} 没有按签到或签退，什么也没有记。",
    "{name} pressed neither In nor Out: nothing was noted.",
  ],
  somebody: ["志愿者 …{end}", "Volunteer …{end}"],
  your_number: ["您的志愿者编号", "Your volunteer number"],
  number_how: ["印在证上，最后一位是校验码", "It is on your badge; its last character is a check"],
  choose_surname: ["您姓什么？", "Your surname?"],
  choose_name: ["请选您的名字", "Choose your name"],
  all: ["全部", "All"],
  nobody_listed: [
    "这台签到机还没有名单：请刷证，或输入编号。",
    "This kiosk has no list yet: show a badge, or type a number.",
  ],
  failed: [
    "签到机出了问题：请再试一次，仍不行就找负责人。",
    "Something went wrong here: try again, and if that fails ask the person in charge.",
  ],
  "camera-refused": [
    "浏览器不让用摄像头：请负责人在地址栏的网站设置里允许，或用另外两种办法。",
    "The browser doesn't allow the camera: allow it in the site's settings, or use another way.",
  ],
  "no-camera": [
    "这台设备没有摄像头：请用另外两种办法。",
    "This device has no camera: use another way.",
  ],
  "camera-busy": [
    "摄像头打不开，可能别的程序在用：请关掉别的程序再试，或用另外两种办法。",
    "The camera doesn't open, another program may have it: close that, or use another way.",
  ],
  "camera-insecure": [
    "网址不是 https，浏览器不给摄像头：请告诉负责人，或用另外两种办法。",
    "The address isn't https, so the browser gives no camera: use another way.",
  ],
  camera_offline: [
    "离线时这个浏览器认不出二维码：请输入编号，或在名单里找。",
    "Offline this browser can't read codes: type the number, or find your name.",
  ],
  offline_since: [
    "离线（{time} 起）：照常签到，都存在本机，连上就自动发送。",
    "Offline since {time}: tap as always, all is saved here and goes out by itself.",
  ],
  clock_off: [
    "本机时钟差了约 {n} 分钟：请负责人校准。",
    "This device's clock is off by about {n} min: please set it.",
  ],
  revoked: [
    "这台签到机已停用：请找负责人。已存的签到没有丢。",
    "This kiosk was revoked: ask the person in charge. What is saved isn't lost.",
  ],
  storage_danger: [
    "浏览器可能清除没发出的签到：请尽快连网。",
    "The browser may evict taps not yet sent: connect soon.",
  ],
  more_notices: ["另有 {n} 条", "{n} more"],
  refused_notice: [
    "{name} {time} 的{kind}没有被接受：{what}",
    "{name}, {kind} at {time}, was not accepted: {what}",
  ],
  status: ["情况", "Status"],
  connected: ["已连接", "Connected"],
  not_connected: ["离线", "Offline"],
  queue_empty: ["全部已发送", "Everything is sent"],
  queue: ["{n} 条待发送，最早 {time}", "{n} waiting to be sent, oldest {time}"],
  clock_good: ["时钟准（差 {n} 秒）", "Clock is right (off by {n} s)"],
  clock_unknown: ["时钟还没有核对", "Clock not compared yet"],
  persisted_yes: ["浏览器答应不清除数据", "The browser promised to keep the data"],
  persisted_no: [
    "浏览器没有答应保留数据：把本页“添加到主屏幕”或加入书签，再打开一次。",
    "The browser didn't promise to keep the data: add this page to the home screen or bookmarks, and open it again.",
  ],
  persisted_unknown: ["浏览器不说数据会不会被清除", "The browser doesn't say whether it keeps data"],
  roster_as_of: ["名册：{time}，{n} 人", "Roster of {time}, {n} people"],
  roster_none: ["还没有名册：连上一次就有", "No roster yet: it comes when connected once"],
  version: ["版本 {v}", "Version {v}"],
  refused_taps: ["没有被接受的签到（{n}）", "Taps not accepted ({n})"],
  refused_none: ["没有", "None"],
  acknowledge: ["已处理", "Dealt with"],
  settings: ["设置", "Settings"],
  sound: ["声音", "Sound"],
  vibration: ["振动", "Vibration"],
  large: ["大字", "Large type"],
  awake: ["屏幕常亮", "Screen stays on"],
  camera_always: ["摄像头常开", "Camera always on"],
  full_screen: ["全屏", "Full screen"],
  on: ["开", "On"],
  off: ["关", "Off"],
  todays_activity: ["大家今天都来参加", "Everybody here comes today for"],
  ask_each: ["每次都问", "Ask each time"],
  enrol: ["登记这台签到机", "Enrol this kiosk"],
  enrol_how: [
    "请输入管理员给的一次性代码（或扫他的二维码）",
    "Type the one-time code from your operator (or scan their QR code)",
  ],
  enrol_go: ["登记", "Enrol"],
  enrol_again: ["用新代码重新登记", "Enrol again with a new code"],
  enrolled_as: ["{place}（{code}）", "{place} ({code})"],
  bars: ["刚才的签到和等候的人", "Just now, and who waits"],
  notices: ["提示", "Notices"],
  keys: ["按键", "Keys"],
  close: ["关闭", "Close"],
};

/** @typedef {(key: string, values?: Record<string, string|number>) => string} Say */

/** @param {"zh"|"en"} language @returns {Say} */
export function wordsOf(language) {
  const which = language === "en" ? 1 : 0;
  return (key, values = {}) =>
    WORDS[key][which].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Both, Chinese first: what stands on buttons that everybody uses. */
export const inTwo = (key) => WORDS[key];

/** @param {"zh"|"en"} language */
export const tagOf = (language) => (language === "en" ? "en" : "zh-CN");
