"""Certificates for a gateway that has no domain: a small authority of the station's own.

Browsers keep a page for offline use only from where they trust the certificate, so the authority's
is installed on each kiosk. Invariant: that authority can vouch for the gateway's names alone, so
that whoever steals its key can pose as nothing else; no file is overwritten.
"""

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hours.new_files import write_secret
from hours.settings import WrongUse

_AUTHORITY_DAYS = 3_650
_SERVER_DAYS = 397  # what browsers take at most
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_NOWHERE = "invalid"  # a domain that there is not, RFC 2606

Name = x509.DNSName | x509.IPAddress


class Certificate(NamedTuple):
    """The files: the server's certificate and key, and the authority's. `until`: the server's."""

    certificate: Path
    key: Path
    authority: Path
    authority_key: Path
    until: datetime


class _Authority(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_certificate(folder: Path, hosts: Sequence[str]) -> Certificate:
    """A certificate for a gateway's names, by the authority in a folder; made where there is none.

    WrongUse: a name that is none, one that the authority doesn't vouch for, a file that is there.
    """
    names = [_name(host) for host in hosts]
    paths = [
        folder / name for name in ("gateway.pem", "gateway.key", "authority.pem", "authority.key")
    ]
    certificate, key, authority, authority_key = paths
    _refuse_existing(certificate, key)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WrongUse(
            f"无法建立文件夹 {folder}。 The folder {folder} can't be made ({error.strerror})."
        ) from error
    signer = _authority(authority, authority_key, names)
    _refuse_unconstrained(signer.certificate, names, authority)
    made = _server(signer, names, key)
    write_secret(certificate, _pem(made))
    certificate.chmod(0o644)
    return Certificate(certificate, key, authority, authority_key, made.not_valid_after_utc)


def _authority(file: Path, key_file: Path, names: Sequence[Name]) -> _Authority:
    if not file.exists() and not key_file.exists():
        return _new_authority(file, key_file, names)
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise WrongUse(
            f"读不了 {file} 和 {key_file}：续证要两个文件都在，或另取文件夹。 "
            f"{file} and {key_file} can't be read: renewing needs both; or name another folder."
        ) from error
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return _Authority(certificate, key)


def _new_authority(file: Path, key_file: Path, names: Sequence[Name]) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    write_secret(key_file, _key_pem(key))
    subject = _subject(f"hours kiosk authority {names[0].value}")
    builder = (
        _builder(subject, subject, key, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(_only(names), critical=True)
    )
    made = builder.sign(key, SHA256())
    write_secret(file, _pem(made))
    file.chmod(0o644)
    return _Authority(made, key)


def _server(signer: _Authority, names: Sequence[Name], key_file: Path) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    write_secret(key_file, _key_pem(key))
    subject = _subject("hours kiosk gateway")  # no host: that would be held against the names too
    issuer = signer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(subject, signer.certificate.subject, key, _SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False
        )
    )
    return builder.sign(signer.key, SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a kiosk's clock may be behind
        .not_valid_after(now + timedelta(days=days - 1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _only(names: Sequence[Name]) -> x509.NameConstraints:
    """These names, and of no kind any other: a kind that isn't mentioned would be free."""
    permitted: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress)
        else name
        for name in names
    ]  # fmt: skip
    if not any(isinstance(name, x509.DNSName) for name in names):
        permitted.append(x509.DNSName(_NOWHERE))
    everywhere = [x509.IPAddress(ipaddress.ip_network(net)) for net in ("0.0.0.0/0", "::/0")]
    has_address = any(isinstance(name, x509.IPAddress) for name in names)
    return x509.NameConstraints(permitted, None if has_address else everywhere)


def _refuse_unconstrained(authority: x509.Certificate, names: Sequence[Name], file: Path) -> None:
    only = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = {_text(one) for one in only.permitted_subtrees or ()}
    strange = [_text(name) for name in names if _text(name) not in permitted]
    if strange:
        raise WrongUse(
            f"{file} 只为原来的名字作证，不包括 {'、'.join(strange)}：另取文件夹，"
            "并把新的证书装到签到机。 "
            f"{file} vouches for the names it was made for, not for {', '.join(strange)}: name "
            "another folder, and install its authority on the kiosks."
        )


def _refuse_existing(*files: Path) -> None:
    for file in files:
        if file.exists():
            raise WrongUse(
                f"{file} 已经存在，不会覆盖：续证请先移走它，或另取文件夹。 "
                f"{file} exists and is not overwritten: move it away to renew, or name another "
                "folder."
            )


def _text(name: x509.GeneralName) -> str:
    value = str(name.value)
    return str(ipaddress.ip_network(value)) if isinstance(name, x509.IPAddress) else value


def _name(host: str) -> Name:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        plain = host.lower().rstrip(".")
    if len(plain) > 253 or not _HOST.fullmatch(plain):
        raise WrongUse(
            f"{host} 不是主机名或 IP 地址：例如 kiosk.lan 或 192.168.1.10。 "
            f"{host} is no host name or IP address, as kiosk.lan or 192.168.1.10."
        )
    return x509.DNSName(plain)


def _usage(**used: bool) -> x509.KeyUsage:
    unused = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return x509.KeyUsage(**{**unused, **used})


def _subject(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
