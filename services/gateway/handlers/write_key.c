#include "services/gateway/handlers/write_key.h"

#include <openssl/evp.h>

enum { TEXT_MAX = 64, CALLER_MAX = 256 };

/* The same key of somebody else is another one. */
static bool digest(const struct caller *caller, struct sh_bytes text,
                   uint8_t key[static WRITE_KEY_BYTES])
{
    char both[CALLER_MAX + 1 + TEXT_MAX];
    unsigned char hash[EVP_MAX_MD_SIZE];
    struct sh_bytes who = caller->user_id;
    size_t len = who.len < CALLER_MAX ? who.len : CALLER_MAX;

    if (len > 0)
        memcpy(both, who.data, len);
    both[len++] = '\0';
    memcpy(both + len, text.data, text.len);
    if (EVP_Digest(both, len + text.len, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    memcpy(key, hash, WRITE_KEY_BYTES);
    return true;
}

bool write_key_read(struct exchange *x, struct write_key *out)
{
    struct sh_bytes text = sh_http_header(x->request, "Idempotency-Key");

    out->given = text.len > 0;
    if (text.len > TEXT_MAX) {
        exchange_invalid(x, "Idempotency-Key",
                         "Idempotency-Key must not be longer than %d bytes", TEXT_MAX);
        return false;
    }
    if (out->given && !digest(&x->caller, text, out->bytes)) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    return true;
}

const uint8_t *write_key_bytes(const struct write_key *key)
{
    return key->given ? key->bytes : NULL;
}
