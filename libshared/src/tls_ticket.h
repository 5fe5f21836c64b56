/* tls_ticket: keys for session tickets (RFC 5077), changed every so often: whoever learns
 * today's cannot open what was recorded the day before. Any thread. */
#ifndef SHARED_TLS_TICKET_H
#define SHARED_TLS_TICKET_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_ticket_key {
    unsigned char name[16];
    unsigned char aes[32];
    unsigned char hmac[32];
    uint64_t made_ms;
    bool valid;
};

struct tls_tickets {
    pthread_mutex_t lock;
    uint64_t life_ms;
    struct tls_ticket_key now;
    struct tls_ticket_key before; /* opens tickets, and new ones are given for them */
};

bool tls_tickets_open(struct tls_tickets *self, uint32_t life_s);
void tls_tickets_close(struct tls_tickets *self);
/* What SSL_CTX_set_tlsext_ticket_key_evp_cb() hands over, and what it wants back, with
 * the time given. */
struct tls_ticket_parts {
    unsigned char *name; /* 16 bytes */
    unsigned char *iv;   /* EVP_MAX_IV_LENGTH */
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
};
int tls_tickets_use(struct tls_tickets *self, uint64_t now_ms,
                    const struct tls_ticket_parts *parts, int seal);

#endif
