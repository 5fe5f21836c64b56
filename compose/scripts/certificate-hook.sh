#!/bin/sh
# certbot's deploy hook: the new certificate to where the edge reads it, and nginx told.
# The files are written over, since a container keeps the file that it was given.
set -eu
cd "$(dirname "$0")/.."
tls=${TLS_DIR:-secrets/tls}
for pair in fullchain:cert privkey:key; do
    cat "${RENEWED_LINEAGE:?}/${pair%%:*}.pem" >"$tls/${pair##*:}.new"
    chmod 444 "$tls/${pair##*:}.new"
    mv "$tls/${pair##*:}.new" "$tls/${pair##*:}.pem"
done
docker compose --profile edge exec -T nginx nginx -s reload
