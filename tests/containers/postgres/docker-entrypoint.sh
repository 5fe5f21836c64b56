#!/bin/bash
# What compose.yaml relies on of the official image's entry point: POSTGRES_PASSWORD_FILE,
# POSTGRES_INITDB_ARGS, /docker-entrypoint-initdb.d on an empty volume, the user postgres.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
        export POSTGRES_PASSWORD
        unset POSTGRES_PASSWORD_FILE
    fi
    mkdir -p "$PGDATA" /var/run/postgresql
    chown postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # several words
    initdb --username=postgres --pwfile=<(echo "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -w start -o "$(printf '%q ' "${@:2}" -c listen_addresses=)"
    for script in /docker-entrypoint-initdb.d/*.sh; do
        # shellcheck disable=SC1090
        if [ -x "$script" ]; then "$script"; else . "$script"; fi
    done
    pg_ctl -m fast -w stop
    unset POSTGRES_PASSWORD
fi
exec "$@"
