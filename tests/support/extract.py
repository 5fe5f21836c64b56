"""Runs cairn-extract on a file and decodes what it writes: msgpack in frames."""
import os
import struct
import subprocess
import tempfile
import threading

LIMITS = dict(pages=5000, characters=20_000_000, nesting=256, ratio=100, memory_mb=300,
              seconds=30)


def unpack(data, at=0):
    """The msgpack value at `at`, and where it ends: what proto/encode.c writes of it."""
    tag = data[at]
    at += 1
    if tag < 0x80:
        return tag, at
    if tag >= 0xe0:
        return tag - 256, at
    if 0x90 <= tag < 0xa0:
        return _array(data, at, tag & 15)
    if 0xa0 <= tag < 0xc0:
        return _text(data, at, tag & 31)
    if tag in (0xc0, 0xc2, 0xc3):
        return {0xc0: None, 0xc2: False, 0xc3: True}[tag], at
    if tag in (0xca, 0xcb):
        form = '>f' if tag == 0xca else '>d'
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if 0xcc <= tag <= 0xcf:
        form = {0xcc: '>B', 0xcd: '>H', 0xce: '>I', 0xcf: '>Q'}[tag]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    size = {0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4}[tag]
    length = int.from_bytes(data[at:at + size], 'big')
    return (_text if tag < 0xdc else _array)(data, at + size, length)


def _text(data, at, length):
    return data[at:at + length].decode(), at + length


def _array(data, at, length):
    items = []
    for _ in range(length):
        item, at = unpack(data, at)
        items.append(item)
    return items, at


def decode(data):
    """The sections and the end of what a child wrote; the end is None where it is missing."""
    sections, end, at = [], None, 0
    while at + 4 <= len(data):
        length = struct.unpack_from('<I', data, at)[0]
        fields, _ = unpack(data, at + 4)
        at += 4 + length
        if fields[0] == 20:
            sections.append(dict(zip(('title', 'text', 'page'), fields[1:])))
        else:
            end = dict(zip(('code', 'message', 'type', 'title', 'language', 'created',
                            'pages'), fields[1:]))
    return sections, end


class Outcome:
    """What became of one file."""

    def __init__(self, status, output, errors, usage):
        self.status = status
        self.errors = errors.decode(errors='replace')
        self.sections, self.end = decode(output)
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.memory_mb = usage.ru_maxrss / 1024

    @property
    def code(self):
        """Empty: taken; else why it is refused, or 'crash'."""
        return self.end['code'] if self.end else 'crash'

    @property
    def text(self):
        return '\n\n'.join(section['text'] for section in self.sections)


def extract(program, path, name=None, declared='', timeout=60, **limits):
    """As cairn-search starts it."""
    with_all = {**LIMITS, **limits}
    arguments = [str(with_all[key]) for key in ('pages', 'characters', 'nesting', 'ratio',
                                                'memory_mb', 'seconds')]
    with open(path, 'rb') as file, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, os.path.basename(name or path), declared, *arguments,
             str(os.getpid())],
            stdin=file, stdout=subprocess.PIPE, stderr=errors,
            env={'LANG': 'C.UTF-8'}, start_new_session=True)
        watch = threading.Timer(timeout, process.kill)
        watch.start()
        with process.stdout:
            output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        return Outcome(process.returncode, output, errors.read(), usage)
