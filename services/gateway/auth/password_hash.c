#include <stdlib.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "services/gateway/auth/password.h"

/* libsodium's interactive costs: 64 MiB, two passes. */
#define COST   crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEMORY crypto_pwhash_MEMLIMIT_INTERACTIVE

enum { DERIVED_MOST = 64, SCRYPT_MEMORY = 256 << 20, ROUNDS_MOST = 10000000 };

_Static_assert(PASSWORD_HASH >= crypto_pwhash_STRBYTES, "a hash fits");

/* Nobody's password, verified where there is no user. */
static char nobody[PASSWORD_HASH];

enum sh_err password_start(void)
{
    static const char text[] = "nobody's";
    if (sodium_init() < 0)
        return SH_INTERNAL;
    return password_hash(sh_bytes_of(text), nobody);
}

enum sh_err password_hash(struct sh_bytes password, char into[PASSWORD_HASH])
{
    memset(into, 0, PASSWORD_HASH);
    if (crypto_pwhash_str_alg(into, password.data, password.len, COST, MEMORY,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return SH_NOMEM;
    return SH_OK;
}

/* --- Werkzeug: METHOD $ salt $ hex ------------------------------------------------ */

struct werkzeug {
    unsigned long n; /* scrypt's, or the rounds */
    unsigned long r;
    unsigned long p;
    struct sh_bytes salt;
    unsigned char derived[DERIVED_MOST];
    size_t len;
    bool scrypt;
};

/* A number and the sign behind it. */
static bool read_number(const char **text, char end, unsigned long *into)
{
    char *rest = NULL;
    if (**text < '0' || **text > '9')
        return false;
    *into = strtoul(*text, &rest, 10); /* too large a one is refused by its use */
    if (*rest != end)
        return false;
    *text = rest + 1;
    return true;
}

static bool read_method(const char *text, struct werkzeug *into)
{
    static const char scrypt[] = "scrypt:";
    static const char pbkdf2[] = "pbkdf2:sha256:";
    into->scrypt = strncmp(text, scrypt, sizeof(scrypt) - 1) == 0;
    if (into->scrypt) {
        text += sizeof(scrypt) - 1;
        return read_number(&text, ':', &into->n) && read_number(&text, ':', &into->r) &&
               read_number(&text, '$', &into->p);
    }
    if (strncmp(text, pbkdf2, sizeof(pbkdf2) - 1) != 0)
        return false;
    text += sizeof(pbkdf2) - 1;
    return read_number(&text, '$', &into->n);
}

static bool read_werkzeug(const char *hash, struct werkzeug *into)
{
    const char *salt = strchr(hash, '$');
    const char *hex = salt ? strchr(salt + 1, '$') : NULL;
    if (!hex || !read_method(hash, into) || strlen(hex + 1) > 2L * DERIVED_MOST)
        return false;
    into->salt = (struct sh_bytes){salt + 1, (size_t)(hex - salt - 1)};
    const char *end = NULL;
    return sodium_hex2bin(into->derived, sizeof(into->derived), hex + 1, strlen(hex + 1),
                          NULL, &into->len, &end) == 0 &&
           *end == '\0' && into->len >= 16;
}

static bool derive(const struct werkzeug *from, struct sh_bytes password,
                   unsigned char *into)
{
    if (from->scrypt)
        return EVP_PBE_scrypt(password.data, password.len, from->salt.data,
                              from->salt.len, from->n, from->r, from->p, SCRYPT_MEMORY,
                              into, from->len) == 1;
    return from->n > 0 && from->n <= ROUNDS_MOST &&
           PKCS5_PBKDF2_HMAC(password.data, (int)password.len, from->salt.data,
                             (int)from->salt.len, (int)from->n, EVP_sha256(),
                             (int)from->len, into) == 1;
}

static bool verify_werkzeug(const struct werkzeug *hash, struct sh_bytes password)
{
    unsigned char derived[DERIVED_MOST];
    bool good = derive(hash, password, derived) &&
                sodium_memcmp(derived, hash->derived, hash->len) == 0;
    sodium_memzero(derived, sizeof(derived));
    return good;
}

/* -------------------------------------------------------------------------------------
 */

static bool is_ours(const char *hash)
{
    return strncmp(hash, "$argon2id$", 10) == 0 && strlen(hash) < PASSWORD_HASH;
}

struct password_verdict password_verify(const char *hash, struct sh_bytes password)
{
    struct password_verdict verdict = {0};
    struct werkzeug old = {0};
    bool known = hash != NULL && password.len <= PASSWORD_MOST;
    if (known && !is_ours(hash) && read_werkzeug(hash, &old)) {
        verdict.good = verify_werkzeug(&old, password);
        verdict.outdated = true;
        return verdict;
    }
    known = known && is_ours(hash);
    bool same =
        crypto_pwhash_str_verify(known ? hash : nobody, password.data,
                                 password.len <= PASSWORD_MOST ? password.len : 0) == 0;
    verdict.good = known && same;
    verdict.outdated =
        verdict.good && crypto_pwhash_str_needs_rehash(hash, COST, MEMORY) != 0;
    return verdict;
}
