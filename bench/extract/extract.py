#!/usr/bin/python3
"""What it costs to read files: a PDF of 300 pages of real text, and a Word file of as much.
Processor time and most resident memory of cairn-extract, for each.

    bench/extract/extract.py [build/release/bin/cairn-extract]
"""
import itertools
import json
import pathlib
import statistics
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/support'))
from extract import extract  # noqa: E402
from made_files import docx, paragraph, pdf  # noqa: E402

PAGES, LINES, RUNS = 300, 55, 5


def lines():
    """The sample's texts again and again, in lines as wide as a page."""
    texts = []
    for row in (ROOT / 'examples/university.ndjson').read_text().splitlines():
        document = json.loads(row)
        texts.append(document.get('text') or ' '.join(
            section['text'] for section in document.get('sections', [])))
    for text in itertools.cycle(texts):
        yield from textwrap.wrap(text, 95)


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else 'build/release/bin/cairn-extract'
    source = lines()
    pages = [list(itertools.islice(source, LINES)) for _ in range(PAGES)]
    escaped = [line.replace('&', '&amp;').replace('<', '&lt;') for page in pages
               for line in page]
    files = {'book.pdf': pdf(pages, 'A book'),
             'book.docx': docx(''.join(paragraph(line) for line in escaped))}
    print('file, bytes, sections, characters, s of a processor (median, most), MB')
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            runs = [extract(program, path) for _ in range(RUNS)]
            assert all(run.code == '' for run in runs), runs[0].end
            cpu = [run.cpu_s for run in runs]
            print(f'{name}, {len(data)}, {len(runs[0].sections)}, {len(runs[0].text)}, '
                  f'{statistics.median(cpu):.2f}, {max(cpu):.2f}, '
                  f'{max(run.memory_mb for run in runs):.0f}')


if __name__ == '__main__':
    main()
