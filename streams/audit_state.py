"""What an audit without a ledger has done so far, in a file: stopped, it goes on from there.

Invariant: what is kept is used only for the same checkpoint, the same folders and the same keys.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ledger.audit import Finding
from ledger.evidence.checking import ShardChecked


class _Shard(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    size: int
    root: str
    types: dict[str, int]
    seconds: int
    records: int
    findings: list[Finding]


class _State(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    of: str
    shards: dict[str, _Shard] = {}


class AuditState:
    """The shards that are audited already; none, where no file was named."""

    def __init__(self, file: Path | None, *of: Any) -> None:
        """`of` is what the audit depends on: of anything else nothing is taken up."""
        self._file = file
        self._of = sha256(repr(of).encode()).hexdigest()
        self._state = self._read()

    def done(self, shard: int) -> tuple[ShardChecked, int] | None:
        """What was found in a shard, and of how many records; None where it isn't done."""
        kept = self._state.shards.get(str(shard))
        if kept is None:
            return None
        root = bytes.fromhex(kept.root)
        checked = ShardChecked(shard, kept.size, root, kept.types, kept.seconds, kept.findings)
        return checked, kept.records

    def keep(self, checked: ShardChecked, records: int) -> None:
        """A shard is done; on the disk before the next one is."""
        self._state.shards[str(checked.shard)] = _Shard(
            size=checked.size, root=checked.root.hex(), types=checked.types,
            seconds=checked.seconds, records=records,
            findings=list(checked.findings),
        )  # fmt: skip
        if self._file is not None:
            partial = self._file.with_name(f"{self._file.name}.partial")
            partial.write_text(self._state.model_dump_json(indent=1) + "\n", "utf-8")
            os.replace(partial, self._file)

    def _read(self) -> _State:
        fresh = _State(of=self._of)
        try:
            found = _State.model_validate_json(self._file.read_bytes()) if self._file else fresh
        except (OSError, ValidationError):
            return fresh
        return found if found.of == self._of else fresh
