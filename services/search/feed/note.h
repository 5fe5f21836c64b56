/* note: what a snapshot of the view says of the record that it shows, and whether the
 * record at hand can be followed from there. Pure. */
#ifndef SEARCH_NOTE_H
#define SEARCH_NOTE_H

#include <stdbool.h>

#include "shared/buffer.h"
#include "shared/changefeed.h"

enum { RECORD_IDENTITY = 160 };

/* The record as the database tells it. */
struct record_state {
    /* Another one when rows, or numbers of transactions, may be others than were seen:
     * cluster, timeline, database, tables, and what is read of them. "": not known, then
     * nothing can be followed from a snapshot. No blanks. */
    char identity[RECORD_IDENTITY + 1];
    struct sh_changefeed_position horizon; /* the last change that was trimmed */
    uint64_t after; /* no transaction has this number or a greater one yet */
};

struct note {
    struct sh_changefeed_position position;
    char identity[RECORD_IDENTITY + 1];
    char sample[257]; /* some document's title, or "" */
};

void note_write(const struct note *note, struct sh_buffer *out);
/* False when it is none. */
bool note_read(const char *text, struct note *out);

/* NULL: the record can be followed from there. Else why not: "database", "trimmed". */
const char *note_refused(const struct note *note, const struct record_state *record);

#endif
