#include "tls_ticket.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static bool make_key(struct tls_ticket_key *key, uint64_t now_ms)
{
    key->made_ms = now_ms;
    key->valid = RAND_bytes(key->name, sizeof(key->name)) == 1 &&
                 RAND_priv_bytes(key->aes, sizeof(key->aes)) == 1 &&
                 RAND_priv_bytes(key->hmac, sizeof(key->hmac)) == 1;
    return key->valid;
}

/* Keys change when one is needed, not by a timer: an idle server does not wake. */
static void rotate(struct tls_tickets *self, uint64_t now_ms)
{
    if (self->now.valid && now_ms - self->now.made_ms < self->life_ms)
        return;
    bool recent = self->now.valid && now_ms - self->now.made_ms < 2 * self->life_ms;
    if (recent)
        self->before = self->now;
    else
        OPENSSL_cleanse(&self->before, sizeof(self->before));
    (void)make_key(&self->now, now_ms); /* not valid: no tickets */
}

bool tls_tickets_open(struct tls_tickets *self, uint32_t life_s)
{
    *self = (struct tls_tickets){.life_ms = (uint64_t)life_s * 1000};
    return pthread_mutex_init(&self->lock, NULL) == 0;
}

void tls_tickets_close(struct tls_tickets *self)
{
    OPENSSL_cleanse(&self->now, sizeof(self->now));
    OPENSSL_cleanse(&self->before, sizeof(self->before));
    pthread_mutex_destroy(&self->lock);
}

static bool set_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac,
                                          sizeof(key->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int seal_with(struct tls_ticket_key *key, const struct tls_ticket_parts *parts)
{
    const EVP_CIPHER *aes = EVP_aes_256_cbc();
    if (!key->valid)
        return 0; /* no ticket */
    if (RAND_bytes(parts->iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
        EVP_EncryptInit_ex(parts->cipher, aes, NULL, key->aes, parts->iv) != 1 ||
        !set_mac(parts->mac, key))
        return -1;
    memcpy(parts->name, key->name, sizeof(key->name));
    return 1;
}

static int open_with(struct tls_tickets *self, const struct tls_ticket_parts *parts)
{
    struct tls_ticket_key *keys[] = {&self->now, &self->before};
    for (int i = 0; i < 2; i++) {
        struct tls_ticket_key *key = keys[i];
        if (!key->valid || memcmp(parts->name, key->name, sizeof(key->name)) != 0)
            continue;
        if (EVP_DecryptInit_ex(parts->cipher, EVP_aes_256_cbc(), NULL, key->aes,
                               parts->iv) != 1 ||
            !set_mac(parts->mac, key))
            return -1;
        return i == 0 ? 1 : 2; /* 2: and give a new one */
    }
    return 0; /* a whole handshake */
}

int tls_tickets_use(struct tls_tickets *self, uint64_t now_ms,
                    const struct tls_ticket_parts *parts, int seal)
{
    pthread_mutex_lock(&self->lock);
    rotate(self, now_ms);
    int result = seal ? seal_with(&self->now, parts) : open_with(self, parts);
    pthread_mutex_unlock(&self->lock);
    return result;
}
