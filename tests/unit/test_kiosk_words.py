"""The words and pictures of the kiosk's page, as far as they can be read without a browser."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "producers" / "kiosk" / "page"
ENTRY = re.compile(r'^  "?([\w-]+)"?: \[(.*?)\],$', re.MULTILINE | re.DOTALL)
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
CHINESE = re.compile(r"[\u4e00-\u9fff]")

SAME = {"other_language", "enrolled_as"}
"""The language to switch to is called by its own name; two names need no words between them."""


def words() -> dict[str, list[str]]:
    source = (PAGE / "words.js").read_text()
    return {key: TEXT.findall(texts) for key, texts in ENTRY.findall(source)}


def test_each_word_is_in_chinese_and_english_with_the_same_gaps() -> None:
    assert len(words()) > 80
    for key, texts in words().items():
        assert len(texts) == 2, key
        gaps = [sorted(re.findall(r"\{\w+\}", text)) for text in texts]
        assert gaps[0] == gaps[1], key
        if key not in SAME:
            assert [bool(CHINESE.search(text)) for text in texts] == [True, False], key


def test_each_word_that_is_asked_for_is_there_and_none_is_there_for_nothing() -> None:
    page = "".join(
        file.read_text() for file in PAGE.glob("*.js") if not file.name.startswith(("words", "op"))
    )
    known = words()
    asked = set(re.findall(r'(?<!#)\bsay\("([\w-]+)"', page))
    assert asked <= set(known)
    named = set(re.findall(r'"([\w-]+)"|(?<=[ {,(])(?:key: )"([\w-]+)"', page))
    mentioned = {one for pair in named for one in pair}
    dynamic = {"kind_in", "kind_out", "done_in", "done_out"}
    assert set(known) - mentioned - dynamic == set()


def test_each_picture_is_shown_and_each_that_is_shown_is_there() -> None:
    shown = set(re.findall(r"\]\(kiosk/([\w-]+\.png)\)", (ROOT / "docs/kiosk-use.md").read_text()))
    assert shown == {file.name for file in (ROOT / "docs/kiosk").glob("*.png")}
