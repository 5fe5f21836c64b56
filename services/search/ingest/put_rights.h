/* put_rights: who may write what. Nobody stores a document that they could not read
 * afterwards, nor replaces one that they cannot read. Pure. */
#ifndef SEARCH_PUT_RIGHTS_H
#define SEARCH_PUT_RIGHTS_H

#include "proto/msg.h"

/* Whether a document of this level and department is within the caller's reach; a caller
 * without a role is a service itself, and everything is. */
bool put_is_within(const struct caller *caller, uint64_t clearance_level,
                   struct sh_bytes department);

#endif
