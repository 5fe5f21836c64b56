"""A few faults under the checked workload; make faults has all of them, and chance."""

import os
import pathlib
import subprocess
import sys

FAULTS = ("kill search-2", "stop search-1", "kill postgres", "kill gateway-2")


def test_no_write_is_lost_or_doubled_and_nothing_leaks():
    words = [word for name in FAULTS for word in ("--fault", name)]
    done = subprocess.run(
        [sys.executable, pathlib.Path(__file__).with_name("run.py"), "--patient", "--seed", "1",
         *words], env=os.environ, check=False, timeout=600, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-10000:]
    assert f"{len(FAULTS)} runs" in done.stdout
