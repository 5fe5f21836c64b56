#!/bin/sh
# Check every model of this folder with spin, over all its states, and that each of its
# mutations is found: a model that nothing can break proves nothing.
#   tests/models/check.sh OUT_DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
failed=0
mkdir -p "$out"
cd "$out"

# Whether all states of MODEL with MUTATION hold; the report is in $1.$2.log.
holds() {
    rm -f pan.*
    spin -DMUTATION="$2" -a "$here/$1.pml" >"$1.$2.log"
    ${CC:-cc} -w -O0 -DSAFETY -o pan pan.c
    timeout 120 ./pan -m1000000 -w22 >>"$1.$2.log" 2>&1 || true
    grep -q 'errors: 0' "$1.$2.log" && ! grep -q 'max search depth too small' "$1.$2.log"
}

for model in epoch changefeed; do
    if holds "$model" 0; then
        echo "$model: holds, $(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$model.0.log") states"
    else
        echo "$model: FAILS, see $out/$model.0.log"
        failed=1
    fi
    mutation=1
    while grep -q "^ \*   $mutation  " "$here/$model.pml"; do
        if holds "$model" "$mutation"; then
            echo "$model: mutation $mutation is NOT found"
            failed=1
        else
            echo "$model: mutation $mutation is found"
        fi
        mutation=$((mutation + 1))
    done
done
exit $failed
