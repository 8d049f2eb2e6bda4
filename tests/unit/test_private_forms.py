"""Names, phones and documents as people write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from ledger.roster.importing_reasons import Wrong
from ledger.roster.private_forms import (
    document_text,
    document_type,
    person_name,
    phone_number,
    wrong_document,
)
from ledger.roster.vault import DocumentType

TODAY = date(2026, 7, 1)
NUMBER = "770000199003070012"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("王小明", "王小明"),
        ("王 伟", "王伟"),
        ("阿卜杜热合曼·买买提", "阿卜杜热合曼·买买提"),
        ("Mary O'Neill-Smith", "Mary O'Neill-Smith"),
        ("王骉𬭎", "王骉𬭎"),
        ("王伟（大）", "王伟（大）"),
    ],
)
def test_names_are_taken_without_spaces_that_fill_a_column(written: str, meant: str) -> None:
    assert person_name(written) == meant


@pytest.mark.parametrize("text", ["王伟2", "王伟/李芳", "王伟、李芳", "王伟\n李芳", "***", "王伟@"])
def test_what_is_no_one_persons_name_is_refused(text: str) -> None:
    assert isinstance(person_name(text), Wrong)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("138 0000 0001", "13800000001"),
        ("138-0000-0001", "13800000001"),
        ("+86 13800000001", "13800000001"),
        ("8613800000001", "13800000001"),
        ("0086-138-0000-0001", "13800000001"),
        ("0513-86512345", "051386512345"),
        ("010 12345678", "01012345678"),
        ("+86 513 86512345", "051386512345"),
    ],
)
def test_phones_are_kept_as_digits_alone(written: str, meant: str) -> None:
    assert phone_number(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "1380000000",
        "138000000012",
        "12800000001",
        "86512345",
        "0513-86512345-8",
        "无",
        "138x0000001",
        "13800000001/13900000001",
        "1３800000001",
    ],
)
def test_what_is_no_phone_is_refused(text: str) -> None:
    assert isinstance(phone_number(text), Wrong)


def test_a_resident_number_may_have_a_lower_case_x_and_spaces() -> None:
    assert document_text("7700001990 0307 008x") == "77000019900307008X"
    assert wrong_document("resident", "77000019900307008X", TODAY) is None


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("770000900307001", "old-resident-number"),
        ("77000019900307001", "resident-number-length"),
        ("77000019900307O012", "resident-number-characters"),
        ("77000019900307001Y", "resident-number-characters"),
        ("770000199002300012", "resident-number-birth-date"),
        ("770000202707010012", "resident-number-birth-date"),
        ("770000189003070012", "resident-number-birth-date"),
        ("770000199003070013", "resident-number-check-digit"),
    ],
)
def test_what_is_wrong_with_a_resident_number_is_named(number: str, reason: str) -> None:
    wrong = wrong_document("resident", number, TODAY)
    assert wrong is not None
    assert wrong.reason == reason


@pytest.mark.parametrize(
    ("kind", "number", "right"),
    [
        ("passport", "E12345678", True),
        ("passport", "E1", False),
        ("hk-macau", "H12345678", True),
        ("hk-macau", "12345678", False),
        ("taiwan", "12345678", True),
        ("taiwan", "A2345678", False),
        ("foreign-resident", "ABC123456789012", True),
        ("foreign-resident", "911156199001010011", False),
        ("other", "军字第1234567号", True),
        ("other", NUMBER, False),
    ],
)
def test_other_documents_have_forms_of_their_own(
    kind: DocumentType, number: str, right: bool
) -> None:
    assert (wrong_document(kind, number, TODAY) is None) == right


def test_a_number_of_eighteen_without_a_type_is_a_residents() -> None:
    assert document_type(NUMBER) == "resident"
    assert isinstance(document_type("E12345678"), Wrong)


@given(st.integers(0, 10**17 - 1), st.integers(0, 16), st.integers(1, 9))
def test_any_digit_miscopied_is_noticed(body: int, place: int, by: int) -> None:
    digits = f"{body:017}"
    number = digits + ric.calc_check_digit(digits + "0")
    spoilt = f"{number[:place]}{(int(number[place]) + by) % 10}{number[place + 1 :]}"
    assert wrong_document("resident", spoilt, TODAY) is not None


@given(st.text(max_size=40))
def test_what_was_made_canonical_stays_so(text: str) -> None:
    for canonical in (person_name, phone_number, document_text):
        once = canonical(text)
        assert isinstance(once, Wrong) or canonical(once) == once
