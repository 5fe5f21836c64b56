#!/bin/sh
# image-tree.sh OUT PROGRAM…: what an image needs above Debian's slim one, as a tree to be
# copied onto it: the programs, the libraries they are linked with that the slim image has
# not, the licences of those, and what Debian knows about their packages (for scanners of
# images, which read var/lib/dpkg/status.d). Runs in the image's build stage, as root.
# BASE names a file with the packages of the slim image, one a line.
# Whole packages would bring what nothing of ours loads: for cairn-search 107 MB more
# (gnupg, X11's tables, fonts), docs/decisions/0126-images.md.
set -eu

out=$1
shift
base=${BASE:-/base-packages}
libs=$out/usr/lib/$(gcc -print-multiarch)
mkdir -p "$out/usr/local/bin" "$out/var/lib/dpkg/status.d" "$out/etc/ssl/certs" \
    "$out/usr/lib/ssl" "$libs"

# The package that a file came with: by the path asked for, or by where it truly lies.
package_of() {
    for path in "$1" "/usr$1" "$(readlink -f "$1")"; do
        if found=$(dpkg -S "$path" 2>/dev/null | grep -v '^diversion'); then
            echo "$found" | head -n 1 | cut -d: -f1
            return
        fi
    done
    echo "image-tree: no package has $1" >&2
    return 1
}

record() {
    [ ! -e "$out/var/lib/dpkg/status.d/$1" ] || return 0
    dpkg-query -s "$1" >"$out/var/lib/dpkg/status.d/$1"
    if [ -e "/usr/share/doc/$1/copyright" ]; then
        mkdir -p "$out/usr/share/doc/$1"
        cp -L "/usr/share/doc/$1/copyright" "$out/usr/share/doc/$1/"
    fi
}

# The libraries of a program, their own included, by the names under which they are loaded.
libraries_of() { ldd "$1" | sed -n 's/.* => \(\/[^ ]*\) (0x.*/\1/p'; }

add_libraries() {
    libraries_of "$1" | while read -r library; do
        package=$(package_of "$library")
        if grep -qx "$package" "$base"; then
            continue
        fi
        cp -L "$library" "$libs/$(basename "$library")"
        record "$package"
    done
}

for program in "$@"; do
    case $program in
    */*) ;; # lies in OUT already, where it belongs
    *)
        cp "build/release/bin/$program" "$out/usr/local/bin/"
        program=$out/usr/local/bin/$program
        ;;
    esac
    strip --strip-unneeded "$program"
    add_libraries "$program"
done

# What TLS trusts, where OpenSSL and curl look for it.
cp -L /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/"
ln -sfn /etc/ssl/certs "$out/usr/lib/ssl/certs"
ln -sfn /etc/ssl/certs/ca-certificates.crt "$out/usr/lib/ssl/cert.pem"
record ca-certificates

# The user, 1000, and a directory of its own: a volume begins with this owner.
cp /etc/passwd /etc/group "$out/etc/"
echo 'cairn:x:1000:1000:Cairn:/var/lib/cairn:/usr/sbin/nologin' >>"$out/etc/passwd"
echo 'cairn:x:1000:' >>"$out/etc/group"
mkdir -p "$out/usr/share/doc/cairn"
cp LICENSE "$out/usr/share/doc/cairn/"
for folder in cairn cairn/data cairn/files cairn/audit cairn/backups cairn/fitted; do
    install -d -o 1000 -g 1000 -m 750 "$out/var/lib/$folder"
done
