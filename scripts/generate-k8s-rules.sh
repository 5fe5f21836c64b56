#!/bin/sh
# k8s/components/monitoring/rules.yaml and the chart's copies, from the files of rules and
# dashboards that compose/monitoring has: `make k8s-rules`.
#   scripts/generate-k8s-rules.sh [K8S_DIR]
set -eu
k8s=${1:-k8s}
rules=compose/monitoring/prometheus/rules

{
    echo "# Made by \`make k8s-rules\` from $rules; not to be changed here."
    first=1
    for file in "$rules"/*.yml; do
        name=$(basename "$file" .yml)
        [ -n "$first" ] || echo ---
        first=
        cat <<END
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: cairn-$name
  labels:
    app.kubernetes.io/part-of: cairn
spec:
END
        grep -v '^#' "$file" | sed 's/^/  /'
    done
} >"$k8s/components/monitoring/rules.yaml"
mkdir -p "$k8s/helm/cairn/rules"
cp "$rules"/*.yml "$k8s/helm/cairn/rules/"
