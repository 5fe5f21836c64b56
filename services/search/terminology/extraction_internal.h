/* extraction_internal: a run of the job, for its own files only. */
#ifndef SEARCH_EXTRACTION_INTERNAL_H
#define SEARCH_EXTRACTION_INTERNAL_H

#include "services/search/generations/runner.h"
#include "services/search/query/record_call.h"
#include "services/search/terminology/extraction.h"
#include "services/search/terminology/phrases.h"

enum { GROUPS_PARAMS = 1 + RECORD_RIGHTS + 2 };

struct group { /* documents of the same rights and language */
    struct sh_bytes clearance;
    struct sh_bytes department;
    struct sh_bytes language;
    uint64_t documents;
};

enum phase { GROUPS, READING, STORING };

struct extraction {
    struct runner runner;
    struct extractor *extractor;
    enum phase phase;
    struct sh_arena arena; /* of the job, and the groups */
    struct caller caller;
    struct sh_pg_param params[GROUPS_PARAMS];
    bool everything; /* neither a document nor a collection was named */
    uint32_t frequency;
    uint32_t most;
    struct group *groups;
    size_t group_count;
    size_t group; /* in hand */
    /* of the group */
    struct phrases *phrases;
    struct sh_arena texts;
    struct sh_bytes *documents; /* ids, by the number that phrases know them by */
    size_t document_count;
    struct sh_bytes after; /* the last document that was read, and its section */
    uint32_t ordinal;
    PGresult *rows;
    struct phrase *found;
    size_t found_count;
    size_t stored;
    enum sh_err err;
    /* of all groups */
    uint64_t read;
    uint64_t total;
    uint64_t candidates;
    uint64_t missed;
    char cursor[160];
};

/* --- extraction_group.c ----------------------------------------------------------- */

/* The next page of the group in hand; then, when it was the last, the group is ranked. */
void extraction_read(struct extraction *self);
/* The next rows; the last of them say that the group is done. */
void extraction_store(struct extraction *self);
/* What it holds of the group goes. */
void extraction_leave(struct extraction *self);
struct sh_bytes extraction_cursor(struct extraction *self);
void extraction_next(struct runner *runner, enum sh_err err);

#endif
