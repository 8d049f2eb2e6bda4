"""What a file proves, in words: for `hours verify`. What it doesn't prove is said as plainly.

Pure: takes a file's bytes and the keys that are trusted. Lines are Chinese first, English second.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic_core import from_json

from dashboards.certificate_files import ProvenCertificate, is_pdf, verified_certificate
from dashboards.terminal import duration
from ledger.evidence.checkpoints import SignedCheckpoint, note_of_line, verified_checkpoint
from ledger.evidence.growths import read_growth, verified_growth
from ledger.evidence.notes import Key, NotANote
from ledger.evidence.records import ProvenRecord, read_record, verified_record
from ledger.evidence.statements import Standing, standing
from ledger.evidence.tlog_proofs import HEADER, NotAProof, read_tlog_proof, verified_proof


class Told(NamedTuple):
    """Whether the file proves what it says; what is proven, and what isn't."""

    kind: str
    holds: bool
    proven: list[str]
    not_proven: list[str]


_SERVED = (
    "打卡的人是不是本人、服务是否属实：账本只能证明记录没有被改动。 That the person who tapped "
    "was who they said, and served: the ledger proves that nothing recorded was altered, no more."
)
_LATER = "此检查点之后发生的事，如后来的冲销。 Anything after this checkpoint, as a later reversal."
_HIDDEN = (
    "此人是否还有别的条目：请用整份记录（hours prove --volunteer）。 Whether this person has other "
    "entries: a whole record tells (hours prove --volunteer)."
)


def tell(data: bytes, keys: Sequence[Key]) -> Told:
    """What a proof bundle, a record, a growth, a checkpoint or a line of one proves."""
    text = data.decode(errors="replace")
    try:
        if is_pdf(data):
            return _tell_certificate(verified_certificate(data, tuple(keys)))
        if text.startswith(HEADER):
            return _tell_proof(text, keys)
        if text.lstrip().startswith("{"):
            return _tell_json(data, keys)
        return _tell_checkpoint(note_of_line(text.strip()) or text, keys)
    except (NotANote, NotAProof) as wrong:
        return Told("unproven", False, [f"证明不成立：{wrong}。 Not proven: {wrong}."], [])


def _tell_json(data: bytes, keys: Sequence[Key]) -> Told:
    try:
        kind = from_json(data).get("format")
    except (ValueError, AttributeError) as error:
        raise NotAProof("no JSON that is known") from error
    if kind == "hours-growth":
        old, new = verified_growth(read_growth(data), keys)
        return Told(
            "growth", True,
            [
                *_signed(new),
                f"从 {old.checkpoint.size} 个条目到 {new.checkpoint.size} 个，只有增加：没有条目被"
                f"改动或删去。 From {old.checkpoint.size} entries to {new.checkpoint.size} the "
                "tree only grew: none was altered or removed.",
            ],
            [],
        )  # fmt: skip
    return _tell_record(verified_record(read_record(data), keys))


def _tell_proof(text: str, keys: Sequence[Key]) -> Told:
    proof = read_tlog_proof(text)
    signed = verified_proof(proof, keys)
    return Told(
        "proof", True,
        [
            *_signed(signed),
            f"下面的字节就是它的条目 {proof.place}。 The bytes below are its entry {proof.place}.",
            proof.entry.decode(errors="backslashreplace"),
        ],
        [_SERVED, _LATER, _HIDDEN],
    )  # fmt: skip


def _tell_checkpoint(note: str, keys: Sequence[Key]) -> Told:
    signed = verified_checkpoint(note, keys)
    return Told(
        "checkpoint", True, _signed(signed),
        [
            "树里有什么：检查点只固定它，条目要用证明或导出核对。 What is in the tree: a "
            "checkpoint pins it; entries are checked by proofs or an export.",
        ],
    )  # fmt: skip


def _tell_certificate(certified: ProvenCertificate) -> Told:
    statement, identity = certified.statement, certified.identity
    told = _tell_record(certified.proven)
    return Told(
        "certificate", True,
        [
            f"证书 {statement.number}：{identity.name}，志愿者 {statement.volunteer}，"
            f"{duration(statement.certified_seconds)}（账本 "
            f"{duration(statement.ledger_seconds)}）。 "
            f"Certificate {statement.number} for {identity.name}, volunteer "
            f"{statement.volunteer}: {duration(statement.certified_seconds)}.",
            "所写的正是附件里的记录算出来的。 It states what the record in it gives, to the byte.",
            *told.proven,
        ],
        [
            "它是否已被撤销或替换：看更新的检查点，或问出具单位。 Whether it was revoked or "
            "replaced since: a later checkpoint tells, or the issuer.",
            "纸上的姓名是不是此志愿者：由出具单位担保。 That the name on it is this volunteer's: "
            "the issuer vouches for that.",
            *told.not_proven,
        ],
    )  # fmt: skip


def _tell_record(proven: ProvenRecord) -> Told:
    lines = [
        *_signed(proven.checkpoint),
        f"志愿者 {proven.volunteer} 的 {len(proven.bodies)} 个条目，在 {proven.moment.at} "
        f"时都在账本里。 {len(proven.bodies)} entries of volunteer {proven.volunteer} were in "
        f"the ledger at {proven.moment.at}.",
    ]
    if proven.is_whole:
        lines.append(
            "到那时为止，此人的条目没有一个被遗漏。 Up to then none of this volunteer's entries "
            "was left out."
        )
    lines += _figures(standing(proven.bodies))
    return Told("record", True, lines, [_SERVED, _LATER, *([] if proven.is_whole else [_HIDDEN])])


def _figures(stands: Standing) -> list[str]:
    """Sessions that count, and those that were taken back."""
    credited, adjusted, taken_back = stands
    seconds = sum(entry["seconds"] for entry in [*credited, *adjusted])
    return [
        f"计入 {len(credited)} 次、{len(adjusted)} 笔调整，共 {duration(seconds)}；冲销 "
        f"{taken_back} 次。 {len(credited)} sessions and {len(adjusted)} adjustments count, "
        f"{duration(seconds)} in all; {taken_back} were taken back.",
        *(
            f"  {entry['opened_at']} – {entry['closed_at']} {entry['team']} "
            f"{entry.get('activity', '')} {duration(entry['seconds'])}"
            for entry in credited
        ),
        *(
            f"  {entry['day']} {entry['team']} {duration(entry['seconds'])} {entry['reason']}"
            for entry in adjusted
        ),
    ]


def _signed(signed: SignedCheckpoint) -> list[str]:
    origin, size, _ = signed.checkpoint
    lines = [f"{origin} 的树，{size} 个条目。 The tree of {origin}, {size} entries."]
    for key, at in signed.keys.items():
        if at is None:
            lines.append(f"由 {key.name} 签名（{key.id.hex()}）。 Signed by {key.name}.")
        else:
            when = datetime.fromtimestamp(at, UTC).isoformat()
            lines.append(f"由 {key.name} 见证于 {when}。 Witnessed by {key.name} at {when}.")
    return lines
