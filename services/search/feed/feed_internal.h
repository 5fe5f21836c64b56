/* feed_internal: the inside of the feed, for its own files only. */
#ifndef SEARCH_FEED_INTERNAL_H
#define SEARCH_FEED_INTERNAL_H

#include "services/search/feed/apply.h"
#include "services/search/feed/feed.h"

/* At the start the record says which one it is, and a snapshot of it is tried; else all
 * documents are walked into `building`. Following walks those of a batch of changes into
 * `view`. Either way it goes page by page. */
enum feed_state { STOPPED, IDENTIFYING, RESTORING, POSITIONING, LOADING, FOLLOWING };

/* How far a walk has come. */
struct feed_cursor {
    struct changed_ids slice; /* while following: of the batch */
    size_t sliced;            /* the same: changed ones up to its end */
    char after[257];          /* the last document; "": none yet */
    bool ended;               /* none stands behind it, of the slice or of all */
};

struct feed_page {
    PGresult *rows; /* NULL: no page */
    struct feed_cursor behind;
};

struct feed {
    struct feed_options options;
    uv_loop_t *loop;
    enum feed_state state;
    uint32_t dimension; /* of the view that is fed */
    char fingerprint[MODEL_FINGERPRINT_MAX + 1];
    struct model model; /* that one */
    struct model shown; /* of the view that is searched */
    char database[160]; /* that `start` is of; "": what the record says now */
    char sample[257];
    bool again; /* start over as soon as nothing is under way */
    bool closing;
    bool reading;   /* a database call holds `this` */
    bool applying;  /* so does the writer */
    bool backwards; /* what is being read will be read again */
    bool loaded;
    bool restored; /* what is followed began as a snapshot */
    bool was_current;
    struct held_view *view;     /* what queries see */
    struct held_view *building; /* what queries will see */
    struct sh_changefeed_position start;
    struct sh_changefeed *changefeed;
    uint64_t followed_us; /* since when */
    size_t caught_up;     /* documents that changed until it was current */
    /* the batch of changes, or nothing while loading */
    struct sh_arena arena;
    struct changed_ids changed;
    struct sh_buffer id_array;
    /* the walk: what was asked for, what is in the view */
    struct feed_cursor asked;
    struct feed_cursor applied;
    struct feed_page arrived; /* waits until `page` is in the view */
    struct feed_page page;
    struct sh_work work;
    struct apply_outcome outcome;
    enum sh_err taken;
    struct sh_keeper *keeper; /* of snapshots */
    uv_timer_t timer;         /* tries again */
    uv_timer_t look;          /* until the view is current */
};

/* --- feed.c ----------------------------------------------------------------------- */

/* True when the caller must return at once: closing, or everything begins anew. */
bool feed_interrupted(struct feed *feed);
/* Whoever keeps what was found must know. */
void feed_moved(const struct feed *feed);
/* What is being done is tried again in a moment. */
void feed_retry(struct feed *feed);
void feed_end_batch(struct feed *feed);
/* Whether it is current by now. */
void feed_look(struct feed *feed);
/* Changes since `start` go into `building`, which is what queries see from now on, or,
 * when it was restored, once it is current. */
void feed_follow(struct feed *feed);
/* All documents into `building`. */
void feed_load(struct feed *feed);
/* What is loaded now is made beside a view that is searched. */
bool feed_beside(const struct feed *feed);
/* True when that was what did not work: all begins anew with the vectors in memory. */
bool feed_without_rows(struct feed *feed, enum sh_err err);

/* --- feed_pages.c ----------------------------------------------------------------- */

void feed_ask(struct feed *feed, const struct sh_pg_step *step, sh_pg_done_fn *done);
/* Whatever the walk can do now: apply, read, end. */
void feed_go_on(struct feed *feed);
void feed_drop_page(struct feed_page *page);

/* --- feed_restore.c --------------------------------------------------------------- */

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err feed_keep_snapshots(struct feed *feed);
/* A snapshot into `building`, then feed_follow(); without one feed_load(). */
void feed_restore(struct feed *feed);

#endif
