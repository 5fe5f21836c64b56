/* asker: what bodies that look for something have in common: on whose behalf, and among
 * what. The loop of the exchange. */
#ifndef GATEWAY_ASKER_H
#define GATEWAY_ASKER_H

#include "services/gateway/exchange.h"
#include "services/gateway/identity.h"

enum { ASKER_FILTERS_BYTES = 65536 };

/* The caller becomes whom `user` (NULL: none is named) names, where that is allowed.
 * False: answered. */
SH_CHECK bool asker_identify(struct exchange *x, const struct identity_user *user);
/* The filters as compact JSON in the arena, members in order, so that the same ones are
 * the same; empty when there are none. False: answered. */
SH_CHECK bool asker_filters(struct exchange *x, json_t *filters, struct sh_bytes *out);

#endif
