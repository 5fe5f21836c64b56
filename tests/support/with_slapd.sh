#!/bin/sh
# with_slapd.sh COMMAND [ARGUMENT…]: runs the command beside a private slapd with a few users
# and groups, and stops it afterwards whatever happened. Exits as the command did. Set are
# TEST_LDAPI_URL (a Unix socket), TEST_LDAP_URL (a port of 127.0.0.1, StartTLS),
# TEST_LDAPS_URL, TEST_LDAP_CA (the certificate that both show) and TEST_LDAP_DIR.
set -u

die()
{
    echo "with_slapd.sh: $*" >&2
    exit 125
}

[ $# -gt 0 ] || die "usage: with_slapd.sh COMMAND [ARGUMENT…]"
PATH=$PATH:/usr/sbin
command -v slapd >/dev/null || die "no slapd; install the package slapd"

dir=$(mktemp -d "${TMPDIR:-/tmp}/cairn-ldap.XXXXXX") || die "no temporary directory"
pid=
cleanup()
{
    trap '' INT TERM HUP
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir "$dir/data"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 2 \
    -subj /CN=localhost -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" \
    >"$dir/openssl.log" 2>&1 || die "openssl: $(cat "$dir/openssl.log")"

cat >"$dir/slapd.conf" <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile $dir/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCertificateFile $dir/cert.pem
TLSCertificateKeyFile $dir/key.pem
database mdb
maxsize 16777216
suffix "dc=example,dc=org"
rootdn "cn=root,dc=example,dc=org"
rootpw root-secret
directory $dir/data
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=people,dc=example,dc=org"
    by dn.exact="cn=reader,dc=example,dc=org" read
    by self read
    by anonymous auth
    by * none
access to * by dn.exact="cn=reader,dc=example,dc=org" read by users read by anonymous auth
END

cat >"$dir/data.ldif" <<END
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: cn=reader,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader-secret

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: uid=ann,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann
sn: A
departmentNumber: IT Services
l: King's Buildings
userPassword: Ann-secret-1

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: B
userPassword: Bob-secret-1

dn: uid=o\\2c neil (jr)\\2a,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: o, neil (jr)*
cn: Odd
sn: O
departmentNumber: Library
userPassword: Odd-secret-1

dn: uid=twin,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: T
userPassword: Twin-secret-1

dn: ou=more,ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: more

dn: uid=twin,ou=more,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin
cn: Other twin
sn: T
userPassword: Twin-secret-1

dn: cn=Staff,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: Staff
member: uid=ann,ou=people,dc=example,dc=org
member: uid=o\\2c neil (jr)\\2a,ou=people,dc=example,dc=org

dn: cn=admins,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: admins
member: uid=ann,ou=people,dc=example,dc=org
END

# memberOf comes with writing through the server, not with slapadd.
tries=0
while :; do
    port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 20000))
    urls="ldapi://$(echo "$dir/ldapi" | sed 's,/,%2F,g')"
    urls="$urls ldap://127.0.0.1:$port ldaps://127.0.0.1:$((port + 1))"
    slapd -f "$dir/slapd.conf" -h "$urls" -d 0 >"$dir/slapd.log" 2>&1 &
    pid=$!
    waited=0
    while kill -0 "$pid" 2>/dev/null && [ $waited -lt 400 ]; do
        [ -S "$dir/ldapi" ] && ldapwhoami -x -H "${urls%% *}" >/dev/null 2>&1 && break 2
        waited=$((waited + 1))
        sleep 0.05
    done
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    tries=$((tries + 1))
    [ $tries -lt 5 ] || die "slapd: $(cat "$dir/slapd.log")"
done
ldapadd -x -H "${urls%% *}" -D cn=root,dc=example,dc=org -w root-secret -f "$dir/data.ldif" \
    >"$dir/add.log" 2>&1 || die "ldapadd: $(cat "$dir/add.log")"

TEST_LDAPI_URL=${urls%% *}
TEST_LDAP_URL=ldap://127.0.0.1:$port
TEST_LDAPS_URL=ldaps://127.0.0.1:$((port + 1))
TEST_LDAP_CA=$dir/cert.pem
TEST_LDAP_DIR=$dir
export TEST_LDAPI_URL TEST_LDAP_URL TEST_LDAPS_URL TEST_LDAP_CA TEST_LDAP_DIR
"$@"
