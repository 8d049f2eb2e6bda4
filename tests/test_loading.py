"""What a command loads before it does anything: nobody waits for what it doesn't need.

Each is loaded in a process of its own, as when a person starts it.
"""

import json
import subprocess
import sys

import pytest

SLOW = {
    *("aiokafka", "alembic", "faust", "fastapi", "fpdf", "jinja2", "kafka", "openpyxl", "PIL"),
    *("uvicorn", "zxingcpp"),
}
NEEDED = {
    "accounts": set(),
    "checkpoint": set(),
    "entries": set(),
    "exceptions": set(),
    "kiosk": set(),  # the gateway's parts are loaded as it starts
    "prove": set(),
    "report": set(),
    "roster": set(),
    "sign": set(),
    "status": set(),
    "totals": set(),
    "verify": set(),
    "desk": {"kafka"},
    "import": {"openpyxl", "PIL"},
    "publish": {"kafka", "aiokafka"},
}
LOAD = """
import json, sys, click
from hours.cli import cli
assert cli.get_command(click.Context(cli), sys.argv[1]) is not None
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("command", NEEDED)
def test_a_command_loads_no_slow_library_that_it_does_not_need(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, command], capture_output=True, text=True, check=True
    )
    assert SLOW & set(json.loads(done.stdout)) <= NEEDED[command]
