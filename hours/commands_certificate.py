"""`hours certificate`: a volunteer's service certified, as a file that proves itself.

Thin: what counts is `ledger.evidence.statements`, what is kept `certificates`, what it looks like
`dashboards.certificates`. To make one shows who somebody is: that is kept among the disclosures.
"""

import secrets
import time
import tomllib
from datetime import datetime
from pathlib import Path

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, Engine, select

from dashboards.certificates import Certificate, Issuer, certificate_pdf
from hours import showing
from hours.roster_options import by_and_why, deed, roster_engine, zone_of
from hours.settings import Settings, WrongUse
from hours.signing_keys import verifier_keys
from ledger import queries
from ledger.evidence import certificates, proving
from ledger.evidence.checkpoints import one_line
from ledger.evidence.notes import NotANote
from ledger.evidence.records import ProvenRecord, Record, verified_record
from ledger.evidence.statements import Identity, ReportingPolicy, Statement, statement_of
from ledger.policy import SECOND
from ledger.roster import store
from ledger.roster.disclosing import disclose
from ledger.roster.store import Deed
from ledger.roster.tables import BY_KIND
from ledger.roster.vault import PrivateData

_SALT_BYTES = 16


class _IssuerFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    person_in_charge: str = Field(min_length=1, max_length=60)
    handler: str = Field(min_length=1, max_length=60)
    contact: str = Field(min_length=1, max_length=100)


@click.command()
@click.argument("volunteer", required=False)
@click.option("--out", metavar="FILE.pdf", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--day-cap", type=click.IntRange(0, 24), default=0, help="At most so many hours a day; 0: none."
)
@click.option(
    "--rounding",
    type=click.Choice(["none", "half-hour", "hour"]),
    default="none",
    show_default=True,
    help="Each day's hours, rounded down.",
)
@click.option("--notes", default="", help="What else the certificate shall say.")
@click.option("--replaces", metavar="NUMBER", help="The certificate that this one replaces.")
@click.option("--revoke", metavar="NUMBER", help="Say that this certificate holds no longer.")
@click.option("--conclude", is_flag=True, help="Issue those whose days of notice are over.")
@click.option("--list", "as_list", is_flag=True, help="All certificates, or the volunteer's.")
@by_and_why(required=False)
@click.pass_obj
def certificate(
    settings: Settings,
    volunteer: str | None,
    out: Path | None,
    day_cap: int,
    rounding: str,
    notes: str,
    replaces: str | None,
    revoke: str | None,
    conclude: bool,
    as_list: bool,
    by: str | None,
    why: str | None,
) -> None:
    """出具志愿服务证明。 Certify a volunteer's service: PDF/A with its own proof inside.

    It states each session that counts, up to the last signed moment; `hours verify FILE.pdf`
    checks it offline. HOURS_ISSUER_FILE says who issues it, HOURS_ROSTER_KEY_FILE opens the name,
    HOURS_PUBLIC_KEY_FILE is what it will be verified with. With HOURS_NOTICE_DAYS it is put on
    public notice first, and issued by --conclude.
    """
    with roster_engine(settings) as engine:
        if as_list:
            _list(settings, engine, volunteer)
        elif conclude:
            numbers = certificates.conclude(engine, _now())
            showing.say(f"已出具 {len(numbers)} 份。 Issued: {', '.join(numbers) or '–'}")
        elif revoke is not None:
            done = deed(by, why)
            certificates.revoke(engine, revoke, done.by, done.why, done.at)
            showing.say(f"已撤销 {revoke}。 Revoked: {revoke}.")
        elif volunteer is not None and out is not None:
            reporting = ReportingPolicy.model_validate(
                {"day_cap_hours": day_cap, "rounding": rounding}
            )
            _certify(settings, engine, volunteer, out, reporting, notes, replaces, deed(by, why))
        else:
            raise WrongUse(
                "请给出志愿者和 --out 文件，或 --list、--revoke、--conclude。 Give a volunteer and "
                "--out FILE, or --list, --revoke or --conclude."
            )


