#!/bin/sh
# Run unit test programs, two at a time, and say in one line how it went.
#   scripts/run-unit-tests.sh BUILD_DIR PROGRAM…
set -u
logs=$1/test-logs
shift
mkdir -p "$logs"
rm -f "$logs"/results.* # of a run that was killed
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp TSAN_OPTIONS=halt_on_error=1

# shellcheck disable=SC2016 # the inner shell expands
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} sh -c '
    log=$1/$(echo "{}" | tr / _).log
    if timeout 300 {} >"$log" 2>&1; then echo "ok {}" >>"$1/results.$$"
    else
        echo "FAILED {}"; grep -vE "^\[ (RUN|      OK)" "$log" | tail -n 40
        echo "FAILED {}" >>"$1/results.$$"
    fi' sh "$logs"
passed=$(cat "$logs"/results.* 2>/dev/null | grep -c '^ok')
failed=$(cat "$logs"/results.* 2>/dev/null | grep -c '^FAILED')
cat "$logs"/results.* 2>/dev/null | grep '^FAILED'
rm -f "$logs"/results.*
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" = $# ]
