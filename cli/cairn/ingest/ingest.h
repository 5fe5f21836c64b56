/* ingest: the parts of `cairn ingest`. A run walks (walk.h), asks the ledger what is
 * known (ledger.h), and some threads send the rest (send.c), each with its own
 * connection; what comes of each file goes through the report (report.h). */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "cli/cairn/cli.h"
#include "cli/cairn/ingest/ledger.h"
#include "cli/cairn/ingest/walk.h"
#include "cli/cairn/watch.h"

/* What is said beside the files. */
struct ingest_plan {
    const char *collection; /* or NULL */
    json_t *metadata;       /* of every document */
    json_t *defaults;       /* of lines: {"collection"?, "metadata"?}; NULL: none */
    char as[LEDGER_HASH];   /* digest of all that */
    bool by_content;        /* ids are the server's: the same bytes, the same document */
    char *base;             /* ids are made of paths below it; NULL: of whole ones */
};

enum ingest_outcome {
    INGEST_STORED,
    INGEST_UNCHANGED, /* the server had it so */
    INGEST_SKIPPED,   /* the ledger had it so: nothing was sent */
    INGEST_PLANNED,   /* --dry-run */
    INGEST_FAILED,
    INGEST_OUTCOMES
};

/* What came of a file. */
struct ingest_result {
    enum ingest_outcome outcome;
    char document[LEDGER_ID];
    char job[LEDGER_ID];
    uint64_t chunks;
    uint64_t done; /* lines, of a file of lines */
    uint64_t failed;
    json_t *errors; /* of lines: [{"item","code","error"}], or NULL */
    char error[API_ERROR_MAX];
    char code[64];
    int halt; /* an exit code that ends the whole run; 0: go on */
};

/* The id of the document that the file is: the same file has the same one again, so that
 * it replaces itself, whoever sends it again. */
void ingest_id(const struct ingest_plan *plan, const char *path,
               char into[static LEDGER_ID]);

/* One thread's way to the server. */
struct sender {
    struct api *api;
    struct api_reply reply;
    const struct ingest_plan *plan;
    struct ledger *ledger; /* NULL: nothing is remembered */
    bool trusting;         /* what the ledger has need not be sent */
    watch_update *update;  /* hears of jobs of lines; or NULL */
    void *arg;
};

/* Sends the file, unless the ledger knows it, and waits until it is stored.
 * result->errors is let go by the caller. */
void send_file(struct sender *sender, const struct walk_file *file,
               struct ingest_result *result);

/* Whether the ledger has the file as it is now. */
bool send_is_known(const struct sender *sender, const struct walk_file *file,
                   const char *id, struct ledger_entry *entry);

#endif
