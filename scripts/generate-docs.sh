#!/bin/sh
# docs/configuration.md and docs/protocol.md from the tables in the programs.
#   scripts/generate-docs.sh BIN_DIR [DOCS_DIR]
set -eu
docs=${2:-docs}
{
    echo "# Configuration"
    echo
    echo "Every setting of every service, written by \`make docs\` from the tables in the code."
    echo "Settings come from the environment; \`NAME_FILE\` names a file that holds the value of"
    echo "\`NAME\`; in development a \`.env\` file in the working directory is read first."
    for service in gateway search embedder graph backup; do
        echo
        echo "## cairn-$service"
        echo
        "$1/cairn-$service" --config-markdown
    done
} >"$docs/configuration.md"
"$1/cairn-protocol-doc" >"$docs/protocol.md"
