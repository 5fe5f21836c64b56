#!/usr/bin/python3
"""Good files, damaged at random, given to cairn-extract: each is taken or refused with a
code; none crashes it, none is let through its limits. The same files for the same seed.

    tests/faults/mutate_uploads.py build/asan/bin/cairn-extract [--count 1000] [--seed 1]
"""
import argparse
import collections
import pathlib
import random
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/support'))
from extract import extract  # noqa: E402
from made_files import made_files  # noqa: E402

CODES = {'', 'encrypted', 'damaged', 'type_refused', 'limit_exceeded', 'no_text'}


def originals():
    """Name and bytes of the files that are good."""
    for path in sorted((ROOT / 'tests/data/uploads/good').iterdir()):
        yield path.name, path.read_bytes()
    yield from sorted(made_files().items())


def mutate(chance, data):
    """A few faults: bits, bytes, numbers, pieces cut out, doubled, moved."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16, 64))):
        if not data:
            return bytes(data)
        at = chance.randrange(len(data))
        length = chance.randrange(1, min(256, len(data)) + 1)
        kind = chance.randrange(7)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice((0, 1, 0x7f, 0x80, 0xff, 0x3c, 0x28, 0x30, 0x39))
        elif kind == 2:
            data[at:at + 4] = chance.choice((b'\xff\xff\xff\xff', b'\0\0\0\0',
                                             b'\xff\xff\xff\x7f', b'9999'))
        elif kind == 3:
            del data[at:at + length]
        elif kind == 4:
            data[at:at] = data[at:at + length]
        elif kind == 5:
            data[at:at + length] = bytes(chance.randrange(256)
                                         for _ in range(length))
        else:
            del data[at:]
    return bytes(data)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument('program')
    arguments.add_argument('--count', type=int, default=1000)
    arguments.add_argument('--seed', type=int, default=1)
    arguments.add_argument('--keep', help='directory for files that crash it')
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    files = list(originals())
    outcomes = collections.Counter()
    bad = []
    memory, cpu = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.count):
            name, data = files[number % len(files)]
            path = pathlib.Path(folder, 'file')
            path.write_bytes(mutate(chance, data))
            outcome = extract(given.program, path, name=name)
            outcomes[outcome.code or 'taken'] += 1
            memory, cpu = max(memory, outcome.memory_mb), max(cpu, outcome.cpu_s)
            wrong = outcome.code not in CODES or (outcome.code != 'crash' and outcome.status)
            if wrong or 'Sanitizer' in outcome.errors or 'runtime error' in outcome.errors:
                bad.append(f'{number} {name}: {outcome.code} status {outcome.status}\n'
                           f'{outcome.errors[-2000:]}')
                if given.keep:
                    pathlib.Path(given.keep, f'{number}-{name}').write_bytes(
                        path.read_bytes())
    print(', '.join(f'{count} {code}' for code, count in outcomes.most_common()),
          f'– most memory {memory:.0f} MB, most time {cpu:.2f} s of a processor')
    for line in bad:
        print('BAD', line)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
