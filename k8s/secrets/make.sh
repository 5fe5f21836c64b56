#!/bin/sh
# Make the secrets of a cluster that are missing, in values/ beside this file (or in DIR).
# What is there stays. A database or Redis that has its password already: write it to
# values/database or values/redis first.
#   k8s/secrets/make.sh [DIR]           CAIRN_KEYS=path of cairn-keys
set -eu
here=$(cd "$(dirname "$0")" && pwd)
values=${1:-$here/values}
keys=${CAIRN_KEYS:-$(command -v cairn-keys || echo "$here/../../build/release/bin/cairn-keys")}
[ -x "$keys" ] || { echo "cairn-keys is not here: make BUILD=release, or CAIRN_KEYS=" >&2; exit 1; }

umask 077
mkdir -p "$values"
random() { # NAME BYTES
    [ -s "$values/$1" ] || openssl rand -hex "$2" | tr -d '\n' >"$values/$1"
}
random database 32
random redis 32
random jwt 48
random audit 32
random signing 32
# The rules of passwords want letters of both cases, a digit and something else.
[ -s "$values/admin" ] || printf 'Aa1-%s' "$(openssl rand -hex 16)" >"$values/admin"
"$keys" "$values/bus"
echo "secrets are in $values: keep a copy where nobody else looks"
