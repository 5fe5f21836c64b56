#!/bin/sh
# Install what Cairn needs from Debian, by package name. Does nothing when all is there.
#   scripts/deps.sh [--check] [build] [run] [test] [deploy] [models] [lint] [bench] [faults]
# --check only says what is missing (exit 1). Works on bookworm and trixie.
set -eu

have_version() { apt-cache show "$1" >/dev/null 2>&1; }
installed() { dpkg-query -W -f '${db:Status-Abbrev}\n' "$1" 2>/dev/null | grep -q '^ii'; }

# The first of several names that this Debian release knows.
either() {
    for name in "$@"; do
        if installed "$name"; then echo "$name"; return; fi
    done
    for name in "$@"; do
        if have_version "$name"; then echo "$name"; return; fi
    done
    echo "$1"
}

names() {
    case $1 in
    build) echo gcc make pkg-config libc6-dev libuv1-dev libzmq3-dev libczmq-dev libpq-dev \
        libhiredis-dev libcurl4-openssl-dev libjansson-dev libutf8proc-dev libstemmer-dev \
        libssl-dev zlib1g-dev libroaring-dev libxxhash-dev libsodium-dev libzstd-dev libldap-dev libexpat1-dev libcmocka-dev \
        libopenblas-dev liblapacke-dev \
        libpoppler-glib-dev libzip-dev libxml2-dev libseccomp-dev libicu-dev libmd4c-dev libpcre2-dev libcsv-dev \
        "$(either libmsgpack-c-dev libmsgpack-dev)" "$(either libllhttp-dev node-llhttp)" ;;
    run) echo postgresql redis-server ca-certificates curl wordnet-base ;;
    test) echo spin nginx-light logrotate python3 python3-pytest python3-pytest-rerunfailures python3-psycopg2 prometheus slapd ldap-utils openssl fish groff-base zsh chromium ;;
    deploy) echo shellcheck prometheus prometheus-alertmanager prometheus-postgres-exporter \
        prometheus-redis-exporter python3-yaml ;;
    models) echo gcc spin ;;
    lint) echo clang-format clang-tidy cppcheck python3-flake8 shellcheck ;;
    faults) echo python3 iproute2 iptables faketime ;;
    fuzz) echo clang "$(either libclang-rt-19-dev libclang-rt-14-dev)" ;;
    bench) echo nginx-light wrk python3 g++ libhnswlib-dev python3-flask gunicorn \
        python3-psycopg2 python3-redis ;;
    *) echo "scripts/deps.sh: unknown group $1" >&2; exit 2 ;;
    esac
}

check=
[ "${1:-}" = --check ] && { check=1; shift; }
[ $# -gt 0 ] || set -- build run test
command -v apt-get >/dev/null || {
    echo "This is not a Debian system: install by hand what scripts/deps.sh lists." >&2
    exit 1
}

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo

# A fresh root has no package lists, and without them either() cannot choose.
if [ -z "$check" ] && ! have_version libuv1-dev; then
    $as_root apt-get update -q
fi

missing=
for group in "$@"; do
    for package in $(names "$group"); do
        installed "$package" || missing="$missing $package"
    done
done
# npm brings the built-in embedding model and builds the web pages; one that did not come from Debian will do.
case " $* " in
*" run "*) command -v npm >/dev/null || missing="$missing npm" ;;
esac
# The tests run two public clients from the npm registry.
case " $* " in
*" test "*)
    command -v node >/dev/null || missing="$missing nodejs"
    command -v npm >/dev/null || [ "${missing% npm}" != "$missing" ] || missing="$missing npm" ;;
esac

[ -n "$missing" ] || exit 0
if [ -n "$check" ]; then
    echo "missing:$missing (make deps installs them)"
    exit 1
fi
if [ -n "$as_root" ] && ! command -v sudo >/dev/null; then
    echo "missing:$missing" >&2
    echo "Neither root nor sudo is at hand. As root: apt-get install$missing" >&2
    exit 1
fi

# The stack runs servers of its own: those that Debian's packages would start are not wanted.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 755 $policy
    trap '$as_root rm -f $policy' EXIT INT TERM
fi
echo "installing:$missing"
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends $missing; then
    $as_root apt-get update -q
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends $missing
fi
