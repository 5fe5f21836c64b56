"""The command line `cairn`, run as a person or a script does: piped, or on a terminal."""

import contextlib
import os
import pty
import select
import subprocess
import time

from stack import BIN, ROOT

PROGRAM = BIN / "cairn"


class Cairn:
    """With a home of its own, and nothing of ours in its environment."""

    def __init__(self, home, url=None, **environment):
        self.home, self.url = home, url
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8",
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp",
            **({"CAIRN_URL": url} if url else {}), **environment}

    def start(self, *words, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([PROGRAM, *map(str, words)], env=self.environment,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    def run(self, *words, stdin="", code=0, **more):
        done = subprocess.run([PROGRAM, *map(str, words)], env=self.environment, input=stdin,
                              capture_output=True, text=True, timeout=120, check=False, **more)
        assert "Sanitizer" not in done.stderr, done.stderr
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def terminal(self, *words, typed=(), columns=80, code=0, **environment):
        """What a person sees: stdout and stderr on one terminal. `typed`: pairs of what is
        waited for and what is typed then."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, *map(str, words)], stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
            env={**self.environment, "TERM": "xterm", "COLUMNS": str(columns), **environment})
        os.close(theirs)
        seen, typed = b"", list(typed)
        deadline = time.monotonic() + 120
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while time.monotonic() < deadline:
                if not select.select([ours], [], [], 1)[0]:
                    continue
                piece = os.read(ours, 65536)
                if not piece:
                    break
                seen += piece
                if typed and typed[0][0].encode() in seen:
                    os.write(ours, typed.pop(0)[1].encode())
        os.close(ours)
        assert process.wait(timeout=60) == code, seen
        return seen.decode().replace("\r\n", "\n")
