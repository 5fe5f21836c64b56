/* access: who may read what has a clearance and a department. Writing asks this, an
 * explanation shows it; searches say the same in bitmaps (filter/filter_parse.c), the
 * record in SQL (proto/readable.h), and tests hold the three against each other. Pure. */
#ifndef PROTO_ACCESS_H
#define PROTO_ACCESS_H

#include "proto/msg.h"

enum { ACCESS_PUBLIC_LEVEL = 2 }; /* up to here the department does not matter */

enum access_department { /* why the rule of departments holds or does not */
                         ACCESS_NOT_ASKED, /* the document is public enough */
                         ACCESS_ALL,       /* the caller reaches all departments */
                         ACCESS_OWN,       /* it is the caller's */
                         ACCESS_OTHER,     /* it is another one */
                         ACCESS_NONE,      /* the document has none, or the caller */
};

struct access {
    bool readable; /* both of the following */
    bool clearance_ok;
    bool department_ok;
    enum access_department department;
};

/* A caller without a role is a service itself: everything is within its reach. */
struct access access_judge(const struct caller *caller, uint64_t clearance_level,
                           struct sh_bytes department);

#endif
