#!/bin/sh
# Run the fuzz targets under BUILD_DIR in turn, SECONDS each, and say what came of it; all of
# them, or those named. A finding is kept under BUILD_DIR/findings, and fails the whole. The
# time of one input is the clock's, and a shared machine stands still now and then: 60 s.
#   scripts/run-fuzzers.sh BUILD_DIR SECONDS [NAME...]
set -eu
build=$1 seconds=$2
shift 2
wanted=" $* "
failed=0
mkdir -p "$build/findings"

# What a log says last of a figure: "cov: 123" or "stat::number_of_executed_units: 123".
figure() {
    sed -n "s/.*$2 *\([0-9]*\).*/\1/p" "$1" | tail -n 1
}

printf '%-22s %12s %8s %9s %9s %8s  %s\n' target runs cov features corpus MB findings
for target in $(find "$build/tests/fuzz" -type f -name 'fuzz_*' -perm -u+x | sort); do
    name=$(basename "$target")
    [ "$wanted" = "  " ] || case $wanted in *" $name "*) ;; *) continue ;; esac
    corpus=$build/corpus/$name log=$build/$name.log seeds=tests/fuzz/seeds/$name found=none
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086 # no seeds, no argument
    "$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$name-" "$corpus" $seeds >"$log" 2>&1 || {
        found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        : "${found:=see $log}"
        failed=1
    }
    printf '%-22s %12s %8s %9s %9s %8s  %s\n' "$name" \
        "$(figure "$log" stat::number_of_executed_units:)" "$(figure "$log" cov:)" \
        "$(figure "$log" ft:)" "$(find "$corpus" -type f | wc -l)" \
        "$(figure "$log" stat::peak_rss_mb:)" "$found"
done
exit $failed
