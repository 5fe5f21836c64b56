#!/bin/sh
# health_check.sh [URL]: whether a Cairn is well, for cron and monitors (CURL_FLAGS=-k for a
# certificate of one's own signature). Exit 0: healthy; 1: degraded, something optional is out;
# 2: unhealthy, or not to be had.
set -eu
url=${1:-${CAIRN_URL:-http://127.0.0.1:8000}}
limit=${HEALTH_TIMEOUT:-10}

body=$(mktemp)
trap 'rm -f "$body"' EXIT
# shellcheck disable=SC2086 # several flags
status=$(curl --silent --show-error --max-time "$limit" ${CURL_FLAGS:-} --output "$body" \
    --write-out '%{http_code}' "${url%/}/health") || { echo "unreachable $url"; exit 2; }
word=$(sed -n 's/^{"status":"\([a-z]*\)".*/\1/p' "$body" | head -n 1)
echo "$url: ${word:-no answer} ($status)"
grep -o '"issues":\[[^]]\+\]' "$body" || true
case $status:$word in
200:healthy) exit 0 ;;
200:degraded) exit 1 ;;
*) exit 2 ;;
esac
