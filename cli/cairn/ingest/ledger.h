/* ledger: what was stored on one server, so that the next run need not send it again: a
 * file of JSON lines, to which each success is appended at once. A line that was cut off
 * by a crash is passed over; lines that are outdated are cleared away at opening, when
 * nobody else has it open. Any thread. */
#ifndef INGEST_LEDGER_H
#define INGEST_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

enum { LEDGER_HASH = 65, LEDGER_ID = 257 };

struct ledger;

struct ledger_entry {
    char as[LEDGER_HASH];     /* digest of what was said beside the file */
    char sha256[LEDGER_HASH]; /* of the bytes; empty: it changed while it was read */
    char document[LEDGER_ID]; /* the server's id of it */
    char job[LEDGER_ID];      /* that stored it, or is about to; empty: none */
    bool pending;             /* the job had not ended */
    uint64_t size;
    int64_t mtime_ns;
};

/* In `directory`, for the server. NULL after a message to stderr. */
struct ledger *ledger_open(const char *directory, const char *url);
void ledger_close(struct ledger **ledger);

/* False: nothing is known of it. */
bool ledger_find(struct ledger *self, const char *id, struct ledger_entry *entry);
/* `path` is for whoever reads the file. False: it could not be written. */
bool ledger_add(struct ledger *self, const char *id, const char *path,
                const struct ledger_entry *entry);

#endif
