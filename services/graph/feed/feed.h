/* feed: keeps the graph in memory as the record is. Begins with a snapshot of it, or
 * loads all nodes, then all edges, page by page; and follows the changefeed; what the
 * graph takes happens on a thread of its own. A feed that fell behind loads a second
 * graph while questions go on to the first. Loop thread only. */
#ifndef GRAPH_FEED_H
#define GRAPH_FEED_H

#include "services/graph/feed/held.h"
#include "shared/changefeed.h"
#include "shared/workers.h"

struct feed;

struct feed_options {
    struct sh_pg *pg;
    const struct sh_pg_config *pg_config;
    struct sh_workers *writer;        /* one thread */
    const char *names;                /* properties that are names: see finder.h */
    const char *data_dir;             /* for snapshots; NULL, "": none */
    uint32_t snapshot_s;              /* between them; 0: only the first and the last */
    uint32_t outbox_keep_s;           /* 0: the changefeed's own */
    uint32_t outbox_keep_rows;        /* the same */
    void (*state_changed)(void *arg); /* loaded, current */
    void *arg;
};

/* Begins to load. Errors: SH_NOMEM. */
SH_CHECK enum sh_err feed_create(uv_loop_t *loop, const struct feed_options *options,
                                 struct feed **out);
/* The graph for a question; NULL while none is loaded. held_release() lets it go. */
struct held_graph *feed_hold(struct feed *feed);
/* A whole graph is there; it stays so while another one is loaded. */
bool feed_loaded(const struct feed *feed);
/* And everything committed before the start of following is in it. */
bool feed_current(const struct feed *feed);
/* The graph may be older than answers are meant to be. */
bool feed_behind(const struct feed *feed);
/* How far the record is in it. False: it is not followed at the moment. */
bool feed_position(const struct feed *feed, struct sh_changefeed_position *out);
/* `done` once the graph shows transaction `xid`, at the deadline, or at close. Errors:
 * SH_UNAVAILABLE while nothing is followed; `done` is then never called. */
SH_CHECK enum sh_err feed_wait(struct feed *feed, uint64_t xid, uint64_t deadline_ms,
                               void (*done)(void *arg, enum sh_err err), void *arg);
/* Write a last snapshot if it is worth it; `done` once, perhaps from inside this call. */
void feed_drain(struct feed *feed, void (*done)(void *arg), void *arg);
/* What is under way ends first; memory goes on a later loop turn. NULL is fine. */
void feed_close(struct feed **feed);

#endif
