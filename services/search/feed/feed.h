/* feed: keeps the view as the record is. Starts from a snapshot, or loads everything page
 * by page; then follows the changefeed and writes snapshots; what the view takes happens
 * on a thread of its own, never on the loop. A feed that fell behind, or whose model
 * changed, loads a second view and swaps it in, so that queries always have one. Loop
 * thread only. */
#ifndef SEARCH_FEED_H
#define SEARCH_FEED_H

#include "services/search/feed/held.h"
#include "services/search/ingest/model.h"
#include "shared/changefeed.h"
#include "shared/snapshot_keeper.h"
#include "shared/workers.h"

struct feed;

struct feed_options {
    struct sh_pg *pg;
    const struct sh_pg_config *pg_config;
    struct sh_workers *writer;  /* one thread */
    struct sh_workers *builder; /* one more, for a view beside the one that is searched;
                                   NULL: the same */
    struct view_options view;
    const struct model *model; /* in use; read whenever loading starts */
    uint32_t outbox_keep_s;    /* 0: the changefeed's own */
    uint32_t outbox_keep_rows; /* the same */
    const char *data_dir;      /* for snapshots; "", NULL: none. Borrowed for create */
    uint32_t snapshot_s;       /* how often one is written, when anything changed */
    void (*state_changed)(void *arg); /* loaded, current, rebuilding */
    void (*moved)(void *arg); /* as that, and after every change that the view has taken,
                                 before anybody who waits for it; NULL: nobody */
    void *arg;
};

SH_CHECK enum sh_err feed_create(uv_loop_t *loop, const struct feed_options *options,
                                 struct feed **out);
/* Load everything (again): at the start, and when the model changed. */
void feed_rebuild(struct feed *feed);
/* The model whose vectors the view that is searched holds; all zero before there is one.
 * Another one from the moment on that another view is searched. */
const struct model *feed_model(const struct feed *feed);
/* Never NULL; let it go with held_release(). */
struct held_view *feed_hold(struct feed *feed);

/* A whole view is there; it stays so while another one is loaded. */
bool feed_loaded(const struct feed *feed);
/* Loaded, and everything committed before the start of following is in it. */
bool feed_current(const struct feed *feed);
/* What is searched may be older than searches are meant to show. */
bool feed_behind(const struct feed *feed);
struct sh_changefeed_position feed_position(const struct feed *feed);
/* A number for what the view shows, the same on every replica that shows the same; 0: the
 * view does not follow the record at the moment. What is searched is at least as new. */
uint64_t feed_generation(const struct feed *feed);
/* Some document's title, "" when there is none: what a self-test may look for. */
const char *feed_sample(const struct feed *feed);

/* What is known of snapshots. */
struct sh_keeper_state feed_snapshots(const struct feed *feed);
/* Before an end: `done` when the snapshot shows what the view shows, or cannot; perhaps
 * at once. Once only. */
void feed_drain(struct feed *feed, void (*done)(void *arg), void *arg);

/* `done` once the view shows transaction `xid`, at the deadline, or at close. Errors:
 * SH_UNAVAILABLE while nothing is followed; `done` is then never called. */
SH_CHECK enum sh_err feed_wait(struct feed *feed, uint64_t xid, uint64_t deadline_ms,
                               void (*done)(void *arg, enum sh_err err), void *arg);
void feed_close(struct feed **feed);

#endif
