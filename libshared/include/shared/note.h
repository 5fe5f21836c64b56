/* note: what a snapshot of a view says of the record that it shows, and whether the
 * record at hand can be followed from there. Pure. */
#ifndef SHARED_NOTE_H
#define SHARED_NOTE_H

#include <stdbool.h>

#include "shared/buffer.h"
#include "shared/changefeed.h"

enum { SH_RECORD_IDENTITY = 160 };

/* The record as the database tells it. */
struct sh_record_state {
    /* Another one when rows, or numbers of transactions, may be others than were seen:
     * cluster, timeline, database, tables, and what is read of them. "": not known, then
     * nothing can be followed from a snapshot. No blanks. */
    char identity[SH_RECORD_IDENTITY + 1];
    struct sh_changefeed_position horizon; /* the last change that was trimmed */
    uint64_t after; /* no transaction has this number or a greater one yet */
};

struct sh_note {
    struct sh_changefeed_position position;
    char identity[SH_RECORD_IDENTITY + 1];
    char sample[257]; /* what the service wants to know again, or "" */
};

void sh_note_write(const struct sh_note *note, struct sh_buffer *out);
/* False when it is none. */
bool sh_note_read(const char *text, struct sh_note *out);

/* NULL: the record can be followed from there. Else why not: "database", "trimmed". */
const char *sh_note_refused(const struct sh_note *note,
                            const struct sh_record_state *record);

#endif
