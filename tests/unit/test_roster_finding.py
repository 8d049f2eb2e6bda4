"""Somebody is found by part of a name, by any of its readings, by the end of a phone number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, pinyin

from ledger.roster.finding import Found, Sought, people, sounds_like, things
from ledger.roster.vault import PrivateData

WANG = PrivateData(name="王小明", phone="+86 138-0000-1234")


def by(text: str, who: PrivateData = WANG) -> str | None:
    """By what a volunteer V7K2, badge B9, of this name and phone is found."""
    found = list(people([("V7K2", "B9")], Sought.of(text), {"V7K2": who}))
    return found[0].by if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("王小明", "name"), ("小明", "name"), ("wangxiaoming", "pinyin"), ("wxm", "pinyin")],
        *[("Wang Xiao Ming", "pinyin"), ("wang xm", "pinyin"), ("xiaoming", "pinyin")],
        *[("wangxiaom", "pinyin"), ("1234", "phone"), ("00001234", "phone"), ("234", None)],
        *[("0000", None), ("7k2", "id"), ("b9", "badge"), ("B", None), ("李", None), ("li", None)],
        *[("mingwang", None), ("wangming", None), ("１２３４", "phone")],
    ],
)
def test_a_volunteer_is_found_by(text: str, expected: str | None) -> None:
    assert by(text) == expected


@pytest.mark.parametrize(
    ("sounds", "name"),
    [
        *[
            ("shanxiongxin", "单雄信"),
            ("danxiongxin", "单雄信"),
            ("zeng", "曾国"),
            ("ceng", "曾国"),
        ],
        *[("lvbu", "吕布"), ("lubu", "吕布"), ("lyubu", "吕布"), ("lb", "吕布"), ("zhz", "张志中")],
        *[("adili", "阿不都·阿迪力"), ("smith", "John Smith"), ("johnsmith", "John Smith")],
    ],
)
def test_any_reading_of_a_character_matches(sounds: str, name: str) -> None:
    assert sounds_like(sounds, name)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=5))
def test_every_name_is_found_by_its_own_pinyin_and_by_its_initials(name: str) -> None:
    syllables = [found[0] for found in pinyin(name, style=Style.NORMAL)]
    assert sounds_like("".join(syllables), name)
    assert sounds_like("".join(syllable[0] for syllable in syllables), name)


def test_without_who_they_are_people_are_found_by_id_and_badge_alone() -> None:
    badges = [("V7K2", "B9")]
    assert list(people(badges, Sought.of("王小明"), {})) == []
    assert [one.by for one in people(badges, Sought.of("b9"), {})] == ["badge"]


def test_a_thing_with_several_names_is_found_once_by_each() -> None:
    named = [("unit", "o1", ("金沙街道实践所",)), ("unit", "o1", ("金沙所", "Jinsha office"))]
    assert list(things(named, Sought.of("jinsha"))) == [
        Found("unit", "o1", "金沙街道实践所", "pinyin")
    ]
    assert [one.by for one in things(named, Sought.of("office"))] == ["name"]
    assert [one.by for one in things(named, Sought.of("O1"))] == ["code"]
