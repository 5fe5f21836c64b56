#!/bin/sh
# Run every fuzz target under BUILD_DIR for SECONDS each; a finding ends it.
#   scripts/run-fuzzers.sh BUILD_DIR SECONDS
set -eu
find "$1/tests/fuzz" -type f -name 'fuzz_*' -perm -u+x | sort | while read -r target; do
    name=$(basename "$target")
    corpus=$1/corpus/$name
    seeds=tests/fuzz/seeds/$name
    mkdir -p "$corpus" "$1/findings"
    [ -d "$seeds" ] || seeds=
    echo "$name: $2 s"
    # shellcheck disable=SC2086 # no seeds, no argument
    "$target" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$1/findings/$name-" "$corpus" $seeds >"$1/$name.log" 2>&1 || {
        tail -n 40 "$1/$name.log"
        exit 1
    }
    tail -n 1 "$1/$name.log"
done
