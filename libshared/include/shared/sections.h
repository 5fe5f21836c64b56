/* sections: files made of sections, each at a multiple of 8 and with its XXH3, and a foot
 * that says where they are. Numbers are in the order of the machine that wrote them; on
 * another one the foot does not fit. A file that is torn, changed or of another version
 * is refused: whatever its bytes say, nothing outside of them is read. */
#ifndef SHARED_SECTIONS_H
#define SHARED_SECTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "shared/bytes.h"
#include "shared/err.h"

struct sh_section {
    uint64_t start;
    uint64_t len;
    uint64_t sum; /* XXH3 */
};

/* A foot begins with one, and ends with a uint64_t, the sum of what stands before; it has
 * an array of sections, no padding, and whatever else. */
struct sh_sections_mark {
    char magic[8];
    uint32_t version;
    uint32_t order;
};

struct sh_sections_kind {
    const char *magic; /* 8 bytes */
    uint32_t version;
    size_t foot;         /* its size */
    size_t sections;     /* where in it they are */
    size_t count;        /* of them */
    const size_t *units; /* of each: its length is a multiple of that */
    uint64_t most;       /* units that a section has; 0: any number */
};

/* --- writing ---------------------------------------------------------------------- */

struct XXH3_state_s;
struct sh_sections { /* the members are its own */
    FILE *file;
    struct XXH3_state_s *sum;
    uint64_t at;
    bool failed;
};

/* To an open file, from its beginning. Errors: SH_NOMEM. */
SH_CHECK enum sh_err sh_sections_open(FILE *file, struct sh_sections *out);
/* `section` is one of the foot's. Between the two come its bytes. */
void sh_section_begin(struct sh_sections *self, struct sh_section *section);
void sh_section_put(struct sh_sections *self, const void *data, size_t len);
void sh_section_end(struct sh_sections *self, struct sh_section *section);
/* The mark and the sum of a foot. */
void sh_sections_seal(const struct sh_sections_kind *kind, void *foot);
/* The foot, sealed; ends what sh_sections_open() began. `foot` NULL: only that. Errors:
 * SH_IO: something was not written. */
SH_CHECK enum sh_err sh_sections_close(struct sh_sections *self,
                                       const struct sh_sections_kind *kind, void *foot);

/* --- reading ---------------------------------------------------------------------- */

/* The foot at the end of `bytes`. False: it is none of that kind. */
SH_CHECK bool sh_sections_foot(const struct sh_sections_kind *kind, struct sh_bytes bytes,
                               void *foot);
/* Every section's bytes, borrowed. False: one is not as it was written. */
SH_CHECK bool sh_sections_read(const struct sh_sections_kind *kind, struct sh_bytes bytes,
                               const void *foot, struct sh_bytes *out);

#endif
