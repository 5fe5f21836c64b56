#!/bin/bash
# Runs once, on an empty volume: roles, the database, extensions. The schema is the business
# of cairn-migrate. cairn is no superuser: it owns its database, may make others (restores)
# and stream WAL (backups); monitor is the exporter, which sees figures and no data.
set -eu

quote() { printf "'%s'" "$(sed "s/'/''/g" "/run/secrets/$1")"; }

psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres --dbname postgres <<SQL
CREATE ROLE cairn LOGIN CREATEDB REPLICATION PASSWORD $(quote db_password);
GRANT pg_monitor TO cairn;
CREATE ROLE replicator LOGIN REPLICATION PASSWORD $(quote replication_password);
CREATE ROLE monitor LOGIN PASSWORD $(quote monitor_password);
GRANT pg_monitor TO monitor;
CREATE DATABASE cairn OWNER cairn;
SQL
# template1 too: a restore makes a database and cannot make this extension itself.
for database in template1 cairn; do
    psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres --dbname "$database" \
        -c 'CREATE EXTENSION IF NOT EXISTS vector' \
        -c 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'
done
echo 'host replication replicator,cairn all scram-sha-256' >>"$PGDATA/pg_hba.conf"
