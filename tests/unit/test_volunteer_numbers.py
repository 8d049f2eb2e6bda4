"""Volunteer numbers: what a check character notices, and what is forgiven."""

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


@given(ids, st.integers(1, 10), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(volunteer: str, at: int, other: str) -> None:
    number = str(number_of(volunteer)).replace("-", "")
    slip = number[:at] + other + number[at + 1 :]
    assert read_number(slip) == (volunteer if slip == number else None)


@given(ids, st.integers(1, 9))
def test_two_neighbours_exchanged_are_noticed(volunteer: str, at: int) -> None:
    number = str(number_of(volunteer)).replace("-", "")
    slip = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert read_number(slip) == (volunteer if slip == number else None)


def test_what_is_no_number_is_none() -> None:
    assert [read_number(text) for text in ("", "V", "志愿者", "V7K2M9QXTA1-K-" * 20)] == [None] * 4
    assert number_of("v-12") is None
    assert number_of("编号") is None
    assert number_of("VOLUNTEER") is None
