#include "proto/access.h"

static enum access_department judge_department(const struct caller *caller,
                                               uint64_t clearance_level,
                                               struct sh_bytes department)
{
    if (clearance_level <= ACCESS_PUBLIC_LEVEL)
        return ACCESS_NOT_ASKED;
    if (caller->all_departments)
        return ACCESS_ALL;
    if (department.len == 0 || caller->department.len == 0)
        return ACCESS_NONE;
    return sh_bytes_equal(department, caller->department) ? ACCESS_OWN : ACCESS_OTHER;
}

struct access access_judge(const struct caller *caller, uint64_t clearance_level,
                           struct sh_bytes department)
{
    struct access access = {.readable = true,
                            .clearance_ok = true,
                            .department_ok = true,
                            .department = ACCESS_ALL};

    if (caller->role.len == 0)
        return access;
    access.clearance_ok = clearance_level <= caller->clearance;
    access.department = judge_department(caller, clearance_level, department);
    access.department_ok = access.department <= ACCESS_OWN;
    access.readable = access.clearance_ok && access.department_ok;
    return access;
}
