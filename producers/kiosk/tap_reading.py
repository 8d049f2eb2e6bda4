"""Taps as they come in: read all at once, or one by one where something can't be read.

Pure. A page sends its taps in order until they are answered: one that can't be read must not keep
those behind it from ever arriving. Invariant: each tap that says its id is read or refused, in the
order sent; nothing makes this raise.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from producers.kiosk.messages import MOST_TAPS, Report, Tap, Taps

Message = TypeVar("Message", bound=BaseModel)
_LONGEST_ID = 128
_LONGEST_DETAIL = 300


class Unread(NamedTuple):
    """A tap that can't be read: what it says its id is, what is wrong and where, and all of it."""

    id: str
    detail: str
    body: bytes


class Read(NamedTuple):
    """What came in, in order; `report` is None where it can't be read, which hinders no tap."""

    taps: Sequence[Tap | Unread]
    report: Report | None


def read_taps(body: bytes) -> Read | str:
    """The taps in a body, or what is wrong with it and where."""
    try:
        read = Taps.model_validate_json(body)
    except ValidationError as error:
        return _one_by_one(body) or trouble(error)
    return Read(read.taps, read.report)


def trouble(error: ValidationError) -> str:
    """The first thing that is wrong, and where, as one printable line."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "body"
    line = f"{where}: {first['msg']}"
    return "".join(one if one.isprintable() else "·" for one in line)[:_LONGEST_DETAIL]


def _one_by_one(body: bytes) -> Read | None:
    try:
        said = from_json(body)
    except ValueError:
        return None
    items = said.get("taps") if isinstance(said, dict) else None
    if not isinstance(items, list) or len(items) > MOST_TAPS or not all(map(_has_id, items)):
        return None
    report = _model(Report, said.get("report"))
    return Read([_tap(item) for item in items], None if isinstance(report, Unread) else report)


def _has_id(item: Any) -> bool:
    id_ = item.get("id") if isinstance(item, dict) else None
    return isinstance(id_, str) and len(id_) <= _LONGEST_ID


def _tap(item: dict[str, Any]) -> Tap | Unread:
    read = _model(Tap, item)
    return read._replace(id=item["id"]) if isinstance(read, Unread) else read


def _model(model: type[Message], item: Any) -> Message | Unread:
    try:
        content = to_json(item)
    except ValueError as error:
        return Unread("", str(error)[:_LONGEST_DETAIL], b"")
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        return Unread("", trouble(error), content)
