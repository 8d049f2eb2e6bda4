"""Kiosks as tables, lines and codes in a terminal, or as JSON.

Whatever a kiosk said of itself is shown as text, with nothing in it that a terminal would obey.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from hours import showing
from hours.kiosk_authority import Certificate
from producers.kiosk.outbox import RefusedTap
from producers.times import rfc_3339_of

_QUIET = 4  # modules of white around a QR code, by its standard
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_TROUBLES = {
    "revoked": "已停用",
    "not-enrolled": "未注册",
    "silent": "没有消息",
    "queue-old": "积压",
    "clock-off": "时钟不准",
    "refused-taps": "有被拒的签到",
    "storage-not-kept": "浏览器可能清除存储",
    "old-version": "版本旧",
}


def print_overview(found: dict[str, Any]) -> None:
    """How the gateway is, then each kiosk."""
    gateway = found["gateway"]
    click.echo(
        f"待发 {gateway['waiting']}，已发 {gateway['published']}，门口拒绝 "
        f"{gateway['refused_at_door']}，Kafka 拒绝 {gateway['refused_by_kafka']}。 "
        f"Waiting {gateway['waiting']}, published {gateway['published']}, refused at the door "
        f"{gateway['refused_at_door']}, by Kafka {gateway['refused_by_kafka']}."
    )
    if gateway["trouble"]:
        click.echo(gateway["trouble"])
    showing.print_table(
        (
            *("编号 kiosk", "地点 place", "最近 seen at", "排队 queued", "最早 oldest"),
            *("时钟 clock ms", "版本 version", "问题 trouble"),
        ),
        (_row(one) for one in found["kiosks"]),
        "没有签到机。 No kiosks.",
    )


def print_code(kiosk: str, code: str, address: str, as_json: bool) -> None:
    """A one-time code, and the address with it as a QR code to hold before a tablet."""
    link = f"{address}/#code={code}" if not address.endswith("/operator") else (
        f"{address}#code={code}"
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps({"kiosk": kiosk, "code": code, "address": link}))
        return
    click.echo(f"签到机 {kiosk}，注册码（只能用一次） Kiosk {kiosk}, its one-time code:")
    click.echo(code)
    click.echo(link)
    for line in qr_lines(link):
        click.secho(line, fg="black", bg="bright_white")


def qr_lines(text: str) -> list[str]:
    """A QR code in half blocks, dark where it is dark; for black on white."""
    import zxingcpp  # noqa: PLC0415 - only who shows a code needs it

    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    pixels = memoryview(made.to_image(add_quiet_zones=False))
    rows = [[pixels[y, x] for x in range(len(pixels))] for y in range(len(pixels))]
    width = len(rows[0]) + 2 * _QUIET
    dark = [[False] * _QUIET + [cell == 0 for cell in row] + [False] * _QUIET for row in rows]
    white = [[False] * width for _ in range(_QUIET)]
    dark = [*white, *dark, *white, *([[False] * width] if len(rows) % 2 else [])]
    pairs = zip(dark[::2], dark[1::2], strict=True)
    return ["".join(_HALVES[pair] for pair in zip(*two, strict=True)) for two in pairs]


def print_refusals(found: Sequence[RefusedTap], as_json: bool) -> None:
    """What was refused, the newest last."""
    if as_json:
        showing.print_json(
            {
                "at": rfc_3339_of(one.at),
                "source": one.source,
                "id": one.id,
                "reason": one.reason,
                "detail": one.detail,
                "body": one.body.decode(errors="backslashreplace"),
            }
            for one in found
        )
        return
    showing.print_table(
        ("时间 at", "来源 source", "编号 id", "原因 reason", "说明 detail"),
        (
            (rfc_3339_of(one.at)[:19] + "Z", *map(_plain, (one.source, one.id, one.reason)),
             _plain(one.detail))
            for one in found
        ),
        "没有拒绝过什么。 Nothing was refused.",
    )  # fmt: skip


def print_certificate(made: Certificate) -> None:
    """Where the files are, and what to do with them."""
    click.echo(f"hours kiosk --cert {made.certificate} --key {made.key}")
    click.echo(
        f"有效到 {made.until:%Y-%m-%d}。请把 {made.authority} 装到每台签到机：Android 在 "
        "设置→安全→加密与凭据→安装证书→CA 证书，iPad 打开文件后在 "
        "设置→通用→关于本机→证书信任设置 里打开。"
    )
    click.echo(
        f"Good until {made.until:%Y-%m-%d}. Install {made.authority} on each kiosk: on Android, "
        "Settings, Security, Encryption & credentials, Install a certificate, CA certificate; on "
        "an iPad open the file, then Settings, General, About, Certificate Trust Settings."
    )
    click.echo(
        f"{made.authority_key} 只用来续证：请移到别处保管。 "
        f"{made.authority_key} only serves to renew: move it away from the gateway.",
        err=sys.stdout.isatty(),
    )


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    trouble = "、".join(f"{_TROUBLES[word]} {word}" for word in one["trouble"])
    cells = (
        *(one["code"], one["place"], _minute(one["seen_at"]), one["queued"]),
        *(_minute(one["oldest"]), one["offset_ms"], one["version"], trouble),
    )
    return tuple("–" if cell is None else _plain(str(cell)) for cell in cells)


def _minute(time: str | None) -> str | None:
    return None if time is None else f"{time[:16]}Z"


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "·" for letter in text)
