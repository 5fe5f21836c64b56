#include "services/search/feed/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/search/feed/apply.h"
#include "services/search/store/array.h"
#include "services/search/store/statements.h"
#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { RETRY_MS = 500, LOOK_MS = 20, READ_MS = 60000 };

/* Loading walks all documents into `building`; following walks those of a batch of
 * changes into `view`. Either way one page at a time is read, then applied. */
enum state { STOPPED, POSITIONING, LOADING, FOLLOWING };

struct feed {
    struct feed_options options;
    uv_loop_t *loop;
    enum state state;
    bool again; /* start over as soon as nothing is under way */
    bool closing;
    bool reading; /* a database call holds `this` */
    bool applying;
    struct held_view *view;     /* what queries see */
    struct held_view *building; /* while loading */
    uint32_t dimension;         /* of the view that is fed */
    char fingerprint[MODEL_FINGERPRINT_MAX + 1];
    struct sh_changefeed_position start;
    struct sh_changefeed *changefeed;
    bool loaded;
    bool was_current;
    char after[257];
    char sample[257];
    /* the batch of changes, or nothing while loading */
    struct sh_arena arena;
    struct changed_ids changed;
    struct sh_buffer id_array;
    /* the page that is applied */
    struct sh_work work;
    PGresult *page;
    struct apply_outcome outcome;
    enum sh_err applied;
    uv_timer_t timer; /* tries again */
    uv_timer_t look;  /* until the view is current */
};

static void read_page(struct feed *feed);
static void start_over(struct feed *feed);

/* --- life --------------------------------------------------------------------------- */

static void on_look_closed(uv_handle_t *handle)
{
    struct feed *feed = handle->data;

    held_release(feed->view);
    held_release(feed->building);
    sh_arena_free(&feed->arena);
    sh_buffer_free(&feed->id_array);
    sh_free(feed);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct feed *feed = handle->data;

    uv_close((uv_handle_t *)&feed->look, on_look_closed);
}

/* True when the caller must return at once: closing, or everything begins anew. */
static bool interrupted(struct feed *feed)
{
    if (feed->reading || feed->applying)
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

    if (feed->state == POSITIONING)
        start_over(feed);
    else if (feed->state != STOPPED)
        read_page(feed);
}

static void retry(struct feed *feed)
{
    uv_timer_start(&feed->timer, on_retry, RETRY_MS, 0);
}

/* --- following ---------------------------------------------------------------------- */

static void end_batch(struct feed *feed)
{
    sh_arena_free(&feed->arena);
    sh_buffer_clear(&feed->id_array);
    feed->changed = (struct changed_ids){0};
    feed->after[0] = '\0';
}

static void look_whether_current(struct feed *feed)
{
    bool current = feed_current(feed);

    if (current != feed->was_current) {
        feed->was_current = current;
        feed->options.state_changed(feed->options.arg);
    }
}

static void on_look(uv_timer_t *timer)
{
    struct feed *feed = timer->data;

    look_whether_current(feed);
    if (feed->was_current)
        uv_timer_stop(timer);
}

static void on_changes(void *arg, const struct sh_change *changes, size_t count)
{
    struct feed *feed = arg;

    end_batch(feed);
    if (changed_collect(changes, count, &feed->arena, &feed->changed, &feed->id_array) !=
        SH_OK) {
        /* The changes are only lent: begin anew rather than miss one. */
        sh_error(NULL, "out of memory for %zu changes; the view is loaded again", count);
        feed_rebuild(feed);
        return;
    }
    if (feed->changed.count == 0)
        sh_changefeed_applied(feed->changefeed);
    else
        read_page(feed);
}

static void on_behind(void *arg)
{
    struct feed *feed = arg;

    sh_warning(NULL, "changes were trimmed before they were seen; the view is loaded "
                     "again");
    feed_rebuild(feed);
}

static void follow(struct feed *feed)
{
    struct sh_changefeed_options options = {.pg = feed->options.pg,
                                            .config = feed->options.pg_config,
                                            .outbox = "search_outbox",
                                            .retention_s = feed->options.outbox_keep_s,
                                            .start = feed->start,
                                            .changes = on_changes,
                                            .behind = on_behind,
                                            .arg = feed};

    if (sh_changefeed_create(feed->loop, &options, &feed->changefeed) != SH_OK) {
        feed->state = POSITIONING;
        retry(feed);
        return;
    }
    feed->state = FOLLOWING;
    held_release(feed->view);
    feed->view = feed->building;
    feed->building = NULL;
    feed->loaded = true;
    struct view_stats stats;
    view_stats(feed->view->view, &stats);
    sh_info(NULL, "view loaded: %zu documents, %zu passages, %zu vectors",
            stats.documents, stats.chunks, stats.vectors);
    feed->options.state_changed(feed->options.arg);
    uv_timer_start(&feed->look, on_look, LOOK_MS, LOOK_MS);
}

