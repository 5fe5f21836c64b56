/* rows_scan: whether msgpack is what it says, before anything is allocated for it. Any
 * thread. */
#ifndef GATEWAY_BOLT_ROWS_SCAN_H
#define GATEWAY_BOLT_ROWS_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bytes.h"

/* The value at `at` is whole; what extensions hold is not looked into. */
bool rows_scan(struct sh_bytes bytes, size_t at);

#endif
