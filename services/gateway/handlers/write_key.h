/* write_key: the Idempotency-Key of a request, as services keep it with what they store.
 * Loop thread only. */
#ifndef GATEWAY_WRITE_KEY_H
#define GATEWAY_WRITE_KEY_H

#include "services/gateway/exchange.h"

enum { WRITE_KEY_BYTES = 16 };

struct write_key {
    bool given;
    uint8_t bytes[WRITE_KEY_BYTES]; /* a digest of who asks and what they sent */
};

/* False: answered 400, it is longer than 64 bytes. */
SH_CHECK bool write_key_read(struct exchange *x, struct write_key *out);
/* For struct exchange_call and struct sh_rpc_request; NULL: none was given. */
const uint8_t *write_key_bytes(const struct write_key *key);

#endif