def _certify(
    settings: Settings,
    engine: Engine,
    volunteer: str,
    out: Path,
    reporting: ReportingPolicy,
    notes: str,
    replaces: str | None,
    done: Deed,
) -> None:
    issuer, vault = _issuer(settings), settings.vault()
    with queries.reading(engine) as connection:
        record = proving.volunteer_record(connection, settings.ledger_name, volunteer)
        teams, activities = _names(connection)
    proven = _verified(settings, record)
    with store.changing(engine) as connection:
        found = disclose(connection, vault, [volunteer], done)
    identity = _identity(volunteer, found.get(volunteer))

    def state(number: str) -> Statement:
        return statement_of(proven, number, identity, settings.policy, reporting)

    request = certificates.Request(volunteer, done.by, replaces, settings.notice_days)
    statement = certificates.issue(engine, request, done.at, settings.timezone, state)
    made = Certificate(
        statement, identity, issuer, record,
        datetime.fromtimestamp(done.at // SECOND, zone_of(settings)),
        one_line(record.moment.checkpoint), teams, activities, notes,
    )  # fmt: skip
    out.write_bytes(certificate_pdf(made))
    out.chmod(0o600)
    showing.say(f"证书 {statement.number} 已写入 {out}。 {statement.number} is in {out}.")
    if settings.notice_days:
        showing.say(
            f"公示 {settings.notice_days} 天后用 --conclude 出具。 It is on public notice for "
            f"{settings.notice_days} days; then issue it by --conclude."
        )


def _verified(settings: Settings, record: Record) -> ProvenRecord:
    if settings.public_key_file is None:
        raise WrongUse(
            "没有设置 HOURS_PUBLIC_KEY_FILE：证书要能用它核对。 HOURS_PUBLIC_KEY_FILE is not set: "
            "it is what a certificate is verified with (hours sign --public prints it)."
        )
    try:
        return verified_record(record, verifier_keys(str(settings.public_key_file)))
    except NotANote as error:
        raise WrongUse(
            f"HOURS_PUBLIC_KEY_FILE 不是签名所用的公钥：{error}。 HOURS_PUBLIC_KEY_FILE is not the "
            f"key that signed: {error}."
        ) from error


def _identity(volunteer: str, data: PrivateData | None) -> Identity:
    if data is None:
        raise WrongUse(
            f"名册里没有 {volunteer} 的姓名，不能出具证书。 The roster holds no name of "
            f"{volunteer}: there is nobody to certify."
        )
    return Identity(
        name=data.name,
        document_type=data.document_type or "",
        document=data.document or "",
        salt=secrets.token_hex(_SALT_BYTES),
    )


def _issuer(settings: Settings) -> Issuer:
    file = settings.issuer_file
    if file is None:
        raise WrongUse(
            "没有设置 HOURS_ISSUER_FILE：一个 TOML 文件，含 "
            "name、person_in_charge、handler、contact。 "
            "HOURS_ISSUER_FILE is not set: a TOML file with name, person_in_charge, handler and "
            "contact."
        )
    try:
        given = _IssuerFile.model_validate(tomllib.loads(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise WrongUse(
            f"HOURS_ISSUER_FILE 的文件 {file} 不能用：{why}。 The file {file} of HOURS_ISSUER_FILE "
            f"can't be used: {why}."
        ) from error
    return Issuer(given.name, given.person_in_charge, given.handler, given.contact)


def _names(connection: Connection) -> tuple[dict[str, str], dict[str, str]]:
    """What teams and activities are called."""
    teams, activities = BY_KIND["team"], BY_KIND["activity"]
    called_so = connection.execute(select(teams.c.code, teams.c.name_zh)).all()
    titles = connection.execute(select(activities.c.code, activities.c.title)).all()
    return {row.code: row.name_zh for row in called_so}, {row.code: row.title for row in titles}


def _list(settings: Settings, engine: Engine, volunteer: str | None) -> None:
    with queries.reading(engine) as connection:
        found = certificates.listed(connection, volunteer)
    zone = zone_of(settings)
    showing.print_table(
        ("编号 number", "志愿者 volunteer", "日期 date", "经手 by", "状态 status"),
        [
            (
                one.number,
                one.volunteer,
                datetime.fromtimestamp(one.made_at // SECOND, zone).date(),
                one.made_by,
                one.status,
            )
            for one in found
        ],
        "没有证书。 No certificates.",
    )


def _now() -> int:
    return time.time_ns() // 1_000
