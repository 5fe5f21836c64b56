#include <stdio.h>

#include "services/search/feed/feed_internal.h"

#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"

/* Many rows of the outbox at once: a document that changed often, or whose passages and
 * vectors did, too, is taken once. */
enum { RETRY_MS = 500, LOOK_MS = 20, BATCH = 50000 };

static void start_over(struct feed *feed);

/* --- life ------------------------------------------------------------------------- */

static void on_look_closed(uv_handle_t *handle)
{
    struct feed *feed = handle->data;

    sh_keeper_close(&feed->keeper);
    held_release(feed->view);
    held_release(feed->building);
    sh_arena_free(&feed->arena);
    sh_buffer_free(&feed->id_array);
    feed_drop_page(&feed->arrived);
    sh_free(feed);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct feed *feed = handle->data;

    uv_close((uv_handle_t *)&feed->look, on_look_closed);
}

/* A snapshot of the old view may be written on while a new one is loaded. */
static bool under_way(const struct feed *feed)
{
    return feed->reading || feed->applying ||
           (sh_keeper_busy(feed->keeper) && (feed->closing || feed->state == RESTORING));
}

bool feed_interrupted(struct feed *feed)
{
    if (under_way(feed))
        return feed->closing || feed->again;
    if (feed->closing) {
        uv_close((uv_handle_t *)&feed->timer, on_timer_closed);
        return true;
    }
    if (feed->again) {
        start_over(feed);
        return true;
    }
    return false;
}

static void on_retry(uv_timer_t *timer)
{
    struct feed *feed = timer->data;

    if (feed->state == LOADING || feed->state == FOLLOWING)
        feed_go_on(feed);
    else if (feed->state != STOPPED)
        start_over(feed);
}

void feed_moved(const struct feed *feed)
{
    if (feed->options.moved != NULL)
        feed->options.moved(feed->options.arg);
}

void feed_retry(struct feed *feed)
{
    uv_timer_start(&feed->timer, on_retry, RETRY_MS, 0);
}

/* --- following -------------------------------------------------------------------- */

void feed_end_batch(struct feed *feed)
{
    sh_arena_free(&feed->arena);
    sh_buffer_clear(&feed->id_array);
    feed->changed = (struct changed_ids){0};
    feed->asked = (struct feed_cursor){.ended = true};
    feed->applied = feed->asked;
    feed->backwards = false;
    feed_drop_page(&feed->arrived);
}

/* What was built is what queries see from now on. */
static void reveal(struct feed *feed)
{
    struct view_stats stats;

    held_retire(feed->view, feed->loop);
    feed->view = feed->building;
    feed->building = NULL;
    feed->loaded = true;
    feed->shown = feed->model;
    view_stats(feed->view->view, &stats);
    sh_info(NULL, "view loaded: %zu documents, %zu passages, %zu vectors",
            stats.documents, stats.chunks, stats.vectors);
    feed->options.state_changed(feed->options.arg);
    feed_moved(feed);
}

void feed_look(struct feed *feed)
{
    if (feed->state == FOLLOWING && feed->building != NULL && !feed->applying &&
        sh_changefeed_current(feed->changefeed))
        reveal(feed);
    bool current = feed_current(feed);
    if (current != feed->was_current) {
        feed->was_current = current;
        feed->options.state_changed(feed->options.arg);
        feed_moved(feed);
    }
}

static void on_look(uv_timer_t *timer)
{
    struct feed *feed = timer->data;

    feed_look(feed);
    if (!feed->was_current)
        return;
    sh_info(NULL, "view current after %.3f s: %zu documents changed meanwhile",
            (double)(sh_now_us() - feed->followed_us) / 1e6, feed->caught_up);
    uv_timer_stop(timer);
    sh_keeper_save_first(feed->keeper);
}

static void on_changes(void *arg, const struct sh_change *changes, size_t count)
{
    struct feed *feed = arg;

    feed_end_batch(feed);
    if (changed_collect(changes, count, &feed->arena, &feed->changed) != SH_OK) {
        /* The changes are only lent: begin anew rather than miss one. */
        sh_error(NULL, "out of memory for %zu changes; the view is loaded again", count);
        feed_rebuild(feed);
        return;
    }
    if (feed->changed.count == 0) {
        sh_changefeed_applied(feed->changefeed);
        feed_moved(feed);
        return;
    }
    sh_keeper_changed(feed->keeper);
    if (!feed->was_current)
        feed->caught_up += feed->changed.count;
    feed_go_on(feed);
}

static void on_behind(void *arg)
{
    struct feed *feed = arg;

    sh_warning(NULL, "changes were trimmed before they were seen; the view is loaded "
                     "again");
    feed_rebuild(feed);
}

void feed_follow(struct feed *feed)
{
    struct sh_changefeed_options options = {.pg = feed->options.pg,
                                            .config = feed->options.pg_config,
                                            .outbox = "search_outbox",
                                            .batch = BATCH,
                                            .retention_s = feed->options.outbox_keep_s,
                                            .start = feed->start,
                                            .database =
                                                feed->database[0] ? feed->database : NULL,
                                            .changes = on_changes,
                                            .behind = on_behind,
                                            .arg = feed};

    options.retention_rows = feed->options.outbox_keep_rows;
    enum sh_err err = sh_changefeed_create(feed->loop, &options, &feed->changefeed);
    if (err != SH_OK) {
        sh_error(NULL, "the record cannot be followed: %s", sh_err_text(err));
        feed->state = POSITIONING;
        feed_retry(feed);
        return;
    }
    feed->state = FOLLOWING;
    feed->followed_us = sh_now_us();
    feed->caught_up = 0;
    /* A snapshot is old: it waits until the changes since are in it, which is quicker
     * while nobody searches it. */
    if (!feed->restored)
        reveal(feed);
    uv_timer_start(&feed->look, on_look, LOOK_MS, LOOK_MS);
}

