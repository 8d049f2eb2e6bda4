"""Who may sign in to the board: passwords, lockout, sessions, tokens, codes, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from ledger import migrating, queries
from ledger.accounts import signing_in, store, tokens, volunteers
from ledger.accounts.signing_in import IDLE, LONGEST, Locked, WrongPassword
from ledger.accounts.values import AccountRefusal, NewAccount
from ledger.engine import open_engine
from ledger.policy import SECOND
from tests.running import Hours

AT = 1_795_000_000 * SECOND
MINUTE = 60 * SECOND
RIGHT, WRONG = "correct horse battery", "wrong horse battery"
LEADER = NewAccount(name="wang", role="leader", teams=("choir",))


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_engine(ledger_url)
    migrating.upgrade(engine)
    store.add(engine, LEADER, "admin", AT, RIGHT)
    yield engine
    engine.dispose()


def sign_in(engine: Engine, password: str, at: int = AT, name: str = "wang") -> str:
    return signing_in.sign_in(engine, name, password, "10.0.0.1", "Firefox", at)


def who(engine: Engine, secret: str, at: int) -> str | None:
    with queries.reading(engine) as connection:
        found = signing_in.signed(connection, secret, at)
    return found.account.name if found else None


def test_the_right_password_opens_a_session_and_no_secret_stands_in_the_database(
    engine: Engine,
) -> None:
    secret = sign_in(engine, RIGHT)
    assert who(engine, secret, AT) == "wang"
    assert who(engine, "another", AT) is None
    with engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM board_sessions")).all())
        kept += str(connection.execute(text("SELECT * FROM board_accounts")).all())
    assert secret not in kept
    assert RIGHT not in kept
    assert "$argon2id$" in kept


def test_an_unknown_name_a_wrong_password_and_a_disabled_account_are_refused_alike(
    engine: Engine,
) -> None:
    store.add(engine, LEADER.model_copy(update={"name": "off"}), "admin", AT, RIGHT)
    store.disable(engine, "off", "admin", AT)
    said = set()
    for name, password in (("nobody", RIGHT), ("wang", WRONG), ("off", RIGHT)):
        with pytest.raises(WrongPassword) as refused:
            sign_in(engine, password, name=name)
        said.add(str(refused.value))
    assert len(said) == 1


def test_five_wrong_passwords_lock_for_longer_each_time_also_for_who_knows_the_right_one(
    engine: Engine,
) -> None:
    for _ in range(4):
        with pytest.raises(WrongPassword):
            sign_in(engine, WRONG)
    with pytest.raises(Locked) as first:
        sign_in(engine, WRONG)
    assert first.value.until == AT + MINUTE
    with pytest.raises(Locked):
        sign_in(engine, RIGHT, AT + MINUTE - 1)
    with pytest.raises(Locked) as second:
        sign_in(engine, WRONG, AT + MINUTE)
    assert second.value.until == AT + 3 * MINUTE
    assert who(engine, sign_in(engine, RIGHT, AT + 3 * MINUTE), AT + 3 * MINUTE) == "wang"
    with pytest.raises(WrongPassword):
        sign_in(engine, WRONG, AT + 4 * MINUTE)  # the count begins anew


def test_guesses_made_at_once_are_all_counted(engine: Engine) -> None:
    def guess(_: int) -> type[Exception]:
        try:
            sign_in(engine, WRONG)
        except AccountRefusal as refusal:
            return type(refusal)
        raise AssertionError("signed in by a wrong password")

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(guess, range(8)))
    assert ends.count(WrongPassword) == 4
    assert ends.count(Locked) == 4


def test_a_session_ends_by_itself_when_signed_out_and_with_a_right_that_is_lost(
    engine: Engine,
) -> None:
    old, idle = sign_in(engine, RIGHT), sign_in(engine, RIGHT)
    for at in range(AT, AT + LONGEST, IDLE // 2):
        with queries.reading(engine) as connection:
            found = signing_in.signed(connection, old, at)
        assert found is not None
        signing_in.touch(engine, found.session_hash, at)
    assert who(engine, old, AT + LONGEST) is None
    assert who(engine, idle, AT + IDLE) is None

    mine, other = sign_in(engine, RIGHT), sign_in(engine, RIGHT)
    with queries.reading(engine) as connection:
        kept = signing_in.signed(connection, mine, AT)
    assert kept is not None
    assert signing_in.sign_out_everywhere(engine, "wang", "wang", AT, but=kept.session_hash) >= 1
    assert (who(engine, mine, AT), who(engine, other, AT)) == ("wang", None)

    for lose in (
        lambda: store.change(engine, NewAccount(name="wang", role="centre"), "admin", AT),
        lambda: store.set_password(engine, "wang", "another horse battery", "admin", AT),
    ):
        secret = signing_in.begin_session(engine, "wang", "", "", AT)
        lose()
        assert who(engine, secret, AT) is None
    secret = signing_in.begin_session(engine, "wang", "", "", AT)
    store.disable(engine, "wang", "admin", AT)
    assert who(engine, secret, AT) is None
    store.enable(engine, "wang", "admin", AT)
    assert who(engine, secret, AT) is None


@pytest.mark.parametrize(
    "password",
    ["short", "password123", "1234567890", "aaaaaaaaaaaa", "wang-wang-wang", "x" * 2_000],
)
def test_passwords_that_are_easily_guessed_are_refused(engine: Engine, password: str) -> None:
    with pytest.raises(AccountRefusal):
        store.set_password(engine, "wang", password, "admin", AT)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "Wang", "role": "centre"},
        {"name": "w", "role": "centre"},
        {"name": "li'; DROP TABLE board_accounts", "role": "centre"},
        {"name": "li", "role": "king"},
        {"name": "li", "role": "leader"},
        {"name": "li", "role": "officer", "teams": ("choir",)},
        {"name": "li", "role": "auditor", "units": ("office",)},
        {"name": "li", "role": "centre", "email": "no address"},
    ],
)
def test_an_account_that_can_not_be_is_refused_in_a_line(given: dict[str, object]) -> None:
    with pytest.raises(AccountRefusal) as refused:
        store.checked(given)
    assert "\n" not in str(refused.value)


def test_a_name_or_subject_is_one_account_s_alone(engine: Engine) -> None:
    with pytest.raises(AccountRefusal, match="already"):
        store.add(engine, LEADER, "admin", AT, RIGHT)
    li = NewAccount(name="li", role="centre", subject="sub-1")
    store.add(engine, li, "admin", AT, None)
    with pytest.raises(AccountRefusal, match="already"):
        store.add(engine, li.model_copy(update={"name": "zhao"}), "admin", AT, None)
    with pytest.raises(WrongPassword):
        sign_in(engine, RIGHT, name="li")  # it has no password to be right


def test_a_token_comes_in_its_account_s_name_until_it_is_over_or_revoked(engine: Engine) -> None:
    token = tokens.make_token(engine, "wang", "报表", 1, AT)

    def name(text: str, at: int) -> str | None:
        with queries.reading(engine) as connection:
            found = tokens.by_token(connection, text, at)
        return found.name if found else None

    assert name(token, AT) == "wang"
    assert name(token + "x", AT) is None
    assert name(token, AT + 86_400 * SECOND) is None
    with queries.reading(engine) as connection:
        (listed,) = tokens.tokens(connection, "wang")
    assert not tokens.revoke(engine, "li", listed.hash, AT)
    assert tokens.revoke(engine, "wang", listed.hash, AT)
    assert name(token, AT) is None
    with pytest.raises(AccountRefusal):
        tokens.make_token(engine, "wang", " ", 1, AT)


def test_a_one_time_code_lets_one_in_once_even_when_tried_twice_at_once(engine: Engine) -> None:
    code = volunteers.make_code(engine, "V1", "wang", AT)
    typed = code.lower().replace("-", " ")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: volunteers.use_code(engine, typed, AT), range(4)))
    (secret,) = [one for one in found if one is not None]
    with queries.reading(engine) as connection:
        assert volunteers.volunteer_of(connection, secret, AT) == "V1"
        assert volunteers.volunteer_of(connection, secret, AT + 3_601 * SECOND) is None
    volunteers.end(engine, secret)
    with queries.reading(engine) as connection:
        assert volunteers.volunteer_of(connection, secret, AT) is None
    late = volunteers.make_code(engine, "V1", "wang", AT)
    assert volunteers.use_code(engine, late, AT + 86_401 * SECOND) is None


def test_what_was_done_is_kept_and_can_not_be_changed(engine: Engine) -> None:
    sign_in(engine, RIGHT)
    with pytest.raises(WrongPassword):
        sign_in(engine, WRONG)
    with queries.reading(engine) as connection:
        done = [(one.what, one.about) for one in store.deeds(connection, 10)]
    assert done == [("wrong-password", "wang"), ("signed-in", "wang"), ("added", "wang leader")]
    with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
        connection.execute(text("DELETE FROM board_deeds"))


def test_the_command_makes_lists_changes_and_refuses(hours: Hours) -> None:
    hours.ok("init")
    file = f"{hours.environment['HOURS_HOME']}/password"
    with open(file, "w") as out:
        out.write(RIGHT)
    hours.ok("accounts", "add", "admin", "--role", "operator", "--password-file", file)
    (listed,) = hours.rows("accounts", "list")
    assert (listed["name"], listed["role"], listed["disabled"]) == ("admin", "operator", False)
    unknown = hours.run(
        "accounts", "add", "li", "--role", "leader", "--team", "nobody", "--password-file", file
    )
    assert unknown.returncode == 2
    assert "no team nobody" in unknown.stderr
    assert "Traceback" not in unknown.stderr
    hours.ok("accounts", "disable", "admin")
    assert hours.rows("accounts", "list")[0]["disabled"]
    assert "disabled" in hours.ok("accounts", "deeds")
    assert hours.run("accounts", "code", "V1").returncode == 2
    assert hours.run("accounts", "password", "nobody", "--password-file", file).returncode == 2
