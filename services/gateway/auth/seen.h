/* seen: credentials that were checked a moment ago, so that the next request does not pay
 * for it again. What is kept is a keyed hash of the credential and whom it stands for;
 * never beyond its end, never after what it was checked with changed (`generation`), and
 * never more than SEEN_MAX. One loop's own. */
#ifndef GATEWAY_SEEN_H
#define GATEWAY_SEEN_H

#include "services/gateway/auth/principal.h"

enum { SEEN_MAX = 2048 };

struct seen;

/* Errors: SH_NOMEM, SH_INTERNAL. */
SH_CHECK enum sh_err seen_create(struct seen **out);
/* NULL is fine. */
void seen_free(struct seen **self);
/* Borrowed until the next call; NULL when it is not known, or no longer. `now_ms` is wall
 * time. */
struct principal *seen_find(struct seen *self, struct sh_bytes credential,
                            uint64_t generation, uint64_t now_ms);
/* Until `until_ms` of wall time. Holds the principal; replaces what was used longest ago.
 */
void seen_put(struct seen *self, struct sh_bytes credential, uint64_t generation,
              uint64_t until_ms, struct principal *principal);
/* It was refused, or ended by its owner. */
void seen_forget(struct seen *self, struct sh_bytes credential);

#endif
