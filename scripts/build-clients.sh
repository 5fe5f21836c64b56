#!/bin/sh
# The clients of clients/, whole: what is written by hand there, and what comes from the
# OpenAPI document.
#   scripts/build-clients.sh OPENAPI.json OUT_DIR [python] [typescript]
# OUT_DIR/python and OUT_DIR/typescript are packages then.
# Exit status: 0 done; 3 the TypeScript client cannot be had (no npm, no registry).
set -eu
document=$(realpath "$1")
out=$2
shift 2
[ $# -gt 0 ] || set -- python typescript
here=$(dirname "$(realpath "$0")")
mkdir -p "$out"

python() {
    rm -rf "$out/python"
    cp -R "$here/../clients/python" "$out/python"
    /usr/bin/python3 "$here/generate-python-client.py" "$document" "$out/python/cairn_client"
}

typescript() {
    command -v npm >/dev/null 2>&1 || {
        echo "build-clients: npm is missing (apt-get install npm)" >&2
        exit 3
    }
    mkdir -p "$out/typescript"
    rm -rf "$out/typescript/src" "$out/typescript/dist"
    for part in src package.json package-lock.json tsconfig.json README.md; do
        cp -R "$here/../clients/typescript/$part" "$out/typescript/"
    done
    cd "$out/typescript"
    npm ci --ignore-scripts --no-audit --no-fund --prefer-offline >npm.log 2>&1 || {
        echo "build-clients: npm ci failed: $(tail -n 1 npm.log)" >&2
        exit 3
    }
    OPENAPI=$document npm run --silent types >npm.log
    npm run --silent build
}

for client in "$@"; do
    case $client in
    python | typescript) ("$client") || exit $? ;;
    *) echo "build-clients: there is no $client" >&2; exit 2 ;;
    esac
done
