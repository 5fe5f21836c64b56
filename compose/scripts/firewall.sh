#!/bin/sh
# firewall.sh [--dry-run]: ufw for a machine with Cairn: in come SSH, HTTP and HTTPS; from
# the inner networks (INNER, as ufw writes them) PostgreSQL, Prometheus and Grafana too.
# Ports that Docker publishes bypass ufw: compose.yaml publishes inner ones on 127.0.0.1 only.
set -eu

inner=${INNER:-10.0.0.0/8 172.16.0.0/12 192.168.0.0/16}
ufw=ufw
[ "${1:-}" != --dry-run ] || ufw="echo ufw"

$ufw default deny incoming
$ufw default allow outgoing
$ufw limit 22/tcp comment SSH
$ufw allow 80/tcp comment HTTP
$ufw allow 443/tcp comment HTTPS
for network in $inner; do
    for port in 5432 9090 3000; do
        $ufw allow from "$network" to any port "$port" proto tcp
    done
done
$ufw --force enable
