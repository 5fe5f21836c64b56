#!/bin/sh
# docs/configuration.md, docs/protocol.md and compose/.env.example from the tables in the
# programs.
#   scripts/generate-docs.sh BIN_DIR [DOCS_DIR [COMPOSE_DIR]]
set -eu
docs=${2:-docs}
compose=${3:-compose}
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

# Each setting once, with its default, its meaning and the services that have it. What
# compose.yaml sets itself (addresses, files of secrets) wins over what is written here.
awk -F ' [|] ' '
    /^## cairn-/ { service = substr($0, 10) }
    /^### / { title = substr($0, 5) }
    /^[|] `/ {
        name = $1; gsub(/[|` ]/, "", name)
        value = $2; gsub(/`/, "", value); gsub(/^ +| +$/, "", value)
        if (name in meaning) {
            if (index(" " users[name] " ", " " service " ") == 0)
                users[name] = users[name] " " service
            if (default_of[name] != value)
                default_of[name] = ""
            next
        }
        help = $NF; sub(/ [|]$/, "", help); gsub(/\\[|]/, "|", help)
        meaning[name] = help; users[name] = service; default_of[name] = value
        secret[name] = index($4, "secret") > 0; group[name] = title; order[++count] = name
    }
    END {
        print "# Every setting, written by `make docs` from the tables in the code. Copy what you"
        print "# change to .env; NAME_FILE names a file with the value of NAME."
        for (i = 1; i <= count; i++) {
            name = order[i]
            if (group[name] != last)
                printf "\n# ---- %s ----\n", last = group[name]
            printf "\n# %s (%s%s)\n#%s=%s\n", meaning[name], users[name],
                secret[name] ? "; secret" : "", name, default_of[name]
        }
    }' "$docs/configuration.md" >"$compose/.env.example"
