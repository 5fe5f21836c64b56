#!/bin/sh
# with_servers.sh COMMAND [ARGUMENT…]: runs the command with TEST_DATABASE_URL and
# TEST_REDIS_URL naming a private PostgreSQL cluster and a private Redis, both on Unix
# sockets in a temporary directory, and stops them afterwards whatever happened. Exits as
# the command did. Also set: TEST_SERVERS_DIR (that directory), TEST_PG_CTL (a program that
# is called like pg_ctl for this cluster: `"$TEST_PG_CTL" restart`).
set -u

die()
{
    echo "with_servers.sh: $*" >&2
    exit 125
}

[ $# -gt 0 ] || die "usage: with_servers.sh COMMAND [ARGUMENT…]"
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -V | tail -n 1)
[ -x "${bin:-}/initdb" ] || die "no PostgreSQL server; install the package postgresql"
command -v redis-server >/dev/null || die "no Redis server; install the package redis-server"

dir=$(mktemp -d "${TMPDIR:-/tmp}/cairn-test.XXXXXX") || die "no temporary directory"
redis_pid=
as_owner=
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    as_owner="setpriv --reuid=postgres --regid=postgres --init-groups"
    chown postgres: "$dir"
fi
chmod 711 "$dir"

cleanup()
{
    trap '' INT TERM HUP
    [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null
    [ ! -f "$dir/replica/postmaster.pid" ] ||
        "$dir/pg_ctl" stop -D "$dir/replica" -m immediate >/dev/null 2>&1
    [ ! -f "$dir/data/postmaster.pid" ] || "$dir/pg_ctl" stop -m immediate >/dev/null 2>&1
    [ -z "$redis_pid" ] || wait "$redis_pid" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cat >"$dir/pg_ctl" <<END
#!/bin/sh
cd / && exec $as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/postgres.log" -w -t 60 -s "\$@"
END
chmod 755 "$dir/pg_ctl"

(cd / && $as_owner "$bin/initdb" -D "$dir/data" -U cairn -A trust -E UTF8 --locale=C.UTF-8 \
    --no-sync) >"$dir/initdb.log" 2>&1 || die "initdb: $(cat "$dir/initdb.log")"
cat >>"$dir/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$dir'
fsync = off
shared_buffers = 16MB
max_connections = 60
max_prepared_transactions = 2
autovacuum = off
END
"$dir/pg_ctl" start </dev/null >/dev/null 2>&1 || die "PostgreSQL: $(cat "$dir/postgres.log")"
"$bin/createdb" -h "$dir" -U cairn cairn || die "createdb failed"

redis-server --port 0 --unixsocket "$dir/redis.sock" --unixsocketperm 777 --save '' \
    --appendonly no --dir "$dir" >"$dir/redis.log" 2>&1 &
redis_pid=$!
tries=0
until redis-cli -s "$dir/redis.sock" ping >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] && kill -0 "$redis_pid" 2>/dev/null || die "Redis: $(cat "$dir/redis.log")"
    sleep 0.05
done

TEST_DATABASE_URL="postgresql://cairn@/cairn?host=$dir"
TEST_REDIS_URL="unix://$dir/redis.sock"
TEST_SERVERS_DIR=$dir
TEST_PG_CTL=$dir/pg_ctl
TEST_PG_BIN=$bin
TEST_PG_AS=$as_owner
TEST_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export TEST_ROOT TEST_DATABASE_URL TEST_REDIS_URL TEST_SERVERS_DIR TEST_PG_CTL
export TEST_PG_BIN TEST_PG_AS
"$@"
