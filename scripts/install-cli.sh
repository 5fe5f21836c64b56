#!/bin/sh
# The manual page and the completions of cairn, which it writes itself.
#   scripts/install-cli.sh PROGRAM SHARE    SHARE: /usr/local/share
set -eu
cairn=$1
share=$2

# A failed program must not leave an empty file that looks installed.
put() {
    install -d "$share/$1"
    target=$share/$1/$2
    shift 2
    "$cairn" "$@" >"$target.new"
    chmod 644 "$target.new"
    mv "$target.new" "$target"
}

put man/man1 cairn.1 manual
put bash-completion/completions cairn completion bash
put zsh/site-functions _cairn completion zsh
put fish/vendor_completions.d cairn.fish completion fish
