#include "services/search/ingest/put_rights.h"

enum { PUBLIC_LEVEL = 2 };

bool put_is_within(const struct caller *caller, uint64_t clearance_level,
                   struct sh_bytes department)
{
    if (caller->role.len == 0)
        return true;
    if (clearance_level > caller->clearance)
        return false;
    return clearance_level <= PUBLIC_LEVEL || caller->all_departments ||
           (department.len > 0 && sh_bytes_equal(department, caller->department));
}
