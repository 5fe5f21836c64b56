/* uuid: ids as PostgreSQL writes them. Pure: any thread. */
#ifndef SHARED_UUID_H
#define SHARED_UUID_H

#include "shared/bytes.h"

enum { SH_UUID = 36 }; /* letters of one */

/* "018f3a5e-0c1d-7f6e-9a3b-1c2d3e4f5a6b", in small or capital letters. */
bool sh_uuid_valid(struct sh_bytes text);

#endif
