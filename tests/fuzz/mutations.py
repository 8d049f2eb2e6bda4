"""What can be wrong with a record: its members, its text, its bytes, its headers."""

import copy
import json
import random
import re
from datetime import datetime, timedelta
from typing import Any

Headers = tuple[tuple[str, bytes | None], ...]

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -0.0, 1, -1, 86_400, 86_401, -86_400, -86_401),
    *(2**31, 2**53, 2**63, -(2**63) - 1, 10**25, 10**300, 1.5, 60.0, 1e308, 5e-324),
    *("", " ", "\0", "\ufeff", "a\n", "\r\n", "a\r\nb", "\t", "\x7f", "\x85", "\u2028", "\u3000"),
    *("x" * 128, "x" * 129, "队" * 128, "队" * 129, "因" * 1_000, "因" * 1_001, "\U0001f600" * 128),
    *("e\u0301", "\u202eabc", "\ud800", "\udc00x", "\ud83d\ude00", "\uffff", "\U0010ffff"),
    *([], {}, [[]], {"": 0}, ["x"], {"team": "x"}, [None] * 50),
    *("NaN", "null", "'; DROP TABLE entries; --", "<b>", "../..", "%s%n", "V001", "合唱队"),
    *("1.0", "0.3", "application/json", "text/xml", "2026-02-30", "2026-02-05", "20260205"),
    *("hours.checked-in.v1", "hours.checked-in.v2", "hours.checked-out.v1", "hours.adjusted.v1"),
)
MEMBERS = (
    *("specversion", "id", "source", "subject", "time", "type", "data"),
    *("datacontenttype", "data_base64", "dataschema", "traceparent", "recordedat", ""),
)
FIELDS = (
    *("team", "place", "activity", "supplied_by", "reason", "tap_source", "tap_id"),
    *("by", "approved_by", "day", "seconds", "extra", ""),
)
TIMES = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.9999999Z"),
    *("9999-12-31T23:59:59-00:01", "0000-12-31T23:59:59-00:01", "2016-12-31T23:59:60Z"),
    *("2026-03-05T24:00:00Z", "2026-02-29T00:00:00Z", "2026-03-05T01:30:00", "2026-03-05"),
    *("2026-03-05 01:30:00Z", "20260305T013000Z", "2026-03-05T01:30:00+24:00", "1772674200"),
    *("2026-03-05T01:30:00." + "1" * 43 + "Z", "2026-03-05T01:30:00." + "1" * 44 + "Z"),
    *("２０２６-03-05T01:30:00Z", "2026-03-05T01:30:00,5Z", "+002026-03-05T01:30:00Z"),
)
EDGES = (-14 * 86_400, -14 * 86_400 - 60, -15 * 86_400, 0, 240, 290, 300, 310, 86_400, -3_600_000)
LITERALS = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999", "01", "1.", ".5", "+1", "0x1"),
    *("1_0", "1" * 4_300, "1" * 5_000, "-0", "1E5", "tru", "nul", "undefined", "'x'", '"\\x"'),
    *('"\\ud800"', '"\\udc00"', '"\\ud83d\\ude00"', '"\\u0000"', '"\0"', '"\x1f"', '{"a":1,"a":2}'),
    *('{"a":{"b":1,"b":2}}', "[1,]", "[1 2]", "/**/1", "", '"unterminated'),
)
DEPTHS = (9, 126, 127, 128, 129, 198, 199, 200, 201, 255, 999, 10_000)
HEADERS: tuple[tuple[str, bytes | None], ...] = (
    ("content-type", b"application/cloudevents+json"),
    ("Content-Type", b"APPLICATION/CloudEvents+JSON ; charset=UTF-8"),
    ("content-type", b"application/json"), ("content-type", b"text/plain"),
    ("content-type", b"application/cloudevents-batch+json"), ("content-type", b"\xff"),
    ("content-type", None), ("content-type", b""), ("ce_id", b"other"), ("CE_ID", b"f-1"),
    ("ce_type", b"hours.checked-in.v1"), ("ce_specversion", b"1.0"), ("ce_time", b"yesterday"),
    ("ce_data", b"{}"), ("ce_data_base64", b"e30="), ("ce_datacontenttype", b"text/xml"),
    ("ce_datacontenttype", b"application/json"), ("ce_", b""), ("ce_a b", b"x"), ("ce_x", b"\xff"),
    ("ce_\u0130", b"x"), ("\u212ae_id", b"x"), ("", b""), ("", None), ("trace", b"\0"),
    ("名", b"1"), ("ce_subject", b"V001"), ("ce_x", b'"},"id":"f-9'), ("ce_specversion", None),
    ("h" * 300, b""), ("\udcff\udcfe", b""), ("ce_\udcc3", b"x"), ("trace", b"x" * 66_000),
)  # fmt: skip


