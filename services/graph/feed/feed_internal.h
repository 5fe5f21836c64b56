/* feed_internal: the feed's state; shared by feed.c (its life, following), feed_read.c
 * (pages and batches: read, then applied) and feed_restore.c (snapshots). */
#ifndef GRAPH_FEED_INTERNAL_H
#define GRAPH_FEED_INTERNAL_H

#include "services/graph/feed/feed.h"
#include "services/graph/feed/rows.h"
#include "shared/snapshot_keeper.h"

enum feed_state { IDENTIFYING, RESTORING, POSITIONING, NODES, EDGES, FOLLOWING };

struct feed {
    struct feed_options options;
    uv_loop_t *loop;
    enum feed_state state;
    bool reading;
    bool applying;
    bool again; /* load everything anew */
    bool closing;
    bool was_current;
    struct held_graph *graph;    /* for questions; NULL: none yet */
    struct held_graph *building; /* being loaded, or not current yet; NULL: none */
    struct sh_keeper *keeper;
    bool restored; /* from a snapshot: shown when it is current */
    struct sh_changefeed *changefeed;
    struct sh_changefeed_position start;
    char database[160];
    char after[257];       /* the last id of the page before */
    struct sh_arena arena; /* the batch */
    struct rows_changed changed;
    struct sh_buffer arrays[2];
    /* of the page or batch that is applied */
    PGresult *nodes;
    PGresult *edges;
    struct sh_work work;
    enum sh_err taken;
    uv_timer_t timer; /* tries again */
    uv_timer_t look;  /* until the graph is current */
};

/* Whether something else is to be done now than what was under way. */
bool feed_interrupted(struct feed *feed);
/* Go on, half a second later. */
void feed_retry(struct feed *feed);
/* Everything is loaded. */
void feed_follow(struct feed *feed);

/* feed_restore.c. Errors: SH_NOMEM. */
SH_CHECK enum sh_err feed_keep_snapshots(struct feed *feed);
/* What the record says of itself; then from a snapshot, or loaded. */
void feed_take_record(struct feed *feed, const struct sh_pg_reply *reply);

/* feed_read.c: whatever the state wants next. */
void feed_go_on(struct feed *feed);
/* The batch was taken, or is not wanted. */
void feed_end_batch(struct feed *feed);

#endif
