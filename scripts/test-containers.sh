#!/bin/sh
# test-containers.sh [COMMAND] -- PYTEST…: the tests of tests/containers in the engine that
# DOCKER_HOST names, or the default one. COMMAND builds our images; without it they are
# there, and so are those of others. IMAGE_FLAGS are for `docker build`.
set -eu

build=
[ "$1" = -- ] || { build=$1 && shift; }
shift
if ! docker info >/dev/null 2>&1; then
    echo "skipped: no container engine (DOCKER_HOST=${DOCKER_HOST:-})"
    exit 0
fi

# IMAGE FOLDER: pulled, else built from tests/containers/FOLDER.
another() {
    docker image inspect "$1" >/dev/null 2>&1 && return
    docker pull --quiet "$1" && return
    echo "$1 cannot be pulled: tests/containers/$2 stands in for it"
    # shellcheck disable=SC2086 # several flags
    docker build ${IMAGE_FLAGS:-} --quiet --tag "$1" "tests/containers/$2"
}

if [ -n "$build" ]; then
    sh -c "$build"
    another pgvector/pgvector:pg17 postgres
    another redis:8 redis
    another nginx:stable nginx
    # Grafana is not looked at: nothing stands in for it.
    for name in prometheus alertmanager postgres-exporter redis-exporter nginx-exporter; do
        another "$(sed -n "/^  $name:/,/image:/s/^ *image: //p" compose/compose.yaml)" $name
    done
    # shellcheck disable=SC2086
    docker build ${IMAGE_FLAGS:-} --quiet --tag cairn-pgbouncer:latest compose/pgbouncer
fi
"$@" tests/containers
