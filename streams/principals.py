"""Who may do what at Kafka: one table of rights, and the users who have them.

Not who has which password: that is the settings' to say. Invariant: what a user of a role holds of
this ledger's topics, group and transactions is what stands in the table, and nothing else.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.admin import ScramMechanism as Scram
from kafka.errors import CoordinatorNotAvailableError, SecurityDisabledError

from producers.kafka_access import KafkaAccess, lacking
from producers.publishing import ask_any_broker
from streams.settings import StreamSettings
from streams.topics import TopicRefusal, administering, unreachable


class Role(StrEnum):
    """What somebody at Kafka is for."""

    WORKER = "worker"
    GATEWAY = "gateway"
    BOARD = "board"
    READER = "reader"
    KEEPER = "keeper"


Thing = tuple[ResourceType, str]
Rights = Mapping[Thing, tuple[ACLOperation, ...]]

_READ, _WRITE = ACLOperation.READ, ACLOperation.WRITE
_CONFIGS = ACLOperation.DESCRIBE_CONFIGS


def rights_of(role: Role, settings: StreamSettings) -> Rights:
    """The table. To read or write a topic is to see it too; to write is to write idempotently."""
    taps = ResourceType.TOPIC, settings.taps_topic
    totals = ResourceType.TOPIC, settings.team_totals_topic
    roster = ResourceType.TOPIC, settings.roster_topic
    match role:
        case Role.GATEWAY:
            return {taps: (_WRITE,), roster: (_READ,)}
        case Role.BOARD:
            # It writes corrections, and looks where the log ends, which is to read it.
            return {taps: (_READ, _WRITE)}
        case Role.READER:
            return {taps: (_READ, _CONFIGS), totals: (_READ,), roster: (_READ,)}
        case Role.KEEPER:
            return {taps: (_READ, _WRITE, _CONFIGS), totals: (_READ,), roster: (_READ,)}
        case Role.WORKER:
            return {
                taps: (_READ, _CONFIGS),
                totals: (_WRITE,),
                roster: (_WRITE, _CONFIGS),
                (ResourceType.GROUP, settings.group): (_READ,),
                (ResourceType.TRANSACTIONAL_ID, settings.roster_topic): (_WRITE,),
            }


def grant(settings: StreamSettings, users: Mapping[str, Role]) -> None:
    """Let each user do what its role may, and take back what else it holds here. TopicRefusal."""
    with administering(settings.kafka) as admin:
        for user, role in users.items():
            wanted = set(_acls(user, rights_of(role, settings)))
            held = {acl for acl in _held(admin, user) if _is_ours(acl, settings)}
            _refuse_failures(settings.kafka, _create(admin, wanted - held))
            _refuse_failures(settings.kafka, _delete(admin, held - wanted))


def set_passwords(kafka: KafkaAccess, passwords: Mapping[str, str]) -> None:
    """Make users, or give them another password, by SCRAM-SHA-512. TopicRefusal.

    By Kafka's protocol and not by its tools, whose arguments everybody on the machine could read.
    """
    wanted = [
        UserScramCredentialUpsertion(user, Scram.SCRAM_SHA_512, password)
        for user, password in passwords.items()
    ]
    with administering(kafka) as admin:
        answers = ask_any_broker(lambda: admin.alter_user_scram_credentials(wanted))
    for user, why in answers.items():
        if why is not None:
            raise TopicRefusal(
                f"Kafka 没有设置用户 {user} 的密码：请用管理员的用户（超级用户）。 Kafka did not "
                f"set the password of {user}: ask as an administrator, one of its super.users."
            )


def refuse_powerless(settings: StreamSettings, role: Role) -> None:
    """Refuse a user who may not do what the role does. TopicRefusal, naming the right.

    Of a group it is asked whether it may be seen, as who may join it may.
    """
    if settings.kafka.user is None:
        return
    rights = rights_of(role, settings)
    topics = {name: named for (kind, name), named in rights.items() if kind is ResourceType.TOPIC}
    groups = [name for kind, name in rights if kind is ResourceType.GROUP]
    with administering(settings.kafka) as admin:
        for found in ask_any_broker(lambda: admin.describe_topics(list(topics))):
            may = found["authorized_operations"]
            for right in topics[found["name"]] if not found["error_code"] else ():
                if right.name not in may:
                    raise TopicRefusal(lacking(settings.kafka, right.name, found["name"]))
        with suppress(CoordinatorNotAvailableError):  # the first group of all: it may be asked for
            ask_any_broker(lambda: admin.describe_groups(groups))


def _acls(user: str, rights: Rights) -> Iterable[ACL]:
    for (kind, name), operations in rights.items():
        for operation in operations:
            pattern = ResourcePattern(kind, name)
            yield ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, pattern)


def _is_ours(acl: ACL, settings: StreamSettings) -> bool:
    names = {settings.taps_topic, settings.team_totals_topic, settings.roster_topic}
    return acl.resource_pattern.resource_name in {*names, settings.group}


def _held(admin: KafkaAdminClient, user: str) -> list[ACL]:
    anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    wanted = ACLFilter(f"User:{user}", None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
    try:
        found, _ = ask_any_broker(lambda: admin.describe_acls(wanted))
    except SecurityDisabledError as error:
        raise TopicRefusal(
            "这个 Kafka 不检查权限，不能授权：请设置它的 authorizer.class.name。 This Kafka asks "
            "nobody for rights, so none can be granted: set its authorizer.class.name."
        ) from error
    return list(found)


def _create(admin: KafkaAdminClient, acls: set[ACL]) -> list[type[Exception]]:
    if not acls:
        return []
    failed: list[type[Exception]] = ask_any_broker(lambda: admin.create_acls(list(acls)))["failed"]
    return failed


def _delete(admin: KafkaAdminClient, acls: set[ACL]) -> list[type[Exception]]:
    if not acls:
        return []
    told = ask_any_broker(lambda: admin.delete_acls([_exactly(acl) for acl in acls]))
    return [error for _, _, error in told if error.__name__ != "NoError"]


def _exactly(acl: ACL) -> ACLFilter:
    of = acl.resource_pattern
    pattern = ResourcePatternFilter(of.resource_type, of.resource_name, of.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, pattern)


def _refuse_failures(kafka: KafkaAccess, failed: list[type[Exception]]) -> None:
    for error in failed:
        raise unreachable(kafka, error("ACL"))
