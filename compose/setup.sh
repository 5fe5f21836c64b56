#!/bin/sh
# setup.sh: everything that `docker compose up` needs besides the images: passwords, keys and
# a certificate of our own signature in secrets/, and an empty .env. What is there stays;
# remove a file to have it made anew. Passwords lie in a directory for its owner alone; the
# keys of the bus belong to 1000, the user in our containers.
#   CAIRN_TAG, CAIRN_REGISTRY  as for compose: cairn-tools makes the keys
#   CAIRN_KEYS                 a cairn-keys program to be used instead
#   EDGE_NAME                  the host name in the certificate (localhost)
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets/tls secrets/keys
chmod 700 secrets # the files inside can then be read by whichever user a container has

random() { openssl rand -hex 32; }
put() { # NAME: standard input, unless it is there
    if [ -s "secrets/$1" ]; then
        cat >/dev/null
    else
        cat >"secrets/$1.new"
        chmod 444 "secrets/$1.new"
        mv "secrets/$1.new" "secrets/$1"
        echo "made secrets/$1"
    fi
}

for name in postgres_password db_password replication_password monitor_password \
    redis_password jwt_secret audit_key grafana_password; do
    random | tr -d '\n' | put $name
done
printf 'Aa1-%s' "$(openssl rand -hex 12)" | put admin_password # as the rules for accounts want it
# The same for those who want it in a form of their own.
echo "requirepass $(cat secrets/redis_password)" | put redis_auth
printf '{"redis://redis:6379": "%s"}\n' "$(cat secrets/redis_password)" | put redis_exporter
printf '"cairn" "%s"\n' "$(cat secrets/db_password)" | put pgbouncer_users
# Alerts leave the machine once these say where to (monitoring/alertmanager).
for name in smtp_password slack_webhook pagerduty_key; do
    echo unset | put $name
done
[ -e .env ] || { echo "# What is not as .env.example has it." >.env && echo "made .env"; }

if [ ! -s secrets/tls/cert.pem ]; then
    name=${EDGE_NAME:-localhost}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
        -subj "/CN=$name" -addext "subjectAltName=DNS:$name,IP:127.0.0.1" \
        -keyout secrets/tls/key.pem -out secrets/tls/cert.pem 2>/dev/null
    chmod 444 secrets/tls/cert.pem secrets/tls/key.pem
    echo "made secrets/tls/cert.pem for $name: browsers will warn; docs/operations.md, \"Certificates\""
fi
chmod 755 secrets/tls

for service in gateway search embedder graph backup; do
    [ -s "secrets/keys/$service.key" ] && [ -s "secrets/keys/public/$service.pub" ] || missing=1
done
if [ -n "${missing:-}" ]; then
    if [ -n "${CAIRN_KEYS:-}" ]; then
        "$CAIRN_KEYS" secrets/keys
        chown 1000:1000 secrets/keys/*.key 2>/dev/null || true
        chmod 755 secrets/keys secrets/keys/public
        chmod 444 secrets/keys/public/*
    else
        # As root in a container, for only root can give a file away.
        docker run --rm --user 0:0 --network none --read-only \
            -v "$PWD/secrets/keys:/keys" "${CAIRN_REGISTRY:-}cairn-tools:${CAIRN_TAG:-latest}" \
            sh -c 'cairn-keys /keys && chown 1000:1000 /keys/*.key &&
                chmod 755 /keys /keys/public && chmod 444 /keys/public/*'
    fi
    echo "made secrets/keys"
fi
echo "The admin is \"admin\", the password is in compose/secrets/admin_password."
