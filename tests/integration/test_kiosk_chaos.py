"""A short campaign of chaos against kiosks; `python -m tests.chaos.kiosk` is the long one."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import CHROMIUM

FAULTS = 10


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_kiosks_whose_every_need_breaks_lose_and_double_no_tap() -> None:
    seed = random.randrange(1 << 32)
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.kiosk", "--faults", str(FAULTS), "--seed", str(seed)],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    said = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, said
    assert "lost 0, doubled 0" in said