/* --- loading ---------------------------------------------------------------------- */

static void on_position(void *arg, const struct sh_pg_reply *reply)
{
    struct feed *feed = arg;

    feed->reading = false;
    if (feed_interrupted(feed))
        return;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "the record cannot be read yet: %s", reply->message);
        feed_retry(feed);
        return;
    }
    feed->start.xid = sh_pg_u64(reply->results[0], 0, 0);
    feed->start.seq = sh_pg_u64(reply->results[0], 0, 1);
    (void)snprintf(feed->database, sizeof(feed->database), "%s",
                   PQgetvalue(reply->results[0], 0, 2));
    feed->state = LOADING;
    feed->restored = false;
    sh_keeper_changed(feed->keeper);
    feed->asked.ended = false;
    feed->applied.ended = false;
    feed_go_on(feed);
}

bool feed_without_rows(struct feed *feed, enum sh_err err)
{
    if (err != SH_IO || feed->options.view.vectors.rows == NULL)
        return false;
    sh_warning(NULL,
               "%s cannot be written: vectors are kept in memory, and no "
               "snapshots, from now on",
               feed->options.view.vectors.rows);
    feed->options.view.vectors.rows = NULL;
    feed_rebuild(feed);
    return true;
}

bool feed_beside(const struct feed *feed)
{
    return feed->loaded && feed->options.builder != feed->options.writer;
}

/* Even a thread of the lowest priority costs those that wake on its core. */
static unsigned half_of_cores(void)
{
    unsigned cores = uv_available_parallelism();

    return cores > 1 ? cores / 2 : 1;
}

void feed_load(struct feed *feed)
{
    struct sh_pg_step step = {.statement = &store_position};
    const struct model *model = feed->options.model;

    feed->state = POSITIONING;
    struct view_options view = feed->options.view;
    if (feed_beside(feed))
        view.vectors.bulk_threads = half_of_cores();
    enum sh_err err = held_new(&view, &feed->building);
    if (err == SH_OK)
        err = view_set_model(feed->building->view, feed->fingerprint, feed->dimension,
                             model->alpha);
    if (err == SH_OK) {
        feed_ask(feed, &step, on_position);
    } else if (!feed_without_rows(feed, err)) {
        sh_error(NULL, "no view can be made: %s", sh_err_text(err));
        feed_retry(feed);
    }
}

static void start_over(struct feed *feed)
{
    const struct model *model = feed->options.model;

    feed->again = false;
    uv_timer_stop(&feed->timer);
    uv_timer_stop(&feed->look);
    sh_changefeed_close(&feed->changefeed);
    feed_end_batch(feed);
    held_retire(feed->building, feed->loop);
    feed->building = NULL;
    feed->model = *model;
    feed->dimension = model->dimension;
    memcpy(feed->fingerprint, model->fingerprint, sizeof(feed->fingerprint));
    feed_restore(feed);
    feed_look(feed);
    feed_moved(feed);
}

/* --- the rest --------------------------------------------------------------------- */

void feed_rebuild(struct feed *feed)
{
    feed->again = true;
    (void)feed_interrupted(feed); /* now, or when what is under way returns */
}

enum sh_err feed_create(uv_loop_t *loop, const struct feed_options *options,
                        struct feed **out)
{
    struct feed *feed = sh_alloc(sizeof(*feed));
    enum sh_err err = feed ? held_new(&options->view, &feed->view) : SH_NOMEM;

    if (err == SH_OK) {
        feed->options = *options;
        feed->loop = loop;
        err = feed_keep_snapshots(feed);
    }
    if (err != SH_OK) {
        if (feed != NULL)
            held_release(feed->view);
        sh_free(feed);
        return err;
    }
    uv_timer_init(loop, &feed->timer); /* these cannot fail */
    uv_timer_init(loop, &feed->look);
    feed->timer.data = feed;
    feed->look.data = feed;
    if (feed->options.builder == NULL)
        feed->options.builder = options->writer;
    *out = feed;
    return SH_OK;
}

const struct model *feed_model(const struct feed *feed)
{
    return &feed->shown;
}

struct held_view *feed_hold(struct feed *feed)
{
    feed->view->users++;
    return feed->view;
}

bool feed_loaded(const struct feed *feed)
{
    return feed->loaded;
}

bool feed_current(const struct feed *feed)
{
    return feed->state == FOLLOWING && feed->building == NULL &&
           sh_changefeed_current(feed->changefeed);
}

struct sh_changefeed_position feed_position(const struct feed *feed)
{
    return feed->changefeed ? sh_changefeed_position(feed->changefeed) : feed->start;
}

const char *feed_sample(const struct feed *feed)
{
    return feed->sample;
}

enum sh_err feed_wait(struct feed *feed, uint64_t xid, uint64_t deadline_ms,
                      void (*done)(void *arg, enum sh_err err), void *arg)
{
    if (feed->state != FOLLOWING || feed->building != NULL || feed->again)
        return SH_UNAVAILABLE;
    return sh_changefeed_wait(feed->changefeed, xid, deadline_ms, done, arg);
}

void feed_close(struct feed **feed_in)
{
    struct feed *feed = *feed_in;

    *feed_in = NULL;
    if (feed == NULL)
        return;
    feed->closing = true;
    uv_timer_stop(&feed->timer);
    uv_timer_stop(&feed->look);
    sh_keeper_stop(feed->keeper);
    sh_changefeed_close(&feed->changefeed);
    (void)feed_interrupted(feed);
}
