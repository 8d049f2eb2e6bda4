"""A broker that asks who somebody is: its settings, and its own password.

Clients come by SCRAM-SHA-512 and may what ACLs say; the broker and its owner come by PLAIN, at
listeners of their own, with a password that is made anew at each start. Invariant: no password
stands in a command line, nor in a file that others may read.
"""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

OWNER = "owner"
"""The broker itself, and whoever manages it: may do everything."""


def secured(plain: dict[str, str], port: int, owner_port: int, password: Path) -> dict[str, str]:
    """Settings of a broker (`properties`) that asks; `password` is the file of the owner's."""
    jaas = owner_login(password)
    controller = plain["listeners"].rpartition(",")[2]
    clients, owner = f"CLIENTS://127.0.0.1:{port}", f"OWNER://127.0.0.1:{owner_port}"
    return {
        **plain,
        "listeners": f"{clients},{owner},{controller}",
        "advertised.listeners": f"{clients},{owner}",
        "listener.security.protocol.map": (
            "CLIENTS:SASL_PLAINTEXT,OWNER:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
        ),
        "inter.broker.listener.name": "OWNER",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.owner.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.owner.plain.sasl.jaas.config": jaas,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": jaas,
        "config.providers": "directory",
        "config.providers.directory.class": (
            "org.apache.kafka.common.config.provider.DirectoryConfigProvider"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{OWNER}",
        "allow.everyone.if.no.acl.found": "false",
    }


def owner_login(password: Path) -> str:
    """JAAS for who comes as the owner, and for who lets it in; Kafka reads the file itself."""
    read = f"${{directory:{password.parent}:{password.name}}}"
    return (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{OWNER}" password="{read}" user_{OWNER}="{read}";'
    )


def secret_file(data: Path, user: str) -> Path:
    """Where a broker with its data in this folder has a user's password."""
    return data / "secrets" / user


def passwords(data: Path, users: Iterable[str]) -> dict[str, str]:
    """The users' passwords as their files have them, made where there is none yet."""
    return {user: _kept_password(secret_file(data, user)) for user in users}


def new_password(file: Path) -> str:
    """32 random bytes in base64url, in a file that nobody else can read at any moment."""
    password = secrets.token_urlsafe(32)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(password)
    return password


def _kept_password(file: Path) -> str:
    kept = file.read_text() if file.exists() else ""
    return kept or new_password(file)
