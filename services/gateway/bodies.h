/* bodies: what the bodies of requests say that come again and again, so that they are not
 * parsed again. Belongs to one loop, and so do the JSON values in it. */
#ifndef GATEWAY_BODIES_H
#define GATEWAY_BODIES_H

#include <jansson.h>

#include "services/gateway/schema.h"

enum { BODIES_COUNT = 256, BODIES_BYTES = 2048, BODIES_STRUCT = 512 };

struct bodies;

/* NULL when out of memory. */
struct bodies *bodies_create(void);
/* NULL is fine. */
void bodies_free(struct bodies **self);

/* What schema_read() made of these very bytes: fills `into` and gives a hold on the JSON
 * that its texts borrow from, which the caller lets go. NULL: they are not known. */
json_t *bodies_find(struct bodies *self, const struct schema *schema,
                    struct sh_bytes bytes, void *into);
/* What is too long is passed over, and so is what holds an array, which lies elsewhere.
 * Nobody may change the JSON any more. */
void bodies_keep(struct bodies *self, const struct schema *schema, struct sh_bytes bytes,
                 json_t *json, const void *body);

#endif
