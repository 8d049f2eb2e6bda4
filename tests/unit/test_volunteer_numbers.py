"""Volunteer numbers: what a check character notices, and what is forgiven."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from ledger.roster.naming import new_volunteer
from producers.volunteer_numbers import ALPHABET, number_of, read_number

ids = st.text(ALPHABET, min_size=10, max_size=10).map(lambda text: f"V{text}")


def test_every_new_volunteer_has_a_number_that_reads_back() -> None:
    volunteer = new_volunteer(set())
    number = number_of(volunteer)
    assert number is not None
    assert read_number(number) == volunteer


@given(ids)
def test_case_spaces_hyphens_and_letters_for_digits_are_forgiven(volunteer: str) -> None:
    number = str(number_of(volunteer))
    for typed in (
        number.lower(),
        f" {number[:4]} {number[4:8]}-{number[8:]} ",
        number.replace("0", "O").replace("1", "I"),
        number.replace("1", "l"),
    ):
        assert read_number(typed) == volunteer


@given(ids, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed_wherever_it_stands(
    volunteer: str, at: int, other: str
) -> None:
    number = plain(volunteer)
    slip = number[:at] + other + number[at + 1 :]
    assert read_number(slip) == (volunteer if slip == number else None)


@given(st.text(ALPHABET, max_size=8), st.text(ALPHABET, max_size=2))
def test_of_all_pairs_of_neighbours_one_at_most_can_be_exchanged_unnoticed(
    before: str, after: str
) -> None:
    """ISO 7064's hybrid systems promise nearly all: of 496 pairs 495, whatever stands before."""
    unnoticed = [
        (one, other)
        for one, other in combinations(ALPHABET, 2)
        if read_number(exchanged(plain(before + one + other + after), len(before))) is not None
    ]
    assert len(unnoticed) <= 1


@given(ids)
def test_whose_last_two_are_exchanged_is_noticed_but_for_two_pairs(volunteer: str) -> None:
    """The check character and the one before it: of 1,024 pairs two are not noticed."""
    unnoticed = 0
    for last in ALPHABET:
        number = plain(volunteer + last)
        slip = exchanged(number, len(number) - 2)
        unnoticed += slip != number and read_number(slip) is not None
    assert unnoticed <= 2


@given(ids)
def test_what_is_forgiven_is_never_somebody_elses_number(volunteer: str) -> None:
    """No id that has a number holds what is forgiven: two ids that look alike can't both be."""
    for forgiven in "OIL":
        assert number_of(volunteer + forgiven) is None


def plain(volunteer: str) -> str:
    return str(number_of(volunteer)).replace("-", "")


def exchanged(number: str, at: int) -> str:
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def test_what_is_no_number_is_none() -> None:
    assert [read_number(text) for text in ("", "V", "志愿者", "V7K2M9QXTA1-K-" * 20)] == [None] * 4
    assert number_of("v-12") is None
    assert number_of("编号") is None
    assert number_of("VOLUNTEER") is None
