/* base64url: RFC 4648 section 5 without padding, as RFC 7515 wants it. Strict: every text
 * that is taken is the only one for its bytes. Pure. */
#ifndef GATEWAY_BASE64URL_H
#define GATEWAY_BASE64URL_H

#include "shared/bytes.h"
#include "shared/mem.h"

/* `out` lives in `arena`. False: not base64url, or out of memory. */
bool base64url_decode(struct sh_bytes text, struct sh_arena *arena, struct sh_bytes *out);
/* NUL-terminated, in `arena`; data NULL when out of memory. */
struct sh_bytes base64url_encode(struct sh_bytes bytes, struct sh_arena *arena);

#endif
