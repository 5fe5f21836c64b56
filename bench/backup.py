"""How fast a set is made beside `pg_dump | zstd` by hand, on the same data in the same run,
and how much memory it takes. make bench-backup (SIZE_MB=300)."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
os.environ.setdefault("CAIRN_BIN", "build/release/bin")

from stack import BIN, Stack  # noqa: E402

SIZE_MB = int(os.environ.get("SIZE_MB", "300"))
ROUNDS = 5
FILL = """CREATE TABLE bench_rows AS
SELECT g AS id, md5(g::text) || md5((g * 7)::text) AS text,
       decode(md5(g::text) || md5((g + 1)::text), 'hex') AS raw
FROM generate_series(1, {rows}) AS g"""


def measured(command, env):
    """Seconds, and the largest resident size of the processes."""
    begun = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.monotonic() - begun, usage.ru_maxrss / 1024


def main():
    stack = Stack().up()
    home = pathlib.Path(tempfile.mkdtemp(prefix="cairn-bench-"))
    try:
        url = stack.env["DATABASE_URL"]
        subprocess.run(["psql", "-Xqc", FILL.format(rows=SIZE_MB * 6000), url], check=True)
        env = {**os.environ, "DATABASE_URL": url, "BACKUP_DIR": str(home / "sets"),
               "FILE_STORE": f"dir:{stack.dir}/files", "LC_ALL": "C"}
        ours, theirs, looked, resident = [], [], [], 0
        for _ in range(ROUNDS):
            seconds, megabytes = measured(
                [BIN / "cairn-backup", "create", "--verify", "none"], env)
            ours.append(seconds)
            resident = max(resident, megabytes)
            made = next((home / "sets").glob("2*")).name
            looked.append(measured([BIN / "cairn-backup", "verify", made], env)[0])
            shutil.rmtree(home / "sets")
            out = home / "by-hand"
            theirs.append(measured(
                ["bash", "-c", 'set -o pipefail; pg_dump -Fc -Z0 "$DATABASE_URL" | '
                 f"zstd -q -3 -o {out} && sync {out}"], env)[0])
            out.unlink()
        one, other = statistics.median(ours), statistics.median(theirs)
        print(f"database            {SIZE_MB} MB, {ROUNDS} rounds, medians")
        print(f"cairn-backup        {one:.2f} s (rows counted, hashed, originals, manifest)")
        print(f"verify              {statistics.median(looked):.2f} s")
        print(f"pg_dump | zstd      {other:.2f} s")
        print(f"throughput          {other / one:.2f} of it by hand (bar: 0.90)")
        print(f"resident            {resident:.0f} MB at most (bar: 50)")
    finally:
        shutil.rmtree(home, ignore_errors=True)
        stack.down()


if __name__ == "__main__":
    main()
