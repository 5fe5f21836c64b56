#!/bin/sh
# The entry point of a streaming replica: an empty volume gets a copy of the primary first.
# Without a slot, so that a replica that never comes back fills no disk: one that was away for
# more than wal_keep_size begins anew when its volume is removed.
set -eu
password=$(cat /run/secrets/replication_password)
export PGPASSWORD="$password"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "${PGDATA:?}"/*
    pg_basebackup --host "$PRIMARY" --username replicator --pgdata "$PGDATA" \
        --wal-method stream --checkpoint fast --write-recovery-conf
    chown -R postgres "$PGDATA"
    chmod 700 "$PGDATA"
fi
unset PGPASSWORD
exec docker-entrypoint.sh "$@"
