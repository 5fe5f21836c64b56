#!/bin/sh
# clang-tidy (settings in .clang-tidy) on every source, and cppcheck on all. One source a
# run: with several, its va_list check forgets va_start() from the second on.
#   scripts/lint-c.sh 'PREPROCESSOR FLAGS' SOURCE…
set -u
flags=$1
shift
failed=0
# shellcheck disable=SC2086 # the flags are words
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c '
    flags=$1; shift
    clang-tidy --quiet "$@" -- $flags -std=c17 2>/dev/null' sh "$flags" || failed=1
# shellcheck disable=SC2086
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$(nproc)" \
    --enable=warning,portability --suppress=missingIncludeSystem \
    --suppress=normalCheckLevelMaxBranches --suppress=unknownMacro \
    -I. -Ilibshared/include "$@" || failed=1
exit $failed
