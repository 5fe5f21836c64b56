/* pack: values as msgpack and back (proto/messages/cypher.h says how). */
#ifndef CYPHER_PACK_H
#define CYPHER_PACK_H

#include "services/graph/cypher/value.h"
#include "shared/buffer.h"

enum cy_extension { CY_EXT_NODE = 1, CY_EXT_RELATIONSHIP = 2, CY_EXT_PATH = 3 };

/* Appends a value; dates, times and durations as their text. Failures of `out` stick
 * there; others are the env's. */
bool cy_pack(struct cy_env *env, struct cy_value value, struct sh_buffer *out);
void cy_pack_array(struct sh_buffer *out, uint32_t count);
/* A map of parameters from bytes that nobody has checked; nothing at all is no parameter.
 * Text borrows from `bytes`. Fails with CY_ARGUMENTS. */
bool cy_unpack_parameters(struct cy_env *env, struct sh_bytes bytes,
                          struct cy_value *out);

#endif