def spoil_member(event: dict[str, Any], chance: random.Random, now: datetime) -> None:
    """Set, take away, add or move one member of the event or of its data."""
    data = event.get("data")
    inside = data if isinstance(data, dict) and chance.random() < 0.5 else event
    name = chance.choice(FIELDS if inside is data else MEMBERS)
    way = chance.random()
    if way < 0.15:
        inside.pop(name, None)
    elif way < 0.35 and inside is event:
        event["time"] = _time(chance, now)
    elif way < 0.4:
        inside[name] = copy.deepcopy(data if chance.random() < 0.5 else [event.get(name)])
    elif way < 0.45:
        inside[chance.choice(("Team", "team ", "tеam", "\ud800", "\0", "x" * 999))] = "x"
    else:
        inside[name] = copy.deepcopy(chance.choice(ODD))


def _time(chance: random.Random, now: datetime) -> str:
    if chance.random() < 0.4:
        return chance.choice(TIMES)
    at = (now + timedelta(seconds=chance.choice(EDGES))).isoformat()
    return at.replace("T", "t").replace("+00:00", "z") if chance.random() < 0.2 else at


def spoil_text(text: bytes, chance: random.Random) -> bytes:
    """Make of good JSON what is hardly good, or not at all."""
    literal = chance.choice(LITERALS).encode()
    depth = chance.choice(DEPTHS)
    name = chance.choice((b"id", b"type", b"data", b"subject", b"\\u0069d", b"x", b"team"))
    match chance.randrange(11):
        case 0:
            spoilt = text.replace(b"{", b'{"%s":%s,' % (name, literal), 1)
        case 1:
            spoilt = text[:-1] + b',"x":%s}' % literal
        case 2:
            spoilt = text.replace(b"{", b'{"%s":"other",' % name, chance.choice((1, 2)))
        case 3:
            nested = b"[" * depth + b"]" * chance.choice((depth, depth, depth - 1))
            spoilt = text[:-1] + b',"x":%s}' % nested
        case 4:
            spoilt = text[:-1] + b',"x":%s}' % (b'{"a":' * depth + b"1" + b"}" * depth)
        case 5:
            mark = chance.choice((b"\xef\xbb\xbf", b"\r\n \t", b"\0", b"//\n", b"\x1e", b"\xa0"))
            spoilt = mark + text if chance.random() < 0.5 else text + mark
        case 6:
            spoilt = text + chance.choice((text, b"{}", b",", b"}", b"null"))
        case 7:
            encoding = chance.choice(("utf-16", "utf-16-le", "utf-32", "gb18030", "utf-7"))
            spoilt = text.decode().encode(encoding)
        case 8:
            mark = chance.choice((b"'", b"", b'\\"'))
            spoilt = text.replace(b'"', mark, chance.choice((1, 4, -1)))
        case 9:
            # Any letter may be written as an escape, those of names too.
            place, letters = chance.randrange(len(text)), chance.choice((0, 1))
            escaped = re.sub(rb"[a-z]", _escaped, text[:place], count=letters)
            spoilt = escaped + text[place:]
        case _:
            spoilt = json.dumps(text.decode()).encode() if chance.random() < 0.5 else b"[%s]" % text
    return spoilt


def _escaped(letter: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % letter.group()[0]


def spoil_bytes(value: bytes, chance: random.Random) -> bytes:
    """Flip, put in, cut out, cut off, repeat or swap."""
    start = chance.randrange(len(value) + 1)
    end = min(len(value), start + chance.choice((1, 1, 2, 8, 64)))
    match chance.randrange(6):
        case 0:
            flipped = bytes(byte ^ 1 << chance.randrange(8) for byte in value[start:end])
            return value[:start] + flipped + value[end:]
        case 1:
            put = chance.choice(
                (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0", b'"', b"\\", b"\xf4\x90")
            )
            return value[:start] + put + value[start:]
        case 2:
            return value[:start] + value[end:]
        case 3:
            return value[:start]
        case 4:
            return value[:start] + value[start:end] * chance.choice((2, 50)) + value[end:]
        case _:
            return value[start:] + value[:start]


def spoil_headers(headers: Headers, chance: random.Random) -> Headers:
    """Add, double, take away or shuffle."""
    changed = list(headers)
    for _ in range(chance.choice((1, 1, 2, 4))):
        way = chance.random()
        if way < 0.6 or not changed:
            changed.insert(chance.randrange(len(changed) + 1), chance.choice(HEADERS))
        elif way < 0.8:
            changed.append(chance.choice(changed))
        else:
            changed.pop(chance.randrange(len(changed)))
    return tuple(changed)
