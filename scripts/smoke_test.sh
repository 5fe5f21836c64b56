#!/bin/sh
# smoke_test.sh [URL]: after a deployment: does it answer, know us, and find what is there?
# Reads only, unless SMOKE_WRITE=1: then a document is stored, found and deleted, too.
# CAIRN_TOKEN or CAIRN_API_KEY says who asks. Exit 0 when every step passed.
set -eu
url=${1:-${CAIRN_URL:-http://127.0.0.1:8000}}
url=${url%/}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

set --
[ -z "${CAIRN_TOKEN:-}" ] || set -- --header "Authorization: Bearer $CAIRN_TOKEN"
[ -z "${CAIRN_API_KEY:-}" ] || set -- --header "X-API-Key: $CAIRN_API_KEY"
# The header is read from a file, so that nobody sees it in the list of processes.
[ $# -eq 0 ] || { (umask 077 && echo "$2" >"$work/who") && set -- --header "@$work/who"; }

# NAME STATUSES PATTERN CURL…: the step passed if the status is one of these and the answer
# has the pattern.
step() {
    name=$1 statuses=$2 pattern=$3
    shift 3
    : >"$work/body"
    # shellcheck disable=SC2086 # several flags
    status=$(curl --silent --max-time 30 ${CURL_FLAGS:-} --output "$work/body" \
        --write-out '%{http_code}' "$@") || status=000
    case " $statuses " in
    *" $status "*)
        if grep -q "$pattern" "$work/body"; then
            echo "ok      $name"
            return
        fi
        ;;
    esac
    echo "FAILED  $name: $status $(head -c 200 "$work/body")"
    failed=$((failed + 1))
}

json='Content-Type: application/json'
step "it is up" "200" '"status"' "$url/health"
step "what is unknown is 404" "404" '"code"' "$@" "$url/api/no-such-thing"
step "a search answers" "200" '"results"' "$@" --header "$json" \
    --data '{"query":"smoke test"}' "$url/api/search"
step "an empty one is refused" "400 422" '"code"' "$@" --header "$json" \
    --data '{"query":""}' "$url/api/search"
step "the graph answers" "200" '{' "$@" "$url/api/graph/schema"
if [ "${SMOKE_WRITE:-0}" = 1 ]; then
    id=smoke-$(date +%s)-$$
    step "a document is stored" "200 201" '"visible":true' "$@" --header "$json" --data \
        "{\"id\":\"$id\",\"title\":\"Smoke test $id\",\"sections\":[{\"title\":\"It\",\"text\":\"Smoke rises from $id.\"}]}" \
        "$url/api/documents?refresh=true"
    step "it is found" "200" "\"document_id\":\"$id\"" "$@" --header "$json" \
        --data "{\"query\":\"smoke rises from $id\"}" "$url/api/search"
    step "it is deleted" "200 204" '' "$@" --request DELETE "$url/api/documents/$id?refresh=true"
fi
[ $failed -eq 0 ] || { echo "$failed failed"; exit 1; }
