"""The demo's proof: what it settled is signed, certified for somebody, and checked by a key."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine, func, select

from hours.demo_commands import run_hours
from ledger import tables

_ISSUER = """name = "通州区新时代文明实践中心（演示 demo）"
person_in_charge = "张主任"
handler = "李干事"
contact = "0513-00000000"
"""


def prove_it(environment: Mapping[str, str], home: Path, engine: Engine) -> str:
    """Sign, certify whoever served most often, verify: what is said of it. ServiceUnavailable."""
    key, public, issuer = (home / name for name in ("signing.pem", "ledger-key", "issuer.toml"))
    certificate = home / "certificate.pdf"
    public.write_text(run_hours(environment, "sign", "--new-key", str(key)), "utf-8")
    issuer.write_text(_ISSUER, "utf-8")
    own = {
        **environment,
        "HOURS_SIGNING_KEY_FILE": str(key),
        "HOURS_PUBLIC_KEY_FILE": str(public),
        "HOURS_ISSUER_FILE": str(issuer),
    }
    checkpoint = run_hours(own, "sign", "--once")
    made = ("certificate", _busiest(engine), "--out", str(certificate))
    run_hours(own, *made, "--by", "demo", "--why", "demo")
    told = run_hours(own, "verify", str(certificate))
    said = "\n".join(told.splitlines()[:5])
    return (
        f"{checkpoint}{said}\n证书 The certificate: {certificate}\n"
        f"公钥 Its public key: {public}（hours verify {certificate} --key {public}）"
    )


def _busiest(engine: Engine) -> str:
    table = tables.entries
    with engine.connect() as connection:
        return str(
            connection.execute(
                select(table.c.volunteer)
                .where(table.c.type == "credit")
                .group_by(table.c.volunteer)
                .order_by(func.count().desc(), table.c.volunteer)
                .limit(1)
            ).scalar_one()
        )
