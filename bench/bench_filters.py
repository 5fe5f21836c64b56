"""The filter columns beside asking every document: time of a selection, memory.

Random documents, a million passages by default; each filter is answered by the columns and,
as searches did before there were any, document by document. One thread; times are CPU time,
the median of 51 selections (3 of the slow way). Options: --documents N, --each PASSAGES.
"""

import argparse
import json
import pathlib
import subprocess

DIRECTORY = pathlib.Path("var/bench")
BUILD = pathlib.Path("build/release")


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def compile_driver():
    archives = [BUILD / f"{name}.a" for name in ("search", "libproto", "libshared")]
    run("gcc", "-O2", "-std=c17", "-D_GNU_SOURCE", "-I.", "-Ilibshared/include", "-o",
        DIRECTORY / "bench_filters", "bench/search/bench_filters.c", "-Wl,--start-group",
        *archives, "-Wl,--end-group", "-ljansson", "-lutf8proc", "-lstemmer", "-lroaring",
        "-lxxhash", "-lcrypto", "-luv", "-lz", "-lm", "-lpthread")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--each", type=int, default=10, help="passages of a document")
    args = parser.parse_args()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    compile_driver()
    lines = run(DIRECTORY / "bench_filters", str(args.documents), str(args.each),
                stdout=subprocess.PIPE).stdout
    print("| caller | filter | allowed | columns, µs | each document, µs |")
    print("| --- | --- | --- | --- | --- |")
    for line in map(json.loads, lines.splitlines()):
        if "filter" in line:
            print(f"| {line['caller']} | {line['filter']} | {line['share']:.2%} | "
                  f"{line['columns_us']:,.0f} | {line['each_us']:,.0f} |")
        else:
            print(*(f"{key} {value:,}" for key, value in line.items()), sep=", ")


if __name__ == "__main__":
    main()
