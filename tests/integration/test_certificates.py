"""A certificate: the fields of the guidance, a file that proves itself, and what becomes of it."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fpdf import FPDF

from dashboards.board.public import read_view
from dashboards.certificate_files import (
    CERTIFICATE,
    MOST_BYTES,
    RECORD,
    attachments_of,
    verified_certificate,
)
from dashboards.certificates import Certificate, Issuer, certificate_pdf
from dashboards.proof_telling import tell
from ledger import queries
from ledger.evidence import certificates, proving, reading
from ledger.evidence.checkpoints import one_line
from ledger.evidence.memory import remembering
from ledger.evidence.moments import CertificateFate, read_district_entry
from ledger.evidence.notes import Key
from ledger.evidence.records import Record, verified_record
from ledger.evidence.sealing import Sealing, Signer
from ledger.evidence.statements import Identity, ReportingPolicy, statement_of
from ledger.evidence.tlog_proofs import NotAProof
from ledger.taps import Tap, Void
from tests.board_world import HOUR, LEDGER, POLICY, WANG, District, district_at, now
from tests.forked import run_hours
from tests.running import environment

ISSUER = """
name = "通州区新时代文明实践中心"
person_in_charge = "张主任"
handler = "李干事"
contact = "0513-00000000"
"""


@pytest.fixture
def district(ledger_url: str, tmp_path: Path) -> Iterator[District]:
    with district_at(ledger_url, tmp_path) as made:
        at = now() - 200 * HOUR
        for number in range(12):
            opened = at + number * 12 * HOUR
            made.settle(
                Tap.of(WANG, "in", opened, "/kiosks/1", f"i{number}", "choir", "station-1",
                       "concert" if number % 2 else None),
                Tap.of(WANG, "out", opened + 10 * HOUR, "/kiosks/1", f"o{number}"),
            )  # fmt: skip
        made.settle(Void(WANG, now(), "/desks/li", "v1", "/kiosks/1", "o3", "li", "误"))
        yield made


@pytest.fixture
def key(district: District) -> Ed25519PrivateKey:
    """The signer's; its public half, and who issues, are in files beside the ledger."""
    key = Ed25519PrivateKey.generate()
    public = Key(LEDGER, key.public_key().public_bytes_raw())
    (district.home / "key").write_text(f"{public.vkey}\n")
    (district.home / "issuer.toml").write_text(ISSUER)
    sign(district, key)
    return key


def sign(district: District, key: Ed25519PrivateKey) -> None:
    public = Key(LEDGER, key.public_key().public_bytes_raw())
    signer = Signer(district.engine, LEDGER, POLICY, [(public, key.sign)])
    with remembering(district.home / "signer", LEDGER) as memory:
        Sealing(signer, memory, now).seal()


