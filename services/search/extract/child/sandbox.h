/* sandbox: what a process may do that reads files of strangers: compute, read and write
 * the descriptors 0, 1 and 2, and end. Everything else kills it, or fails where libraries
 * try it without harm (opening a file). There is no way back. */
#ifndef EXTRACT_SANDBOX_H
#define EXTRACT_SANDBOX_H

#include <stdint.h>

#include "shared/err.h"

struct sandbox_limits {
    uint32_t memory_mb; /* of data: heap, stacks, anonymous mappings; 0: no limit */
    uint32_t map_mb;    /* mapped in all beyond that: programs, the file */
    uint32_t cpu_s;
};

/* Dies with its parent, which must be `parent` (0: whoever it is); no other descriptors,
 * no environment, no core, no new rights, limits, and the filter of system calls last. To
 * be called before a byte of the file is looked at. Errors: SH_INTERNAL when any of it
 * cannot be had; then end at once. */
SH_CHECK enum sh_err sandbox_enter(const struct sandbox_limits *limits, int parent);

#endif
