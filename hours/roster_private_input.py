"""A person's private values from a prompt or a file, never from the command line.

Invariant: no value is printed, and none stands in the process list.
"""

import json
from collections.abc import Mapping
from typing import Any, TextIO

import click

from hours.settings import WrongUse
from ledger.roster.private_values import PRIVATE_FIELDS
from ledger.roster.words import headed

Given = Mapping[str, Any]


def asked() -> Given:
    """What somebody types at a terminal; an empty answer leaves a value as it is. WrongUse."""
    if not click.get_text_stream("stdin").isatty():
        raise WrongUse(
            "姓名等私密信息要在终端输入，或用 --private-from - 从标准输入给出 JSON。 "
            "Name, phone and document are typed at a terminal, or given as JSON by "
            "--private-from -."
        )
    answers = {
        field: click.prompt(headed(field), default="", show_default=False, err=True)
        for field in PRIVATE_FIELDS
    }
    return {field: answer for field, answer in answers.items() if answer}


def read(file: TextIO) -> Given:
    """One JSON object; null clears a value. WrongUse."""
    try:
        given = json.load(file)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise WrongUse(
            '--private-from 应为一个 JSON 对象，如 {"name": …, "phone": …}。 '
            '--private-from is one JSON object, as {"name": …, "phone": …}.'
        )
    return given
