#!/bin/sh
# Bring the stack of compose/compose.yaml on this machine to the images of a release.
#   scripts/deploy.sh TAG          pull, migrate, start what has changed, see that it is well;
#                                  if it is not: back to the tag before, exit 1
#   scripts/deploy.sh --rollback   to the tag before
#   scripts/deploy.sh --dry-run …  say what would be done
# CAIRN_TAG in compose/.env is what runs; compose/.previous-tag what ran before.
# HEALTH_URL (http://127.0.0.1:8000/health), COMPOSE_PROFILES as for compose.
set -eu
cd "$(dirname "$0")/../compose"

dry=
[ "${1:-}" != --dry-run ] || { dry=1 && shift; }
[ $# -eq 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "../scripts/deploy.sh" >&2; exit 2; }

do_it() {
    echo "+ $*"
    [ -n "$dry" ] || "$@"
}

# The tag in .env; none yet: what compose.yaml takes then.
running_tag() { sed -n 's/^CAIRN_TAG=//p' .env 2>/dev/null | tail -n 1 | grep . || echo latest; }

# .env is replaced whole or not at all.
set_tag() {
    echo "+ CAIRN_TAG=$1 in .env"
    [ -z "$dry" ] || return 0
    { grep -v '^CAIRN_TAG=' .env 2>/dev/null || true; echo "CAIRN_TAG=$1"; } >.env.new
    mv .env.new .env
}

# The schema goes forward only: the release before works with it (docs/operations.md).
start() {
    set_tag "$1"
    do_it env CAIRN_TAG="$1" docker compose pull --quiet --ignore-pull-failures &&
        do_it env CAIRN_TAG="$1" docker compose up --detach --no-build --wait --wait-timeout 300 &&
        do_it curl --fail --silent --show-error --max-time 10 --retry 10 --retry-all-errors \
            --retry-delay 3 --output /dev/null "${HEALTH_URL:-http://127.0.0.1:8000/health}"
}

before=$(running_tag)
case $1 in
--rollback)
    to=$(cat .previous-tag 2>/dev/null) || { echo "there is no tag before" >&2; exit 2; } ;;
-*) echo "unknown option $1" >&2; exit 2 ;;
*) to=$1 ;;
esac
case $to in
*[!A-Za-z0-9._-]*) echo "$to is no tag" >&2; exit 2 ;;
esac

if start "$to"; then
    [ -n "$dry" ] || [ "$before" = "$to" ] || echo "$before" >.previous-tag
    echo "$to is well"
    exit 0
fi
echo "$to did not become well: back to $before" >&2
start "$before" || echo "$before is not well either: docs/runbooks.md" >&2
exit 1
