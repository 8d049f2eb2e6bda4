"""Settings: read from the environment once, checked, with one line for each mistake."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ledger.policy import Policy, known_zone
from ledger.roster.vault import Vault
from producers.kafka_access import KafkaAccess, Mechanism
from streams.settings import StreamSettings

if TYPE_CHECKING:
    from dashboards.board.identity import IdentityProvider


class WrongUse(Exception):
    """A setting or an argument can't be used; the message says which and what to do."""


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("an address has http or https and a host, as https://kiosk.example:8443")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("an address ends with its host and port")
    return f"{parts.scheme}://{parts.netloc}"


def _files(text: str) -> str:
    if any(not part.strip() for part in text.split(",")):
        raise ValueError("files, separated by commas")
    return text


def _rising(text: str) -> str:
    levels = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if not levels or len(levels) != len(text.split(",")) or levels != sorted(set(levels)):
        raise ValueError("hours that rise, separated by commas, as 100,300,600,1000,1500")
    return text


class Settings(BaseModel):
    """What the environment says; names are the variables' without HOURS_, in lower case."""

    model_config = ConfigDict(frozen=True)

    home: Path = Path(".hours")
    kafka: str | None = None
    kafka_user: str | None = Field(default=None, min_length=1)
    kafka_password_file: Path | None = None
    kafka_ca_file: Path | None = None
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"
    ledger_url: str | None = Field(default=None, repr=False)
    ledger_password_file: Path | None = None
    ledger_name: str = Field(default="tongzhou.hours.example", min_length=1, pattern=r"^[!-~]+$")
    timezone: Annotated[str, AfterValidator(known_zone)] = "Asia/Shanghai"
    shards: int = Field(default=4, ge=1, le=1024)
    topic_prefix: str = Field(default="hours", pattern=r"^[A-Za-z0-9._-]{1,100}$")
    session_seconds: float = Field(default=6, ge=1, le=300)
    web_host: str = "127.0.0.1"
    web_port: int | None = Field(default=None, ge=1, le=65_535)
    roster_key_file: Path | None = None
    badge_key_file: Path | None = None
    badge_public_key_file: Path | None = None
    kiosk_address: Annotated[str, AfterValidator(_address)] = "http://127.0.0.1:8080"
    board_address: Annotated[str, AfterValidator(_address)] = "http://127.0.0.1:8000"
    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    oidc_client_id: str | None = Field(default=None, min_length=1)
    oidc_client_secret_file: Path | None = None
    mail_server: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")
    mail_from: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    exceptions_webhook: str | None = Field(default=None, repr=False, pattern=r"^https?://\S+$")
    signing_key_file: Annotated[str, AfterValidator(_files)] = ""
    signer_folder: Path | None = None
    witnesses_file: Path | None = None
    public_key_file: Path | None = None
    issuer_file: Path | None = None
    notice_days: int = Field(default=0, ge=0, le=90)
    star_hours: Annotated[str, AfterValidator(_rising)] = "100,300,600,1000,1500"
    ntp_server: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.:-]{1,255}$")

    @property
    def policy(self) -> Policy:
        return Policy(shard_count=self.shards, timezone=self.timezone)

    @property
    def url(self) -> str:
        """The ledger's SQLAlchemy URL: SQLite under `home` unless another is set.

        With the password from `ledger_password_file`, where that is set. WrongUse.
        """
        url = self.ledger_url or f"sqlite:///{self.home.absolute() / 'ledger.db'}"
        if self.ledger_password_file is None:
            return url
        password = secret_lines("HOURS_LEDGER_PASSWORD_FILE", self.ledger_password_file)[0]
        return _with_password(url, password)

    def identity_provider(self) -> "IdentityProvider | None":
        """Whom people may sign in to the board by; None: by password alone. WrongUse."""
        from dashboards.board.identity import IdentityProvider  # noqa: PLC0415 - it takes memory

        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret_file)
        if all(one is None for one in given):
            return None
        if self.oidc_issuer is None or self.oidc_client_id is None or given[2] is None:
            raise WrongUse(
                "HOURS_OIDC_ISSUER、HOURS_OIDC_CLIENT_ID 和 HOURS_OIDC_CLIENT_SECRET_FILE "
                "要一起设置。 HOURS_OIDC_ISSUER, HOURS_OIDC_CLIENT_ID and "
                "HOURS_OIDC_CLIENT_SECRET_FILE are set together, or not at all."
            )
        secret = secret_lines("HOURS_OIDC_CLIENT_SECRET_FILE", given[2])[0]
        return IdentityProvider(self.oidc_issuer, self.oidc_client_id, secret)

    @property
    def star_levels(self) -> tuple[int, ...]:
        """The hours that each star takes."""
        return tuple(int(part) for part in self.star_hours.split(","))

    @property
    def signing_key_files(self) -> list[Path]:
        """The files of the keys that sign checkpoints: the one that stays, then those that go."""
        return [Path(part.strip()) for part in self.signing_key_file.split(",") if part.strip()]

    @property
    def signer_home(self) -> Path:
        """The signer's own folder: its memory, and what it refused."""
        return self.signer_folder or self.home.absolute() / "signer"

    @property
    def gateway_file(self) -> Path:
        """The file of this machine's kiosk gateway."""
        return self.home.absolute() / "kiosk" / "gateway.db"

    def vault(self) -> Vault:
        """What opens the names of volunteers. WrongUse where no key is set, WrongKey."""
        if self.roster_key_file is None:
            raise WrongUse(
                "没有设置 HOURS_ROSTER_KEY_FILE：用 hours roster new-key 生成名册密钥，再指向它。 "
                "HOURS_ROSTER_KEY_FILE is not set: make the roster's key with "
                "hours roster new-key, and let it name that file."
            )
        return Vault(secret_lines("HOURS_ROSTER_KEY_FILE", self.roster_key_file))

    def kafka_access(self) -> KafkaAccess:
        """Where Kafka is, and as whom it is asked. WrongUse where there is none."""
        if self.kafka is None:
            raise WrongUse(
                "没有设置 HOURS_KAFKA：在另一个终端运行 hours services，再照它打印的行设置。 "
                "HOURS_KAFKA is not set: run `hours services` in another terminal "
                "and set what it prints."
            )
        if (self.kafka_user is None) != (self.kafka_password_file is None):
            raise WrongUse(
                "HOURS_KAFKA_USER 和 HOURS_KAFKA_PASSWORD_FILE 要一起设置。 "
                "HOURS_KAFKA_USER and HOURS_KAFKA_PASSWORD_FILE are set together, or not at all."
            )
        password = None
        if self.kafka_password_file is not None:
            password = secret_lines("HOURS_KAFKA_PASSWORD_FILE", self.kafka_password_file)[0]
        return KafkaAccess(
            self.kafka, self.kafka_user, password, self.kafka_ca_file, self.kafka_mechanism
        )

    def streams(self) -> StreamSettings:
        """What needs Kafka. WrongUse where there is none."""
        return StreamSettings(
            kafka=self.kafka_access(),
            ledger_url=self.url,
            ledger_name=self.ledger_name,
            data_dir=self.home.absolute() / "worker",
            policy=self.policy,
            topic_prefix=self.topic_prefix,
            session_seconds=self.session_seconds,
            web_host=self.web_host,
            web_port=self.web_port,
        )


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from HOURS_… variables; an empty one counts as not set. WrongUse."""
    given = {
        name: environment[variable]
        for name, variable in ((name, f"HOURS_{name.upper()}") for name in Settings.model_fields)
        if environment.get(variable)
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        variable = f"HOURS_{str(first['loc'][0]).upper()}"
        raise WrongUse(
            f"{variable} 的值不能用：{first['msg']}。 {variable} can't be used: {first['msg']}."
        ) from error


def secret_lines(variable: str, file: Path) -> list[str]:
    """The lines of a secret's file that aren't blank, at least one. WrongUse."""
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text"
        raise WrongUse(
            f"读不了 {variable} 的文件 {file}：请检查路径和权限。 "
            f"The file {file} of {variable} can't be read ({why}): "
            "check the path and its rights."
        ) from error
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise WrongUse(
            f"{variable} 的文件 {file} 是空的：那里应当是密钥或密码。 "
            f"The file {file}, set by {variable}, is empty: the secret belongs there."
        )
    return found


def _with_password(url: str, password: str) -> str:
    # Who needs no database must not pay for it: a gateway runs in little memory.
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return url  # whoever opens it says what is wrong with it
    if parsed.username is None or parsed.password is not None:
        raise WrongUse(
            "HOURS_LEDGER_PASSWORD_FILE 要求 HOURS_LEDGER_URL 有用户名而没有密码。 "
            "HOURS_LEDGER_PASSWORD_FILE goes with a HOURS_LEDGER_URL that names a user and "
            "holds no password."
        )
    return parsed.set(password=password).render_as_string(hide_password=False)
