/* postings: in which passages a term stands and how often in each field, as a byte string
 * (about three bytes a posting). Only ever appended to in ascending order of passage
 * numbers; passages that are gone are passed over and squeezed out later, in place. One
 * writer; readers while nobody writes. */
#ifndef SEARCH_POSTINGS_H
#define SEARCH_POSTINGS_H

#include "shared/bytes.h"
#include "shared/err.h"

enum text_field { TEXT_TITLE, TEXT_HEADING, TEXT_BODY, TEXT_FIELDS };

struct posting {
    uint32_t passage;
    uint32_t tf[TEXT_FIELDS];
};

enum { POSTINGS_SMALL = 8 };

struct postings { /* {0} is an empty list */
    uint32_t count;
    uint32_t last; /* passage + 1 of the last one */
    uint32_t len;
    uint32_t capacity; /* 0: the bytes are in `small` */
    union {
        uint8_t *data;
        uint8_t small[POSTINGS_SMALL];
    };
};

/* posting.passage is above every one before. Errors: SH_NOMEM, SH_TOOBIG; then unchanged.
 */
SH_CHECK enum sh_err postings_append(struct postings *list,
                                     const struct posting *posting);
/* Give each passage the number renumber[passage]; those of UINT32_MAX go. The new numbers
 * keep the order and none is above its old one. Never fails. */
void postings_squeeze(struct postings *list, const uint32_t *renumber);
/* As above with the numbers kept: passages with gone[passage] == UINT32_MAX go. */
void postings_prune(struct postings *list, const uint32_t *gone);
void postings_free(struct postings *list);
size_t postings_bytes(const struct postings *list);

struct postings_cursor {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t last;
};

struct postings_cursor postings_read(const struct postings *list);
/* False at the end. */
bool postings_next(struct postings_cursor *cursor, struct posting *posting);

#endif
