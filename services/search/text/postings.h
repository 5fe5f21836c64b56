/* postings: in which passages a term stands, how often in each field, and where. Blocks
 * of 128 that never change once they are full (numbers packed to as few bits as they
 * need, each block with bounds of what it holds), and a tail that grows. Only ever
 * appended to in ascending order of passage numbers. One writer; readers while nobody
 * writes. Reading is safe whatever the bytes are. */
#ifndef SEARCH_POSTINGS_H
#define SEARCH_POSTINGS_H

#include "services/search/text/pfor.h"
#include "services/search/text/varint.h"
#include "shared/err.h"

enum text_field { TEXT_TITLE, TEXT_HEADING, TEXT_BODY, TEXT_FIELDS };

enum { POSTINGS_BLOCK = PFOR_COUNT, POSTINGS_SMALL = 16 };

struct posting {
    uint32_t passage;
    uint32_t tf[TEXT_FIELDS];
    struct sh_bytes positions; /* varints: as many as the term occurs; of each field, the
                                  body first and the title last, the first position, then
                                  distances */
};

struct postings_block {
    uint32_t last;             /* passage */
    uint32_t end;              /* of its bytes */
    uint16_t least_body;       /* of the passages' lengths; at most the least one */
    uint8_t most[TEXT_FIELDS]; /* occurrences; UINT8_MAX: that many or more */
};

struct postings { /* {0} is an empty list */
    uint32_t count;
    uint32_t last; /* passage + 1 of the last one */
    uint32_t len;
    uint32_t capacity; /* 0: the bytes are in `small`, or elsewhere and borrowed where
                          they are more than that */
    union {
        struct {
            uint8_t *data;
            struct postings_block *blocks; /* borrowed or owned as `data` is */
        };
        uint8_t small[POSTINGS_SMALL];
    };
};

/* posting->passage is above every one before. bodies[passage]: the length of its body,
 * for this and all before. Errors: SH_NOMEM, SH_TOOBIG, SH_MALFORMED (a borrowed
 * list is nonsense); then unchanged. */
SH_CHECK enum sh_err postings_append(struct postings *list, const struct posting *posting,
                                     const uint32_t *bodies);
void postings_free(struct postings *list);
size_t postings_bytes(const struct postings *list);

static inline uint32_t postings_blocks(const struct postings *list)
{
    return list->count > 0 ? (list->count - 1) / POSTINGS_BLOCK : 0;
}

static inline const uint8_t *postings_data(const struct postings *list)
{
    return list->capacity > 0 || list->len > POSTINGS_SMALL ? list->data : list->small;
}

/* --- reading, a block at a time --------------------------------------------------- */

struct postings_cursor {
    const struct postings *list;
    uint32_t next;  /* block to read */
    uint32_t count; /* postings in the block that was read */
    uint32_t passages[POSTINGS_BLOCK];
    uint32_t tf[TEXT_FIELDS][POSTINGS_BLOCK]; /* after postings_counts() */
    bool counted;
    bool placed;
    const uint8_t *rest; /* of the block */
    const uint8_t *end;
    const uint8_t *places[POSTINGS_BLOCK]; /* where positions begin */
};

void postings_open(struct postings_cursor *cursor, const struct postings *list);
/* Passages of the next block; false at the end. */
bool postings_read(struct postings_cursor *cursor);
/* The block before which postings_read() stands is the first that ends at `passage` or
 * behind it. Only forward. */
void postings_seek(struct postings_cursor *cursor, uint32_t passage);
/* Reads on as far as needed: *at becomes the place in the block of the first posting of
 * `passage` or behind it, never going back; false: there is none. */
bool postings_advance(struct postings_cursor *cursor, uint32_t passage, uint32_t *at);
/* How often, for the block that was read. */
void postings_counts(struct postings_cursor *cursor);
/* The positions of its posting `at`, as in struct posting. */
struct sh_bytes postings_positions(struct postings_cursor *cursor, uint32_t at);

#endif
