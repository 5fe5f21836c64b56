#!/bin/sh
# build-images.sh 'NAME…' [FLAG…]: container images, $REGISTRYcairn-NAME:$TAG and :latest,
# with flags for `docker build`. Says how large each is above its base.
set -eu
names=$1
shift
base=debian:trixie-slim

size() { docker image inspect --format '{{.Size}}' "$1"; }

for name in $names; do
    file=services/$name/Dockerfile
    [ "$name" != tools ] || file=cli/Dockerfile
    image=${REGISTRY:-}cairn-$name
    DOCKER_BUILDKIT=1 docker build "$@" --quiet --file "$file" \
        --build-arg VERSION="$TAG" --build-arg REVISION="$REVISION" \
        --tag "$image:$TAG" --tag "$image:latest" . >/dev/null
    above=
    if docker image inspect "$base" >/dev/null 2>&1; then
        above=", $((($(size "$image:$TAG") - $(size $base)) / 1000000)) MB above $base"
    fi
    echo "$image:$TAG, $(($(size "$image:$TAG") / 1000000)) MB$above"
done
