/* shelf: answers kept in memory, the least recently used ones dropped when their bytes
 * exceed the limit. Shared by all loops: it is in parts, each with a lock that is held
 * for some hundred nanoseconds. Any thread. */
#ifndef GATEWAY_CACHE_SHELF_H
#define GATEWAY_CACHE_SHELF_H

#include "services/gateway/cache/kept.h"

struct shelf;
struct shelf_item;

/* max_bytes 0 keeps nothing. Errors: SH_NOMEM. */
SH_CHECK enum sh_err shelf_create(size_t max_bytes, struct shelf **out);
/* Nobody may hold an item any more. */
void shelf_free(struct shelf **self);

/* NULL when there is none, or none that has not expired at `now_ms` (Unix); else let it
 * go with shelf_release(). */
struct shelf_item *shelf_get(struct shelf *self, const struct kept_key *key,
                             uint64_t now_ms);
struct sh_bytes shelf_item_bytes(const struct shelf_item *item);
void shelf_release(struct shelf_item *item);

/* `bytes` as kept_end() made them are copied; too long ones, and those for which there is
 * no memory, are not kept: it is a cache. */
void shelf_put(struct shelf *self, const struct kept_key *key, struct sh_bytes bytes);
/* Returns how many there were. */
size_t shelf_clear(struct shelf *self);
void shelf_figures(struct shelf *self, size_t *items, size_t *bytes);

#endif
