"""The commands of evidence, run as people run them: keys, signing, proofs, export, verifying."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dashboards.proof_telling import tell
from ledger.evidence.checkpoints import DISTRICT, one_line, shard_tree
from ledger.evidence.folder import TileFolder
from ledger.evidence.memory import remembering
from ledger.evidence.notes import key_of, verified
from ledger.evidence.signing import SignerMetrics, SignerProcess
from ledger.evidence.witnesses import Witness as Asked
from tests.evidence_world import LEDGER, VOLUNTEERS, Evidence, evidence_at
from tests.forked import run_hours
from tests.running import environment, eventually
from tests.witness import Witness, serving

on_both = pytest.mark.parametrize("url", ["sqlite_url", "postgres_url"])
TREES = [DISTRICT, *map(shard_tree, range(4))]


@pytest.fixture
def url() -> str:
    """On which fixture's database; signing and proving are tested on both elsewhere."""
    return "sqlite_url"


@pytest.fixture
def evidence(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[Evidence]:
    with evidence_at(request.getfixturevalue(url), tmp_path) as made:
        yield made


def run(evidence: Evidence, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    settings = environment(evidence.home, ledger_url=evidence.url, **more)
    key = evidence.home / "key.pem"
    if key.exists():
        settings["HOURS_SIGNING_KEY_FILE"] = str(key)
    return run_hours([*map(str, arguments)], settings)


def ok(evidence: Evidence, *arguments: object, **more: str) -> str:
    done = run(evidence, *arguments, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(evidence: Evidence, said: str, *arguments: object, code: int = 2, **more: str) -> None:
    done = run(evidence, *arguments, **more)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


@pytest.fixture
def vkey(evidence: Evidence) -> str:
    """The public key, as a person copies it; its private half is the signer's."""
    key = ok(evidence, "sign", "--new-key", evidence.home / "key.pem").strip()
    private = load_pem_private_key((evidence.home / "key.pem").read_bytes(), None)
    evidence.key = private  # type: ignore[assignment]
    assert evidence.public.vkey == key
    return key


@on_both
def test_from_a_new_key_to_proofs_that_verify_with_nothing_but_it(
    evidence: Evidence, vkey: str, tmp_path: Path
) -> None:
    evidence.serve(900)
    evidence.void(VOLUNTEERS[3], "o3")
    evidence.adjust(VOLUNTEERS[3], -600)
    note = ok(evidence, "sign", "--once")
    assert ok(evidence, "checkpoint") == note
    assert ok(evidence, "checkpoint", "--line").strip() == one_line(note)
    record, bundle, session = (tmp_path / name for name in ("record", "bundle", "session"))
    ok(evidence, "prove", "--volunteer", VOLUNTEERS[3], "--out", record)
    ok(evidence, "prove", "--entry", "2/17", "--out", bundle)
    shown = json.loads(record.read_text())
    credit = next(
        entry for one in shown["entries"] if (entry := json.loads(one["body"]))["type"] == "credit"
    )
    ok(evidence, "prove", "--session", credit["session"], "--out", session)
    nowhere = {"ledger_url": f"sqlite:///{tmp_path / 'nowhere' / 'none.db'}"}
    for file, words in (
        (record, ["none of this volunteer's entries was left out", "1 were taken back"]),
        (bundle, ["entry 17", "没有证明"]),
        (session, ["entries of volunteer", "whole record tells"]),
    ):
        alone = environment(tmp_path, **nowhere)
        told = run_hours(["verify", str(file), "--key", vkey], alone)
        assert told.returncode == 0, told.stderr
        assert all(word in told.stdout for word in words), told.stdout
    assert not (tmp_path / "nowhere").exists()
    checkpoint = tmp_path / "checkpoint"
    for text in (note, one_line(note)):
        checkpoint.write_text(text)
        assert f"tree of {LEDGER}" in ok(evidence, "verify", checkpoint, "--key", vkey)
    ok(evidence, "verify", record, "--key", vkey, "--split", tmp_path / "split")
    bundles = sorted((tmp_path / "split").glob("*.tlog-proof"))
    assert len(bundles) == len(shown["entries"]) + 1
    assert all(tell(one.read_bytes(), [key_of(vkey)]).holds for one in bundles)


def test_a_ledger_s_growth_is_proven_between_any_two_checkpoints(
    evidence: Evidence, vkey: str, tmp_path: Path
) -> None:
    notes = []
    for number in range(3):
        evidence.serve(300)
        ok(evidence, "sign", "--once")
        notes.append(tmp_path / f"checkpoint-{number}")
        notes[-1].write_text(ok(evidence, "checkpoint", "--tree", "shard-1"))
    grown = tmp_path / "growth"
    for given in ((notes[0],), (notes[0], notes[1]), (notes[1], notes[1])):
        options = [word for one in given for word in ("--growth", one)]
        ok(evidence, "prove", *options, "--out", grown)
        assert "only grew" in ok(evidence, "verify", grown, "--key", vkey)
    backwards = ["--growth", notes[2], "--growth", notes[0]]
    refused(evidence, "can't be shown", "prove", *backwards)
    spoiled = json.loads(grown.read_text()) | {"old": notes[2].read_text()}
    grown.write_text(json.dumps(spoiled))
    refused(evidence, "did not grow", "verify", grown, "--key", vkey, code=1)


def test_what_proves_nothing_says_so_with_exit_code_1(
    evidence: Evidence, vkey: str, tmp_path: Path
) -> None:
    evidence.serve(100)
    ok(evidence, "sign", "--once")
    record = json.loads(ok(evidence, "prove", "--volunteer", VOLUNTEERS[1]))
    other = key_of(vkey)._replace(public=bytes(32)).vkey
    file = tmp_path / "file"
    file.write_text(json.dumps(record))
    ok(evidence, "verify", file, "--key", vkey)
    refused(evidence, "none of the keys", "verify", file, "--key", other, code=1)
    spoiled = [
        {**record, "entries": record["entries"][1:]},
        {**record, "entries": record["entries"][::-1]},
        {**record, "volunteer": VOLUNTEERS[2]},
        {**record, "shard": (record["shard"] + 1) % 4},
        {**record, "ledger": "other.example"},
        {**record, "hashes": record["hashes"][::-1]},
        {**record, "entries": [{**record["entries"][0], "path": [999]}]},
        {**record, "extra": 1},
        json.loads(json.dumps(record).replace('3600', '7200')),
    ]  # fmt: skip
    for one in spoiled:
        assert not tell(json.dumps(one).encode(), [key_of(vkey)]).holds, one
    deep, wide = b'{"format":' + b"[" * 100_000, b'{"format":' + b"9" * 10_000 + b"}"
    half = b'{"format":"hours-growth","old":"\\ud800","new":"","hashes":[]}'
    lines = (b"", b"\xff\xfe", b"{", b"[]", b"c2sp.org/tlog-proof@v1\n", b"a\n1\n\n")
    for rubbish in (*lines, deep, wide, half):
        file.write_bytes(rubbish)
        assert not tell(rubbish, [key_of(vkey)]).holds
    refused(evidence, "Not proven", "verify", file, "--key", vkey, code=1)


def test_an_export_is_added_to_gone_on_with_and_refuses_another_s_folder(
    evidence: Evidence, vkey: str, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    refused(evidence, "No checkpoint is signed", "export", folder)
    evidence.serve(1_500)
    ok(evidence, "sign", "--once")
    ok(evidence, "export", folder)
    full = {path for path in folder.rglob("*") if path.is_file() and ".p" not in str(path)}
    before = {path: path.stat().st_mtime_ns for path in full if path.name != "checkpoint"}
    for path in sorted(folder.glob("shard-*/checkpoint")):
        path.unlink()  # stopped before it was whole
    evidence.serve(700)
    ok(evidence, "sign", "--once")
    ok(evidence, "export", folder, "--without-entries")
    ok(evidence, "export", folder)
    assert {path: path.stat().st_mtime_ns for path in before if "shard" in str(path)} == {
        path: at for path, at in before.items() if "shard" in str(path)
    }
    assert TileFolder(folder).trees() == TREES
    for tree in TREES:
        checkpoint = ok(evidence, "checkpoint", "--tree", tree)
        assert TileFolder(folder).note(tree) == checkpoint
    (folder / "shard-0" / "tile" / "1" / "000.p" / "2").write_bytes(bytes(64))
    evidence.serve(300)
    ok(evidence, "sign", "--once")
    refused(evidence, "does not give its checkpoint", "export", folder)


def test_a_notice_shows_the_line_in_a_code_a_phone_reads(
    evidence: Evidence, vkey: str, tmp_path: Path
) -> None:
    evidence.serve(10)
    note = ok(evidence, "sign", "--once")
    ok(evidence, "checkpoint", "--pdf", tmp_path / "notice.pdf")
    page = pypdfium2.PdfDocument(tmp_path / "notice.pdf")[0]
    (code,) = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    assert code.text == one_line(note)
    assert "检查点" in page.get_textpage().get_text_bounded()


def test_trouble_is_one_line_that_says_what_to_do(evidence: Evidence, tmp_path: Path) -> None:
    refused(evidence, "hours sign --new-key", "sign", "--once")
    refused(evidence, "run hours sign", "checkpoint")
    refused(evidence, "run hours sign", "prove", "--entry", "0/0")
    refused(evidence, "Give one of", "prove")
    refused(evidence, "SHARD/SEQ", "prove", "--entry", "zero")
    refused(evidence, "HOURS_PUBLIC_KEY_FILE", "verify", __file__)
    refused(evidence, "can't be read", "verify", __file__, "--key", tmp_path / "none")
    refused(evidence, "no public key", "verify", __file__, "--key", __file__)
    key = evidence.home / "key.pem"
    ok(evidence, "sign", "--new-key", key)
    refused(evidence, "exists", "sign", "--new-key", key)
    ok(evidence, "sign", "--once")
    refused(evidence, "not signed yet", "prove", "--entry", "0/77")
    refused(evidence, "No entry of volunteer", "prove", "--volunteer", "VNOBODY")
    refused(evidence, "no session", "prove", "--session", "0" * 32)
    key.chmod(0o644)
    refused(evidence, "chmod 600", "sign", "--once")
    key.chmod(0o600)
    key.write_text("no key")
    refused(evidence, "no Ed25519 private key", "sign", "--once")
    os.remove(key)


def test_a_lost_memory_is_not_signed_over(evidence: Evidence, vkey: str, tmp_path: Path) -> None:
    evidence.serve(10)
    note = ok(evidence, "sign", "--once")
    elsewhere = {"signer_folder": str(tmp_path / "elsewhere")}
    refused(evidence, "--adopt", "sign", "--once", **elsewhere)
    known = tmp_path / "known"
    known.write_text(note)
    evidence.serve(10)
    ok(evidence, "sign", "--once", "--adopt", known, **elsewhere)
    evidence.serve(10)
    assert "tree of" not in ok(evidence, "sign", "--once", **elsewhere)


def test_a_signer_refuses_keeps_both_sides_and_goes_on_when_it_is_put_right(
    evidence: Evidence, vkey: str
) -> None:
    evidence.serve(30)
    ok(evidence, "sign", "--once")
    (count,) = evidence.rows("SELECT next_seq FROM shards WHERE shard = 0")
    evidence.sql("UPDATE shards SET next_seq = 1 WHERE shard = 0")
    refused(evidence, "some are gone", "sign", "--once")
    (kept,) = (evidence.home / "signer" / "refused").iterdir()
    said = json.loads(kept.read_text())
    assert (said["tree"], said["signed"], said["stored"]) == ("shard-0", count[0], 1)
    evidence.sql(f"UPDATE shards SET next_seq = {count[0]} WHERE shard = 0")
    ok(evidence, "sign", "--once")


def test_witnesses_cosign_what_grew_and_hold_nothing_up(evidence: Evidence) -> None:
    witness, metrics = Witness(evidence.public), SignerMetrics()
    with (
        serving(witness) as address,
        remembering(evidence.home / "signer", LEDGER) as memory,
    ):
        asked = [Asked(witness.public, address)]
        process = SignerProcess(evidence.signer, memory, evidence.home, asked, metrics)
        for is_away in (False, True, False):
            witness.is_away = is_away
            evidence.serve(5)
            note = process.turn().checkpoint
            assert note is not None
            unwitnessed = metrics.registry.get_sample_value(
                "hours_signer_unwitnessed", {"witness": "witness.example"}
            )
            assert unwitnessed == is_away
        shown = ok(evidence, "checkpoint")
        assert set(verified(shown, [evidence.public, witness.public]).keys) == {
            evidence.public,
            witness.public,
        }
        witness.size += 1  # it knows another tree
        evidence.serve(5)
        process.turn()
        assert metrics.registry.get_sample_value(
            "hours_signer_unwitnessed", {"witness": "witness.example"}
        )


def test_a_signer_signs_turn_after_turn_until_it_is_told_to_stop(
    evidence: Evidence, vkey: str
) -> None:
    settings = environment(
        evidence.home,
        ledger_url=evidence.url,
        signing_key_file=str(evidence.home / "key.pem"),
    )
    signer = subprocess.Popen(
        [sys.executable, "-m", "hours", "sign", "--every", "0.2"],
        env=settings, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for sessions in (5, 7):
            evidence.serve(sessions)
            expected = evidence.rows("SELECT sum(next_seq) FROM shards")
            eventually(
                lambda expected=expected: evidence.rows(
                    "SELECT sum(size) FROM (SELECT max(size) AS size FROM checkpoints "
                    "WHERE tree <> 'district' GROUP BY tree) AS latest"
                ) == expected,
                "everything signed",
            )  # fmt: skip
    finally:
        signer.terminate()
    said = signer.communicate(timeout=30)[1]
    assert signer.returncode == 0, said
    assert "Traceback" not in said
