"""The page's own reckoning, in a real browser, beside what Python makes of the same."""

import random
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import BrowserContext, Page

from producers.badges import Badge, BadgeRefusal, key_id, read_badge, sign_badge
from producers.volunteer_numbers import number_of
from tests.e2e.pages import blank_page, run, serve_page

LEDGER = "tongzhou.hours.example"
KEY, ANOTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ONE_PAGE = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    serve_page(context)
    return blank_page(context)


def test_ids_never_repeat_and_sort_as_they_were_made_though_the_clock_is_set_back(
    page: Page,
) -> None:
    clocks = [1_790_000_000_000, 1_790_000_000_000, 5, 1_789_999_000_000, 0, -7] * 500
    ids = run(
        page, "const {newId} = await load('ids'); return given.map((now) => newId(now))", clocks
    )
    assert len(set(ids)) == len(clocks)
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {26}


def test_check_characters_are_those_that_badges_have(page: Page) -> None:
    draw = random.Random(7)
    ids = ["V" + "".join(draw.choices(CHARACTERS, k=10)) for _ in range(2_000)]
    found = run(
        page, "const {checkCharacter} = await load('number'); return given.map(checkCharacter)", ids
    )
    assert found == [str(number_of(one))[-1] for one in ids]


def test_a_number_is_read_however_it_is_written_and_a_slip_is_noticed(page: Page) -> None:
    draw = random.Random(11)
    for _ in range(20):
        id_ = "V" + "".join(draw.choices(CHARACTERS, k=10))
        number = str(number_of(id_)).replace("-", "")
        spaced = f" {number[:4].lower()}-{number[4:8]} {number[8:]}"
        at = draw.randrange(1, 11)
        other = draw.choice([one for one in CHARACTERS[2:] if one != number[at]])
        slip = number[:at] + other + number[at + 1 :]
        as_read = number.replace("0", "O").replace("1", "I")
        read = run(
            page,
            "const {readNumber} = await load('number'); return given.map(readNumber)",
            [number, spaced, as_read, slip, "", "V", "编号", number + "7"],
        )
        assert read[:3] == [id_] * 3, number
        assert read[3:] == [None] * 5, slip


@given(data=st.data())
@ONE_PAGE
def test_a_badge_is_read_and_refused_as_the_gateway_reads_and_refuses_it(
    page: Page, data: st.DataObject
) -> None:
    names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.from_regex(
        r"[0-9A-Z]{1,12}", fullmatch=True
    )
    badge = Badge(data.draw(names), data.draw(names), data.draw(st.integers(0, 99_999_999)))
    key = data.draw(st.sampled_from([KEY, KEY, ANOTHER]))
    text = sign_badge(badge, data.draw(st.sampled_from([LEDGER, LEDGER, "other"])), key)
    spoiling = data.draw(st.sampled_from(["no", "lower", "cut", "change", "add"]))
    at = data.draw(st.integers(0, len(text) - 1))
    text = {
        "no": text,
        "lower": f" {text.lower()}\r",
        "cut": text[:at],
        "change": text[:at] + data.draw(st.sampled_from("A7+-é")) + text[at + 1 :],
        "add": f"{text}A",
    }[spoiling]
    read = read_badge(text, LEDGER, [KEY.public_key()])
    found = run(
        page,
        """
        const {readBadge} = await load('badge');
        try { return await readBadge(given.text, given.ledger, given.keys); }
        catch (error) { return {reason: error.reason, zh: error.what.zh, en: error.what.en}; }
        """,
        {"text": text, "ledger": LEDGER, "keys": [public(KEY)]},
    )
    if isinstance(read, BadgeRefusal):
        assert found["reason"] == read.reason.value
        assert f"{found['zh']} {found['en']}" == read.what
    else:
        assert found == read._asdict()


def public(key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes_raw()
    return {"id": key_id(key.public_key()), "key": b64encode(raw).decode()}


class Clocks:
    """True time, and the two clocks of a page as they are read, by turns."""

    def __init__(self, offset: int) -> None:
        self.true, self.mono = 1_790_000_000_000, 5_000
        self.clock = self.true - offset
        self.moments: list[dict[str, Any]] = []
        self.measurements: list[dict[str, Any]] = []
        self.measure()

    def measure(self) -> None:
        read = self._read()
        self.measurements.append({**read, "theirs": self.true})

    def set(self, amount: int) -> None:
        self.clock += amount

    def measured_set(self, amount: int) -> None:
        self.measure()
        self.set(amount)
        self.measure()

    def sleep(self, amount: int) -> None:
        self.true, self.clock = self.true + amount, self.clock + amount

    def wait(self, amount: int) -> None:
        self.sleep(amount)
        self.mono += amount

    def tap(self, amount: int) -> None:
        read = self._read()
        self.moments.append({**read, "true": self.true})

    def _read(self) -> dict[str, Any]:
        self.wait(1)
        return {"clock": self.clock, "mono": self.mono, "life": "a"}

    def told(self, page: Page) -> list[int]:
        """When the page says its taps were, once it has measured again."""
        self.measure()
        found: list[int] = run(
            page,
            """
            const {measured, trueTime} = await load('clock');
            const known = given.measurements.map(({theirs, ...one}) => measured(one, one, theirs));
            return given.moments.map((one) => trueTime(one, known));
            """,
            {"moments": self.moments, "measurements": self.measurements},
        )
        return found


SENDING = """
const {Sender} = await load('sending');
const waiting = [], asked = [];
const answered = [];
globalThis.fetch = async (address, {body}) => {
  asked.push(address);
  await new Promise((resolve) => answered.push(resolve));
  const taps = JSON.parse(body).taps ?? [];
  const said = {taps: taps.map(({id}) => ({id, state: 'accepted'}))};
  return new Response(JSON.stringify(said), {headers: {'content-type': 'application/json'}});
};
const queue = {
  waiting: async () => [...waiting],
  decideTimes: async (taps) => taps,
  settle: async (answers) => waiting.splice(0).filter(({id}) => answers.has(id)),
};
const sender = new Sender({
  queue, key: () => 'key', measurements: async () => [], measure: async () => {},
  report: async () => ({}), heard: () => {}, settled: () => {}, told: () => {},
  moment: () => ({wall: 0, steady: 0}),
});
const until = async (holds) => { while (!holds()) await new Promise((go) => setTimeout(go, 5)); };
sender.run();
await until(() => answered.length === 1);
waiting.push({id: 'a', time: '2026-01-01T00:00:00Z', clock: 0});
sender.more();
answered.shift()();
await until(() => answered.length === 1);
sender.stopped = true;
answered.shift()();
return asked;
"""


def test_a_tap_made_while_the_gateway_is_asked_goes_at_once_not_at_the_next_idle_turn(
    page: Page,
) -> None:
    asked = run(page, SENDING)
    assert [address.rpartition("/")[2] for address in asked] == ["report", "taps"]


def steps(*names: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(
        st.tuples(st.sampled_from([*names, "wait", "tap"]), st.integers(2_000, 10**9)),
        min_size=1,
        max_size=12,
    )


@given(
    offset=st.integers(-(10**12), 10**12),
    steps=steps("set") | steps("sleep", "measured_set") | steps("sleep"),
)
@ONE_PAGE
def test_whoever_sets_the_clock_or_lets_the_device_sleep_taps_get_their_true_time(
    page: Page, offset: int, steps: list[tuple[str, int]]
) -> None:
    """Both at once, with nothing measured in between, could be either."""
    clocks = Clocks(offset)
    for step, amount in steps:
        getattr(clocks, step)(amount)
    assert clocks.told(page) == [one["true"] for one in clocks.moments]
