#!/bin/sh
# certificate.sh NAME…: a certificate of Let's Encrypt for these names, for the edge of
# compose (webroot: the volume `acme`, which nginx serves) or, with BARE=1, for an nginx on
# the machine itself. Renewal: `certbot renew`, by certbot's own timer or compose/cron.
#   EMAIL        whom Let's Encrypt writes to
#   DRY_RUN=1    tries it out against the staging server
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
[ -n "${EMAIL:-}" ] || { echo "EMAIL is not set" >&2; exit 2; }
command -v certbot >/dev/null || { echo "certbot is missing: apt-get install certbot" >&2; exit 1; }

first=$1
for name in "$@"; do set -- "$@" -d "$name"; shift; done
[ -z "${DRY_RUN:-}" ] || set -- "$@" --dry-run

if [ -n "${BARE:-}" ]; then
    exec certbot --nginx --non-interactive --agree-tos -m "$EMAIL" --redirect "$@"
fi
volume=$(docker volume inspect --format '{{.Mountpoint}}' "${COMPOSE_PROJECT_NAME:-cairn}_acme")
certbot certonly --webroot -w "$volume" --non-interactive --agree-tos -m "$EMAIL" \
    --deploy-hook "$PWD/scripts/certificate-hook.sh" "$@"
[ -n "${DRY_RUN:-}" ] || RENEWED_LINEAGE=/etc/letsencrypt/live/$first scripts/certificate-hook.sh