def run(district: District, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    home = district.home
    settings = {
        "ledger_url": district.url, "roster_key_file": str(home / "roster.key"),
        "public_key_file": str(home / "key"), "issuer_file": str(home / "issuer.toml"), **more,
    }  # fmt: skip
    return run_hours([*map(str, arguments)], environment(home, **settings))


def fates(district: District) -> list[CertificateFate]:
    with queries.reading(district.engine) as connection:
        bodies = reading.district_entries_from(connection, 0)
    entries = [read_district_entry(body) for _, body in bodies]
    return [entry for entry in entries if isinstance(entry, CertificateFate)]


def test_it_is_issued_verified_offline_replaced_and_revoked_in_the_district_s_log(
    district: District, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}.pdf" for name in ("first", "second")]
    why = ("--by", "李干事", "--why", "本人申请")
    made = run(district, "certificate", WANG, "--out", files[0], "--day-cap", 8, *why)
    assert made.returncode == 0, made.stderr
    public = (district.home / "key").read_text().strip()
    told = run_hours(
        ["verify", str(files[0]), "--key", public], environment(tmp_path / "elsewhere")
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "王小明" in told.stdout
    assert "11 sessions and 0 adjustments count" in told.stdout
    assert "1 were taken back" in told.stdout
    sign(district, key)
    (first,) = fates(district)
    again = run(district, "certificate", WANG, "--out", files[1], "--replaces", first.number, *why)
    assert again.returncode == 0, again.stderr
    sign(district, key)
    replaced, second = fates(district)[1:]
    assert (replaced.status, replaced.replaced_by) == ("replaced", second.number)
    revoked = run(district, "certificate", "--revoke", second.number, *why)
    assert revoked.returncode == 0, revoked.stderr
    sign(district, key)
    assert [one.status for one in fates(district)] == ["issued", "replaced", "issued", "revoked"]
    twice = run(district, "certificate", "--revoke", second.number, *why)
    assert (twice.returncode, len(twice.stderr.splitlines())) == (2, 1)
    said = json.loads(attachments_of(files[0].read_bytes())["certificate.json"])
    assert said["statement"]["number"] == first.number
    shown = run(district, "certificate", "--list").stdout
    assert "revoked" in shown
    assert "replaced" in shown
    assert oct(files[0].stat().st_mode & 0o777) == "0o600"
    history = run(district, "roster", "disclosures")
    assert "本人申请" in history.stdout


def test_after_days_of_public_notice_it_is_issued(
    district: District, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    out = tmp_path / "noticed.pdf"
    why = ("--why", "年度出具")
    made = run(district, "certificate", WANG, "--out", out, *why, notice_days="7")
    assert made.returncode == 0, made.stderr
    assert "公示 7 天" in made.stderr
    assert "noticed" in run(district, "certificate", "--list").stdout
    assert run(district, "certificate", "--conclude").returncode == 0
    assert "noticed" in run(district, "certificate", "--list").stdout  # not over yet
    sign(district, key)
    assert fates(district) == []
    with queries.reading(district.engine) as connection:
        (shown,) = read_view(connection, POLICY, now(), [1]).notices
    assert (shown.called, shown.seconds) == ("王**", 11 * 10 * 3_600)
    assert certificates.conclude(district.engine, shown.until) == [shown.number]
    assert certificates.conclude(district.engine, shown.until) == []
    sign(district, key)
    assert [one.status for one in fates(district)] == ["issued"]
    with queries.reading(district.engine) as connection:
        assert read_view(connection, POLICY, now(), [1]).notices == []


def test_the_wall_shows_the_hours_that_a_certificate_states(
    district: District, certificate: Certificate
) -> None:
    with queries.reading(district.engine) as connection:
        (wang,) = read_view(connection, POLICY, now(), [1]).wall
    assert wang.seconds == certificate.statement.ledger_seconds


@pytest.fixture
def certificate(district: District, key: Ed25519PrivateKey) -> Certificate:
    with queries.reading(district.engine) as connection:
        record = proving.volunteer_record(connection, LEDGER, WANG)
    return stated(record, key)


def stated(record: Record, key: Ed25519PrivateKey) -> Certificate:
    public = Key(LEDGER, key.public_key().public_bytes_raw())
    identity = Identity(
        name="王小明", document_type="resident", document="11010119900307123X", salt="0" * 32
    )
    proven = verified_record(record, [public])
    policy = ReportingPolicy(day_cap_hours=8, rounding="half-hour")
    statement = statement_of(proven, "2026-000001A", identity, POLICY, policy)
    return Certificate(
        statement, identity, Issuer("通州区实践中心", "张主任", "李干事", "0513-1"), record,
        datetime(2026, 11, 25, 9, tzinfo=UTC), one_line(record.moment.checkpoint),
        {"choir": "合唱队"}, {"concert": "社区音乐会"}, "备注一",
    )  # fmt: skip


def test_the_page_shows_what_the_guidance_asks_for(
    certificate: Certificate,
) -> None:
    pdf = certificate_pdf(certificate)
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    for wanted in (
        *("王小明", "居民身份证", "11010119900307123X", WANG, "社区音乐会", "合唱队", "张主任"),
        *("通州区实践中心", "李干事", "0513-1", "2026-000001A", "2026-11-25", "备注一", "盖章"),
        *("每日上限 8 小时", "每日向下取整到半小时", certificate.statement.hash),
    ):
        assert "".join(wanted.split()) in "".join(text.split()), wanted


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)  # no database is asked
def test_a_certificate_that_states_other_than_its_record_gives_is_refused(
    certificate: Certificate, key: Ed25519PrivateKey
) -> None:
    keys = (Key(LEDGER, key.public_key().public_bytes_raw()),)
    statement, record = certificate.statement, certificate.record
    assert verified_certificate(certificate_pdf(certificate), keys).statement == statement
    for altered in (
        {"certified_seconds": statement.certified_seconds + 1_800},
        {"sessions": statement.sessions + 1},
        {"identity": "0" * 64},
        {"volunteer": "VSOMEBODY"},
    ):
        spoiled = certificate._replace(statement=statement.model_copy(update=altered))
        with pytest.raises(NotAProof, match="states other"):
            verified_certificate(certificate_pdf(spoiled), keys)
    partial = certificate._replace(record=record.model_copy(update={"whole": None}))
    with pytest.raises(NotAProof, match="whole record"):
        verified_certificate(certificate_pdf(partial), keys)
    shorter = record.model_copy(update={"entries": record.entries[:-1]})
    with pytest.raises(NotAProof, match="not all entries"):
        verified_certificate(certificate_pdf(certificate._replace(record=shorter)), keys)
    someone = certificate.identity.model_copy(update={"name": "张三"})
    with pytest.raises(NotAProof, match="states other"):
        verified_certificate(certificate_pdf(certificate._replace(identity=someone)), keys)
    for zone in ("Mars/Phobos", "../../etc/passwd", "A" * 5_000):
        elsewhere = certificate._replace(statement=statement.model_copy(update={"timezone": zone}))
        with pytest.raises(NotAProof, match="no such IANA timezone"):
            verified_certificate(certificate_pdf(elsewhere), keys)
    for rubbish in (b"%PDF-1.7\n", b"%PDF-" + os.urandom(200)):
        assert not tell(rubbish, keys).holds


def test_trouble_is_one_line(district: District, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    out = tmp_path / "none.pdf"
    why = ("--why", "试")
    make = ("certificate", WANG, "--out", out, *why)
    for said, arguments, more in (
        ("Give a volunteer", ("certificate",), {}),
        ("HOURS_ISSUER_FILE is not set", make, {"issuer_file": ""}),
        ("can't be used", make, {"issuer_file": str(district.home / "key")}),
        ("HOURS_PUBLIC_KEY_FILE", make, {"public_key_file": ""}),
        ("No entry of volunteer", ("certificate", "VNOBODY", "--out", out, *why), {}),
        ("--why", ("certificate", WANG, "--out", out), {}),
    ):
        done = run(district, *arguments, **more)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert said in done.stderr
    assert not out.exists()


def test_a_pdf_that_unpacks_into_more_than_a_proof_can_be_is_refused() -> None:
    pdf = FPDF()
    pdf.add_page()
    for name in (RECORD, CERTIFICATE):
        pdf.embed_file(basename=name, bytes=bytes(MOST_BYTES // 2 + 1), compress=True)
    packed = bytes(pdf.output())
    assert len(packed) < MOST_BYTES // 100
    (line,) = tell(packed, []).proven
    assert "too large to be a proof" in line
