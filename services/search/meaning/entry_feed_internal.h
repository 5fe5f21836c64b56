/* entry_feed_internal: the inside of entry_feed, for its own files only. */
#ifndef SEARCH_ENTRY_FEED_INTERNAL_H
#define SEARCH_ENTRY_FEED_INTERNAL_H

#include "services/search/meaning/entry_feed.h"
#include "services/search/meaning/entry_sql.h"
#include "services/search/meaning/entry_vector.h"

enum {
    LOOK_MS = 1000,
    RETRY_MS = 3000,
    READ_MS = 30000,
    EMBED_MS = 60000,
    AT_ONCE = 256, /* entries */
    ID_BYTES = 256,
    POSITION_BYTES = 32,
    DEAD_MOST = 10000, /* and more than half: a new set */
};

struct names { /* of entries that are to be looked at */
    char **items;
    size_t count;
    size_t capacity;
};

/* One thing at a time: LOADING page after page, then, again and again: the changes, those
 * that changed, those that have no vector. */
struct entry_feed {
    struct entry_feed_options options;
    uv_timer_t timer;
    bool wanted;
    bool busy; /* a statement or an embedding is under way */
    bool closing;
    bool failing;       /* was told to the log */
    struct model model; /* of the set */
    struct held_entries *held;
    bool loaded;
    char after[ID_BYTES + 1];
    char position[POSITION_BYTES];
    struct names changed;
    struct names bare; /* without a vector */
    /* being embedded */
    struct embed_job *embedding;
    struct sh_arena arena;
    struct sh_bytes ids[AT_ONCE];
    struct sh_bytes texts[AT_ONCE];
    struct entry_facts facts[AT_ONCE];
    bool have[AT_ONCE];
    float *vectors;
    size_t count;
};

/* --- entry_names.c ---------------------------------------------------------------- */

void entry_names_clear(struct names *self);
void entry_names_free(struct names *self);
/* False: no memory. */
bool entry_names_add(struct names *self, struct sh_bytes name);
/* How many are looked at together: the last AT_ONCE, or all. */
size_t entry_names_some(const struct names *self);
void entry_names_drop(struct names *self, size_t some);
/* Those, as an array of PostgreSQL. */
void entry_names_array(const struct names *self, struct sh_buffer *out);

/* --- entry_feed.c ----------------------------------------------------------------- */

/* What was under way is over; the next thing after so long. */
void entry_feed_rest(struct entry_feed *self, uint64_t ms);
void entry_feed_fail(struct entry_feed *self, const char *why);
void entry_feed_run(struct entry_feed *self, const struct sh_pg_step *todo,
                    sh_pg_done_fn *done);
/* False: it failed, or nobody wants it any more; what comes next has been seen to. */
bool entry_feed_came(struct entry_feed *self, const struct sh_pg_reply *reply);
void entry_feed_look(struct entry_feed *self);

/* --- entry_rows.c ----------------------------------------------------------------- */

struct sh_bytes entry_feed_cell(const PGresult *rows, int row, int column);
void entry_feed_facts(const PGresult *rows, int row, struct entry_facts *out);
/* Into the set with its vector. False: it has none. */
bool entry_feed_put(struct entry_feed *self, const PGresult *rows, int row,
                    enum sh_err *err);

/* --- entry_make.c ----------------------------------------------------------------- */

/* Rows of entries that had no vector. Those that have one by now (another replica made
 * it) are put; the others embedded. */
void entry_feed_make(void *arg, const struct sh_pg_reply *reply);

#endif
