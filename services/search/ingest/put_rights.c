#include "services/search/ingest/put_rights.h"

#include "proto/access.h"

bool put_is_within(const struct caller *caller, uint64_t clearance_level,
                   struct sh_bytes department)
{
    return access_judge(caller, clearance_level, department).readable;
}
