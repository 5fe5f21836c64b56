"""Attacks as files (tests/data/attacks): a comment, "> " and the statuses that may come
back, then the bytes as text. Line ends do not count; \\r \\n \\t \\0 \\\\ \\xHH do, and
{N*text} is the text N times."""

import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "data/attacks"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


def unescape(text):
    out = b""
    for match in re.finditer(r"\\x([0-9a-f]{2})|\\([rnt0\\])|([^\\])", text):
        hexed, letter, plain = match.groups()
        if hexed:
            out += bytes([int(hexed, 16)])
        elif letter:
            out += ESCAPES[letter]
        else:
            out += plain.encode()
    return out


def parse(text):
    lines = text.splitlines()
    assert lines[0].startswith("# ") and lines[1].startswith("> ")
    statuses = {int(status) for status in lines[1][2:].split("|")}
    out, at = b"", 0
    joined = "".join(lines[2:])
    for match in re.finditer(r"\{(\d+)\*([^}]*)\}", joined):
        out += unescape(joined[at:match.start()])
        out += unescape(match.group(2)) * int(match.group(1))
        at = match.end()
    return statuses, out + unescape(joined[at:])


def attacks():
    """(name, statuses, bytes) of each."""
    for path in sorted(FOLDER.glob("*.http")):
        yield (path.stem, *parse(path.read_text()))
