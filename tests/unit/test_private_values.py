"""What somebody gives as name, phone and document, at a terminal or as JSON."""

from datetime import date

import pytest

from ledger.roster.private_values import mentions, private_field, read_private, same_people
from ledger.roster.vault import PrivateData

TODAY = date(2026, 6, 1)
NUMBER = "11010519491231002X"
WANG = PrivateData(name="王小明", phone="13800001234", document_type="resident", document=NUMBER)


def test_what_is_given_is_read_as_an_import_reads_it() -> None:
    given = {
        **{"姓名": " 王 小明 ", "手机号码": "+86 138-0000-1234"},
        **{"证件类型": "居民身份证", "证件号码": "110105 1949-1231-002x"},
    }
    assert read_private(given, TODAY) == WANG


def test_a_document_whose_number_tells_its_type_needs_none() -> None:
    assert (
        read_private({"name": "王小明", "phone": "13800001234", "document": NUMBER}, TODAY) == WANG
    )


def test_what_is_not_given_stays_and_an_empty_text_clears() -> None:
    moved = read_private({"phone": "", "document": None, "document_type": None}, TODAY, WANG)
    assert moved == PrivateData(name="王小明")
    assert read_private({"phone": "+85291234567"}, TODAY, WANG) == WANG.model_copy(
        update={"phone": "+85291234567"}
    )


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"name": "王3"}, "name", "digits"),
        ({"name": ""}, "name", "must be filled in"),
        ({"phone": "12345"}, "phone", "mobile"),
        ({"document_type": "library card"}, "document_type", "one of"),
        ({"document": None}, "document", "number"),
        ({"document": "110105194912310021"}, "document", "check digit"),
        ({"document": "110105300012310021"}, "document", "birth"),
        ({"document_type": "passport", "document": "G 1"}, "document", "passport"),
        ({"address": "somewhere"}, "address", "There are name, phone"),
        ({"phone": 13800001234}, "phone", "text"),
    ],
)
def test_what_is_wrong_is_told_by_field_and_never_repeats_the_value(
    given: dict[str, object], field: str, says: str
) -> None:
    wrong = read_private(given, TODAY, WANG)
    assert not isinstance(wrong, PrivateData)
    (told,) = wrong
    assert (told.field, told.value) == (field, "")
    assert says in told.what
    secrets = [str(given[name]) for name in ("name", "phone", "document") if given.get(name)]
    assert all(secret not in str(told) for secret in secrets)


def test_a_private_field_goes_by_several_names() -> None:
    assert {private_field(name) for name in ("phone", " 手机号 ", "电话", "Phone")} == {"phone"}
    assert private_field("unit") is None


def test_somebody_else_with_the_same_document_or_phone_and_name_is_found() -> None:
    others = {
        "V1": PrivateData(name="王小明", phone="13800001234"),
        "V2": PrivateData(name="王大明", phone="13800001234"),
        "V3": PrivateData(name="王明", document_type="resident", document=NUMBER),
    }
    assert same_people(WANG, others.items()) == ["V1", "V3"]


@pytest.mark.parametrize("text", ["补王小明的证", "换号 138 0000 1234", f"核对{NUMBER.lower()}"])
def test_a_reason_that_names_somebody_is_noticed(text: str) -> None:
    assert mentions(text, WANG)
    assert not mentions("补证", WANG)
