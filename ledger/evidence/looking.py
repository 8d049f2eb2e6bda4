"""What a signer looks at before it signs: whether each tree only grew, by its own memory.

New entries' bytes are read and hashed here; neither the worker's frontier nor any column is taken
at its word. Not what it then signs (`sealing`). Everything that doesn't fit is SigningRefused.
"""

from collections.abc import Callable

from pydantic_core import from_json
from sqlalchemy import Connection

from ledger.entries import genesis
from ledger.evidence import reading
from ledger.evidence.checkpoints import DISTRICT, shard_tree
from ledger.evidence.growing import Growth, grow
from ledger.evidence.memory import Memory, NamedGrowth
from ledger.evidence.reading import StoredCheckpoint, StoredHead
from ledger.evidence.refusals import EvidenceRefusal, SigningRefused
from ledger.evidence.tiles import Edge
from ledger.policy import Policy

Progress = Callable[[int], None]
"""Entries hashed since it was last called."""


def look(
    connection: Connection, memory: Memory, ledger: str, policy: Policy, progress: Progress
) -> dict[int, NamedGrowth]:
    """How every shard's tree has grown since it was signed. SigningRefused."""
    heads = reading.heads(connection)
    if set(heads) != set(range(policy.shard_count)):
        raise SigningRefused(
            f"账本应有 {policy.shard_count} 个分片，现有 {sorted(heads)}。 The ledger should have "
            f"{policy.shard_count} shards and has {sorted(heads)}.",
            shards=sorted(heads),
        )
    growths: dict[int, NamedGrowth] = {}
    for shard in sorted(heads):
        tree = shard_tree(shard)
        growth = _grown(connection, memory, shard, heads[shard], progress)
        if not memory.tree(tree).size:
            _refuse_other_genesis(connection, tree, genesis(shard, ledger, policy).body)
        growths[shard] = (tree, growth)
    return growths


def check_district(connection: Connection, memory: Memory) -> None:
    """Whether the district's log holds nothing but what this signer put there. SigningRefused."""
    size = memory.tree(DISTRICT).size
    _refuse_other_checkpoint(connection, memory, DISTRICT)
    stored = reading.district_entries_from(connection, max(0, size - 1))
    ours = {entry.seq: entry.body for entry in memory.district_since(max(0, size - 1))}
    for seq, body in stored:
        if ours.get(seq) != body:
            raise SigningRefused(
                f"区级日志的条目 {seq} 不是这个签名者写的：有第二个签名者，或者被改动过；请只运行"
                "一个。没有签名。 "
                f"Entry {seq} of the district's log is not this signer's: another signer is at "
                "work, or it was altered. Let one alone run. Nothing was signed.",
                seq=seq,
                stored=body.decode(errors="replace"),
                remembered=(ours.get(seq) or b"").decode(),
            )


def _grown(
    connection: Connection, memory: Memory, shard: int, head: StoredHead, progress: Progress
) -> Growth:
    tree = shard_tree(shard)
    signed = memory.tree(tree)
    _refuse_other_checkpoint(connection, memory, tree)
    if head.size < signed.size:
        raise SigningRefused(
            f"{tree} 只有 {head.size} 个条目，已签名 {signed.size} 个：条目丢失了。若正在从日志"
            "重建，请等它赶上。 "
            f"{tree} has {head.size} entries, and {signed.size} were signed: some are gone. If "
            "the ledger is being rebuilt from the log, it will be signed once it has caught up.",
            tree=tree, signed=signed.size, signed_root=signed.root.hex(), stored=head.size,
        )  # fmt: skip
    growth = Growth(signed.edge)
    ahead = reading.latest_checkpoint(connection, tree)
    if ahead is not None and signed.size < ahead.size <= head.size:
        _read_up_to(connection, memory, shard, growth, ahead.size, progress)
        _refuse_other_root(tree, growth.edge, ahead)
    _read_up_to(connection, memory, shard, growth, head.size, progress)
    if growth.edge.root() != head.root:
        raise SigningRefused(
            f"{tree} 的条目与记账者的树不符（{head.size} 个条目）：请运行 hours audit。没有签名。 "
            f"The entries of {tree} don't give the root that its worker keeps (size {head.size}): "
            "run hours audit. Nothing was signed.",
            tree=tree, size=head.size, recomputed=growth.edge.root().hex(), stored=head.root.hex(),
        )  # fmt: skip
    return growth


def _read_up_to(
    connection: Connection,
    memory: Memory,
    shard: int,
    growth: Growth,
    stop: int,
    progress: Progress,
) -> None:
    tree, start = shard_tree(shard), growth.edge.size
    try:
        for bodies in reading.bodies(connection, tree, start, stop):
            grow(growth, bodies, lambda names: memory.volunteers(shard, names))
            progress(len(bodies))
    except (EvidenceRefusal, ValueError) as error:
        raise SigningRefused(
            f"{tree} 不能签名：{error}", tree=tree, signed=start, cause=str(error)
        ) from error


def _refuse_other_checkpoint(connection: Connection, memory: Memory, tree: str) -> None:
    signed = memory.tree(tree)
    stored = reading.checkpoint_at(connection, tree, signed.size)
    if stored is not None:
        _refuse_other_root(tree, signed.edge, stored)


def _refuse_other_root(tree: str, edge: Edge, stored: StoredCheckpoint) -> None:
    if stored.root != edge.root():
        raise SigningRefused(
            f"{tree} 在 {edge.size} 处已有另一个检查点：同一大小有两棵不同的树。没有签名。 "
            f"There is another checkpoint of {tree} at {edge.size}: two different trees of one "
            "size. Nothing was signed.",
            tree=tree, size=edge.size, ours=edge.root().hex(), stored=stored.note,
        )  # fmt: skip


def _refuse_other_genesis(connection: Connection, tree: str, expected: bytes) -> None:
    for bodies in reading.bodies(connection, tree, 0, 1):
        if bodies[0] != expected:
            raise SigningRefused(
                f"{tree} 的创世条目不是这个账本和规则的：请检查 HOURS_LEDGER_NAME 等设置。 "
                f"{tree} began with another name or policy than this signer's: check "
                "HOURS_LEDGER_NAME, HOURS_TIMEZONE and HOURS_SHARDS.",
                tree=tree,
                stored=from_json(bodies[0]),
                expected=from_json(expected),
            )
