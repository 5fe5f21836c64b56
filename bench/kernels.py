"""The built-in model by itself: CPU time of a text, by kernel.

    kernels.py [PACK]

Texts of 8 pieces (a question) alone and 8 at once, and one of 128; the least of 31 rounds.
"""

import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

from lsa import compile_driver  # noqa: E402
from stack import ROOT  # noqa: E402

PACK = ROOT / "var/models/use-lite/use-lite.pack"


def main():
    driver = compile_driver("bench_kernels")
    lines = subprocess.run([driver, *(sys.argv[1:] or [PACK])], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    print("| kernel | pieces | texts at once | CPU µs a text | 1 - cosine |")
    print("| --- | --- | --- | --- | --- |")
    for line in map(json.loads, lines.splitlines()):
        print("|", " | ".join(str(value) for value in line.values()), "|")


if __name__ == "__main__":
    main()
