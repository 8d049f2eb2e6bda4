"""The keys of badges, from their files. Whoever reads the one that signs can make badges."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hours.key_files import private_bytes
from hours.settings import Settings, WrongUse
from producers.badge_keys import NotABadgeKey, private_key_in, public_keys_in


def badge_key(settings: Settings) -> Ed25519PrivateKey:
    """The private key in the file that HOURS_BADGE_KEY_FILE names. WrongUse."""
    file = settings.badge_key_file
    if file is None:
        raise WrongUse(
            "没有设置 HOURS_BADGE_KEY_FILE：用 openssl genpkey -algorithm ed25519 -out "
            "badge-key.pem 生成密钥，再指向它。 HOURS_BADGE_KEY_FILE is not set: make a key with "
            "openssl genpkey -algorithm ed25519 -out badge-key.pem, and let it name that file."
        )
    try:
        return private_key_in(private_bytes(file, "HOURS_BADGE_KEY_FILE"))
    except NotABadgeKey as error:
        raise WrongUse(
            f"HOURS_BADGE_KEY_FILE 的文件 {file} 不是没有口令的 Ed25519 私钥（PEM）：用 "
            f"openssl genpkey -algorithm ed25519 生成。 The file {file}, set by "
            "HOURS_BADGE_KEY_FILE, holds no Ed25519 private key in PEM without a passphrase: "
            "make one with openssl genpkey -algorithm ed25519."
        ) from error


def badge_public_keys(settings: Settings) -> list[Ed25519PublicKey]:
    """The keys in the file that HOURS_BADGE_PUBLIC_KEY_FILE names; none where none is. WrongUse."""
    file = settings.badge_public_key_file
    if file is None:
        return []
    try:
        return public_keys_in(file.read_bytes())
    except (OSError, NotABadgeKey) as error:
        raise WrongUse(
            f"HOURS_BADGE_PUBLIC_KEY_FILE 的文件 {file} 读不出志愿者证的公钥：用 "
            "hours badges --public-key 打印出来存进去。 The file "
            f"{file}, set by HOURS_BADGE_PUBLIC_KEY_FILE, gives no public key of badges: write "
            "into it what hours badges --public-key prints."
        ) from error