/* --- applying ----------------------------------------------------------------------- */

static void run_page(struct sh_work *work)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);
    struct held_view *target = feed->state == LOADING ? feed->building : feed->view;
    struct changed_ids *changed = feed->state == LOADING ? NULL : &feed->changed;

    feed->applied =
        apply_page(target->view, feed->dimension, feed->page, changed, &feed->outcome);
    if (feed->applied == SH_OK && feed->outcome.last && changed != NULL)
        apply_removals(target->view, changed);
}

static void page_applied(struct sh_work *work, enum sh_err err)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);

    PQclear(feed->page);
    feed->page = NULL;
    feed->applying = false;
    if (interrupted(feed))
        return;
    if (err != SH_OK || feed->applied != SH_OK) {
        sh_error(NULL, "a page of documents cannot be taken: %s",
                 sh_err_text(err != SH_OK ? err : feed->applied));
        retry(feed);
        return;
    }
    if (feed->outcome.sample[0] != '\0')
        memcpy(feed->sample, feed->outcome.sample, sizeof(feed->sample));
    memcpy(feed->after, feed->outcome.after, sizeof(feed->after));
    if (!feed->outcome.last) {
        read_page(feed);
    } else if (feed->state == LOADING) {
        end_batch(feed);
        follow(feed);
    } else {
        end_batch(feed);
        sh_changefeed_applied(feed->changefeed);
    }
}

/* --- reading ------------------------------------------------------------------------ */

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct feed *feed = arg;

    feed->reading = false;
    if (interrupted(feed))
        return;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "documents cannot be read: %s", reply->message);
        retry(feed);
        return;
    }
    feed->page = PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    feed->work = (struct sh_work){.run = run_page, .done = page_applied};
    if (feed->page == NULL ||
        sh_workers_submit(feed->options.writer, &feed->work) != SH_OK) {
        PQclear(feed->page);
        feed->page = NULL;
        retry(feed);
        return;
    }
    feed->applying = true;
}

static void run(struct feed *feed, const struct sh_pg_step *step, sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = step, .count = 1, .deadline_ms = sh_now_ms() + READ_MS};

    if (sh_pg_run(feed->options.pg, &call, done, feed) == SH_OK)
        feed->reading = true;
    else
        retry(feed);
}

static void read_page(struct feed *feed)
{
    struct sh_pg_param params[] = {{sh_bytes_of(feed->after), false},
                                   {sh_bytes_of(feed->fingerprint), false},
                                   array_param(&feed->id_array)};
    struct sh_pg_step step = {.statement = &store_page_all, params, 2, true};

    if (feed->state == FOLLOWING) {
        step.statement = &store_page_changed;
        step.count = 3;
    }
    run(feed, &step, on_page);
}

static void on_position(void *arg, const struct sh_pg_reply *reply)
{
    struct feed *feed = arg;

    feed->reading = false;
    if (interrupted(feed))
        return;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "the record cannot be read yet: %s", reply->message);
        retry(feed);
        return;
    }
    feed->start.xid = sh_pg_u64(reply->results[0], 0, 0);
    feed->start.seq = sh_pg_u64(reply->results[0], 0, 1);
    feed->state = LOADING;
    read_page(feed);
}

static void start_over(struct feed *feed)
{
    struct sh_pg_step step = {.statement = &store_position};
    const struct model *model = feed->options.model;

    feed->again = false;
    feed->state = POSITIONING;
    uv_timer_stop(&feed->timer);
    uv_timer_stop(&feed->look);
    sh_changefeed_close(&feed->changefeed);
    end_batch(feed);
    held_release(feed->building);
    feed->building = NULL;
    feed->dimension = model->dimension;
    memcpy(feed->fingerprint, model->fingerprint, sizeof(feed->fingerprint));
    if (held_new(&feed->options.view, &feed->building) != SH_OK ||
        view_set_model(feed->building->view, feed->fingerprint, feed->dimension,
                       model->alpha) != SH_OK) {
        retry(feed);
        return;
    }
    run(feed, &step, on_position);
    look_whether_current(feed);
}

/* --- the rest ----------------------------------------------------------------------- */

void feed_rebuild(struct feed *feed)
{
    feed->again = true;
    (void)interrupted(feed); /* now, or when what is under way returns */
}

enum sh_err feed_create(uv_loop_t *loop, const struct feed_options *options,
                        struct feed **out)
{
    struct feed *feed = sh_alloc(sizeof(*feed));
    enum sh_err err = feed ? held_new(&options->view, &feed->view) : SH_NOMEM;

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
    feed->options = *options;
    feed->loop = loop;
    *out = feed;
    return SH_OK;
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
    return feed->state == FOLLOWING && sh_changefeed_current(feed->changefeed);
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
    if (feed->state != FOLLOWING || feed->again)
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
    sh_changefeed_close(&feed->changefeed);
    (void)interrupted(feed);
}
