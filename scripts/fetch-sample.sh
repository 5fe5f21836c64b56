#!/bin/sh
# Bring manuals that Debian ships, as text, to DIR (default var/sample), without installing
# them: the packages' files are unpacked there. Prints one argument for cairn-sample a line.
#   scripts/fetch-sample.sh [DIR]
set -eu
dir=${1:-var/sample}
mkdir -p "$dir"
cd "$dir"

fetch() { # package, file in it
    [ -s "./$2" ] && return
    rm -f "$1"_*.deb
    apt-get download -q "$1" >/dev/null 2>download.log || { cat download.log >&2; return 1; }
    dpkg-deb --fsys-tarfile "$1"_*.deb | tar -x "./$2"
    rm -f "$1"_*.deb download.log
}

manual() { # package, title, heading level of a chapter, file
    fetch "$1" "$4" || { echo "not available: $1" >&2; return; }
    printf '%s=%s:%s=%s\n' "$1" "$2" "$3" "$PWD/$4"
}

manual debian-policy "Debian Policy Manual" 1 usr/share/doc/debian-policy/policy.txt.gz
manual debian-reference-en "Debian Reference" 1 \
    usr/share/debian-reference/debian-reference.en.txt.gz
manual developers-reference "Debian Developer's Reference" 1 \
    usr/share/developers-reference/developers-reference.txt.gz
manual debian-faq "Debian FAQ" 1 usr/share/doc/debian/FAQ/debian-faq.en.txt.gz
manual maint-guide "Debian New Maintainers' Guide" 1 \
    usr/share/doc/maint-guide/maint-guide.en.txt.gz
