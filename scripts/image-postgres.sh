#!/bin/sh
# image-postgres.sh OUT: PostgreSQL 17 into the tree of backup's image, made by
# scripts/image-tree.sh: the programs that cairn-backup runs, the server's own files and
# pgvector. Left out are JIT compilation (LLVM: 154 MB; drills run with jit=off), Debian's
# wrappers (Perl: 50 MB), and what only developers of extensions need.
set -eu

out=$1
version=17
programs=/usr/lib/postgresql/$version/bin
plugins=/usr/lib/postgresql/$version/lib

mkdir -p "$out$programs" "$out$plugins" "$out/usr/share/postgresql/$version"
for program in initdb postgres pg_ctl pg_dump pg_restore psql pg_basebackup \
    pg_verifybackup pg_receivewal pg_combinebackup pg_waldump pg_controldata pg_isready; do
    cp "$programs/$program" "$out$programs/"
    set -- "$@" "$out$programs/$program"
done
cp "$plugins"/*.so "$out$plugins/"
rm -f "$out$plugins"/llvmjit*.so "$out$plugins"/pgxs
cp -r "/usr/share/postgresql/$version/." "$out/usr/share/postgresql/$version/"
rm -rf "$out/usr/share/postgresql/$version/man"
for package in postgresql-$version postgresql-client-$version postgresql-$version-pgvector; do
    dpkg-query -s "$package" >"$out/var/lib/dpkg/status.d/$package"
    mkdir -p "$out/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$out/usr/share/doc/$package/"
done
if ! grep -qx tzdata "${BASE:-/base-packages}"; then # of the server and of BACKUP_TIMEZONE
    mkdir -p "$out/usr/share/zoneinfo"
    cp -r /usr/share/zoneinfo/. "$out/usr/share/zoneinfo/"
    dpkg-query -s tzdata >"$out/var/lib/dpkg/status.d/tzdata"
fi
for plugin in "$out$plugins"/*.so; do
    case $plugin in
    */plperl*.so | */plpython*.so | */pltcl*.so | */uuid-ossp.so | */sslinfo.so | \
        */pgxml.so) rm "$plugin" ;;
    esac
done
scripts/image-tree.sh "$@" "$out$plugins/vector.so"
