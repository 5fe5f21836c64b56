#!/bin/sh
# build-web.sh: the web pages, from web/ into build/web, which the gateway serves (WEB_DIR).
# Does nothing when they are newer than their sources.
# Exit status: 0 done; 3 cannot be had (no node or npm, no registry): the gateway then
# serves its API without pages; 1 anything else.
set -eu

out=build/web
say() { echo "build-web: $*" >&2; }
unavailable() {
    say "$*"
    say "without the pages the gateway serves the API alone"
    exit 3
}

if [ -e $out/index.html ] &&
    [ -z "$(find web \( -name node_modules -o -name schema.ts \) -prune -o -type f -newer $out/index.html -print | head -n 1)" ]; then
    exit 0
fi
command -v npm >/dev/null 2>&1 || unavailable "npm is missing (apt-get install npm)"
major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
[ "${major:-0}" -ge 18 ] || unavailable "node ${major:-is missing}: 18 or newer is needed"

# What is installed is what the lock file says, or it is installed anew.
kept=web/node_modules/.package-lock.json
if [ ! -e $kept ] || [ -n "$(find web/package-lock.json -newer "$kept")" ]; then
    say "fetching what the pages are built with"
    log=$(mktemp)
    if ! (cd web && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline \
        --fetch-retries=1 --fetch-timeout=60000 >"$log" 2>&1); then
        why=$(grep -i 'npm err' "$log" | head -n 2 | tr '\n' ' ')
        rm -f "$log"
        unavailable "npm ci failed: ${why:-no reason given}"
    fi
    rm -f "$log"
    touch $kept
fi
cd web && npx --no-install vite build --logLevel warn
