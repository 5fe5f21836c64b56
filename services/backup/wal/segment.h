/* segment: positions in PostgreSQL's write-ahead log and the names of its files: 24
 * digits of hex, timeline, then the number of the segment in two halves (XLogFileName of
 * PostgreSQL's access/xlog_internal.h). Pure; any thread. */
#ifndef BACKUP_SEGMENT_H
#define BACKUP_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SEGMENT_NAME = 25,
    LSN_TEXT = 24,
    SEGMENT_SIZE_LEAST = 1 << 20,
    SEGMENT_SIZE_MOST = 1 << 30
};

struct segment {
    uint32_t timeline;
    uint64_t number; /* position / size */
};

/* A size that PostgreSQL can have: a power of two from 1 MB to 1 GB. */
bool segment_size_ok(uint64_t size);
/* Exactly 24 digits; what follows them is another name. False: it is none. */
bool segment_parse(const char *name, uint64_t size, struct segment *out);
void segment_name(struct segment segment, uint64_t size, char out[static SEGMENT_NAME]);
/* "16/B374D848". False: it is none. */
bool lsn_parse(const char *text, uint64_t *out);
void lsn_text(uint64_t lsn, char out[static LSN_TEXT]);

#endif
