"""Looking for people and things by part of a name, by how it is said, by phone, number or code.

Pure. Chinese is found by its characters and by pinyin, whole or as initials, with any of the
readings that a character has (pypinyin), because a name's own isn't written down. Invariant: what
is found says by what, never the value itself.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ledger.roster.records import Person
from ledger.roster.vault import PrivateData

SHORTEST_PHONE_TAIL = 4
_BETWEEN = str.maketrans("", "", " '’-·.　")


class Found(NamedTuple):
    """A thing that answers: its kind and code, what it is called (None: for the vault to say),
    and what answered."""

    kind: str
    code: str
    name: str | None
    by: str


class Sought(NamedTuple):
    """What is looked for, in the forms in which it is compared."""

    text: str
    sounds: str
    digits: str

    @classmethod
    def of(cls, text: str) -> "Sought":
        plain = unicodedata.normalize("NFKC", text).strip().casefold()
        bare = plain.translate(_BETWEEN)
        sounds = bare.replace("ü", "v") if bare.replace("ü", "v").isascii() else ""
        digits = bare.removeprefix("+")
        is_tail = digits.isdecimal() and len(digits) >= SHORTEST_PHONE_TAIL
        return cls(plain, sounds, digits if is_tail else "")


def people(
    badges: Iterable[tuple[str, str | None]], sought: Sought, who: Mapping[str, PrivateData]
) -> Iterator[Found]:
    """The volunteers, given with their badges, that answer; by name and phone those of `who`."""
    for volunteer, serial in badges:
        by = _person_by(volunteer, serial, sought, who.get(volunteer))
        if by is not None:
            yield Found(Person.KIND, volunteer, None, by)


def things(named: Iterable[tuple[str, str, Sequence[str]]], sought: Sought) -> Iterator[Found]:
    """Of kinds, codes and names, those that answer, each code once."""
    told: set[tuple[str, str]] = set()
    for kind, code, names in named:
        by = _thing_by(code, names, sought)
        if by is not None and (kind, code) not in told:
            told.add((kind, code))
            yield Found(kind, code, names[0], by)


def sounds_like(sounds: str, name: str) -> bool:
    """Whether pinyin, whole or as initials, is part of how a name can be said."""
    syllables = [said for character in name if (said := _said(character))]
    return any(_goes_on(sounds, syllables, at) for at in range(len(syllables)))


def _person_by(
    volunteer: str, serial: str | None, sought: Sought, who: PrivateData | None
) -> str | None:
    if sought.text in volunteer.casefold():
        return "id"
    if serial is not None and sought.text == serial.casefold():
        return "badge"
    if who is None:
        return None
    if sought.digits and _digits(who.phone).endswith(sought.digits):
        return "phone"
    return _by_name(who.name, sought)


def _thing_by(code: str, names: Sequence[str], sought: Sought) -> str | None:
    if sought.text in code.casefold():
        return "code"
    return next(filter(None, (_by_name(name, sought) for name in names)), None)


def _by_name(name: str, sought: Sought) -> str | None:
    if sought.text in name.casefold():
        return "name"
    return "pinyin" if sought.sounds and sounds_like(sought.sounds, name) else None


def _goes_on(sounds: str, syllables: Sequence[Sequence[str]], at: int) -> bool:
    """Whether the sounds are the syllables from `at` on; the last may be cut short."""
    if not sounds:
        return True
    if at == len(syllables):
        return False
    for syllable in syllables[at]:
        if syllable.startswith(sounds):
            return True
        if sounds.startswith(syllable) and _goes_on(sounds[len(syllable) :], syllables, at + 1):
            return True
    return False


@lru_cache(maxsize=50_000)
def _said(character: str) -> tuple[str, ...]:
    """What one may write for a character: its readings, and their initials."""
    if not character.isalnum():
        return ()
    if character.isascii():
        return (character.casefold(),)
    from pypinyin import Style, pinyin  # noqa: PLC0415 - its dictionary takes long to import

    (readings,) = pinyin(character, style=Style.NORMAL, heteronym=True)
    found = {variant for reading in readings for variant in _spelt(reading.casefold())}
    initials = {one[:length] for one in found for length in (1, 2) if _begins(one[:length])}
    return tuple(sorted(found | initials, key=len, reverse=True))


def _spelt(reading: str) -> set[str]:
    """ü is written v, u, or, in passports, yu."""
    plain = reading.replace("ü", "v")
    return {plain, plain.replace("v", "u"), plain.replace("v", "yu")} if "v" in plain else {plain}


def _begins(initial: str) -> bool:
    return len(initial) == 1 or initial in ("zh", "ch", "sh")


def _digits(phone: str | None) -> str:
    return "".join(filter(str.isdecimal, phone or ""))
