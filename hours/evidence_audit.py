"""`hours audit --key`: on an auditor's machine, with an archive or tiles and a public key alone."""

import json
from importlib.metadata import version
from pathlib import Path

import click

from dashboards.audit_report import audit_report, audit_report_pdf
from hours import showing
from hours.settings import Settings, WrongUse
from hours.signing_keys import trusted_keys
from ledger.evidence.checkpoints import verified_checkpoint
from ledger.evidence.folder import TileFolder
from ledger.evidence.notes import NotANote
from streams.evidence_audit import (
    EvidenceAudited,
    EvidenceSource,
    audit_evidence,
    compare_folders,
)
from streams.spot_audit import spot_audit


def run_evidence_audit(
    settings: Settings,
    archive: Path | None,
    workers: int | None,
    key: str | None,
    tiles: Path | None,
    against: Path | None,
    state: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Audit, tell, write the report; exit code 1 where something differs. WrongUse."""
    source = _source(settings, archive, key, tiles)._replace(state=state)
    try:
        with showing.counting("审计 auditing") as moved:
            audited = audit_evidence(source, moved, workers)
        if against is not None:
            findings = compare_folders(source.evidence, against, source.keys)
            audited = audited._replace(findings=[*audited.findings, *findings])
    except NotANote as error:
        click.echo(
            f"不一致：区级检查点不是用所给的公钥签名的（{error}）。 Not equal: the district's "
            f"checkpoint is not signed by a key that was given ({error})."
        )
        raise click.exceptions.Exit(1) from error
    shown = _as_json(source, audited)
    if report is not None:
        _write(report, shown)
    if as_json:
        showing.print_json([shown])
    else:
        _tell(audited)
    if audited.findings:
        raise click.exceptions.Exit(1)


def run_spot_audit(
    settings: Settings,
    archive: Path | None,
    key: str | None,
    tiles: Path | None,
    count: int,
    seed: int,
    as_json: bool,
) -> None:
    """Settle some volunteers again, and say with what confidence; exit code 1 on a difference."""
    source = _source(settings, archive, key, tiles)
    if archive is None or tiles is None:
        raise WrongUse("--sample 需要 --log 和 --tiles。 --sample takes --log and --tiles.")
    _refuse_unsigned(source)
    with showing.counting("抽查 sampling") as moved:
        audited = spot_audit(source.ledger, source.policy, archive, tiles, count, seed, moved)
    if as_json:
        findings = [finding._asdict() for finding in audited.findings]
        most = {"most_differing": audited.most_differing} if not findings else {}
        showing.print_json([{**audited._asdict(), **most, "seed": seed, "findings": findings}])
    elif not audited.findings:
        click.echo(
            f"一致：{audited.volunteers} 名志愿者中抽查 {audited.drawn} 名（种子 {seed}），"
            f"{audited.entries} 个条目都与日志相符；以 95% 的把握，不符的不到 "
            f"{audited.most_differing:.1%}。 Equal: {audited.drawn} of {audited.volunteers} "
            f"volunteers drawn (seed {seed}), {audited.entries} entries as the log gives them; "
            f"with 95 % confidence fewer than {audited.most_differing:.1%} of all differ."
        )
    else:
        for finding in audited.findings:
            click.echo(f"不一致 Not equal: {finding}")
    if audited.findings:
        raise click.exceptions.Exit(1)


def _refuse_unsigned(source: EvidenceSource) -> None:
    """The export that is sampled must at least be under signed checkpoints."""
    folder = TileFolder(source.evidence)
    for tree in folder.trees():
        try:
            verified_checkpoint(folder.note(tree), source.keys)
        except NotANote as error:
            click.echo(
                f"不一致：{tree} 的检查点不是用所给的公钥签名的（{error}）。 Not equal: the "
                f"checkpoint of {tree} is not signed by a key that was given ({error})."
            )
            raise click.exceptions.Exit(1) from error


def _source(
    settings: Settings, archive: Path | None, key: str | None, tiles: Path | None
) -> EvidenceSource:
    if archive is None and tiles is None:
        raise WrongUse(
            "用公钥审计，需要 --log 存档 或 --tiles 导出。 An audit by a key takes --log "
            "ARCHIVE or --tiles DIR, or both."
        )
    keys = tuple(trusted_keys(settings, key))
    evidence = tiles or (archive / "evidence" if archive else Path())
    if not (evidence / "district" / "checkpoint").is_file():
        raise WrongUse(
            f"{evidence} 里没有区级检查点：用 --tiles 给出导出的文件夹，或请区里用 hours dump "
            "补上。 "
            f"There is no checkpoint of the district in {evidence}: give an export by --tiles, or "
            "ask for an archive that hours dump wrote with the ledger at hand."
        )
    return EvidenceSource(settings.ledger_name, settings.policy, keys, evidence, archive, tiles)


def _as_json(source: EvidenceSource, audited: EvidenceAudited) -> dict[str, object]:
    return {
        "program": f"volunteer-hours-ledger {version('volunteer-hours-ledger')}",
        "ledger": source.ledger,
        "keys": [key.vkey for key in source.keys],
        "archive": str(source.archive) if source.archive else None,
        "tiles": str(source.tiles) if source.tiles else None,
        **audited._asdict(),
        "shards": [
            {**one._asdict(), "root": one.root.hex(), "findings": len(one.findings)}
            for one in audited.shards
        ],
        "findings": [finding._asdict() for finding in audited.findings],
    }


def _write(file: Path, shown: dict[str, object]) -> None:
    if file.suffix == ".json":
        content = (json.dumps(shown, ensure_ascii=False, indent=1) + "\n").encode()
    elif file.suffix == ".pdf":
        content = audit_report_pdf(shown)
    elif file.suffix in (".html", ".htm"):
        content = audit_report(shown).encode()
    else:
        raise WrongUse(
            "报告应为 .html、.pdf 或 .json 文件。 A report is a .html, a .pdf or a .json file."
        )
    file.write_bytes(content)
    showing.say(f"报告已写入 {file}。 The report is in {file}.")


def _tell(audited: EvidenceAudited) -> None:
    if audited.findings:
        click.echo(f"不一致。第一处: Not equal. First difference: {audited.findings[0]}")
        for finding in audited.findings[1:]:
            click.echo(str(finding))
        return
    entries = sum(one.size for one in audited.shards)
    click.echo(
        f"一致：{len(audited.shards)} 个分片的 {entries} 个条目，与 {audited.moments} 个时刻、"
        f"检查点和志愿者索引相符；最后时刻 {audited.last_moment}。 Equal: {entries} entries in "
        f"{len(audited.shards)} shards give what {audited.moments} moments, the checkpoints and "
        f"the volunteers' index say; the last moment is {audited.last_moment}."
    )
