#include "services/search/feed/feed_internal.h"

#include "services/search/store/array.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { READ_MS = 60000, SLICE = 512 };

/* --- applying ----------------------------------------------------------------------- */

static void run_page(struct sh_work *work)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);
    bool unseen = feed->building != NULL;
    struct view *view = unseen ? feed->building->view : feed->view->view;
    struct changed_ids *changed = feed->state == LOADING ? NULL : &feed->slice;

    feed->applied =
        apply_page(view, feed->dimension, feed->page, changed, unseen, &feed->outcome);
    if (feed->applied != SH_OK || !feed->outcome.last || changed == NULL)
        return;
    apply_removals(view, changed);
    if (feed->sliced == feed->changed.count)
        view_tend(view);
}

static void page_applied(struct sh_work *work, enum sh_err err)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);

    PQclear(feed->page);
    feed->page = NULL;
    feed->applying = false;
    if (feed_interrupted(feed))
        return;
    if (err == SH_OK && feed_without_rows(feed, feed->applied))
        return;
    if (err != SH_OK || feed->applied != SH_OK) {
        sh_error(NULL, "a page of documents cannot be taken: %s",
                 sh_err_text(err != SH_OK ? err : feed->applied));
        feed_retry(feed);
        return;
    }
    if (feed->outcome.sample[0] != '\0')
        memcpy(feed->sample, feed->outcome.sample, sizeof(feed->sample));
    memcpy(feed->after, feed->outcome.after, sizeof(feed->after));
    if (!feed->outcome.last) {
        feed_read_page(feed);
    } else if (feed->state == LOADING) {
        feed_end_batch(feed);
        feed_follow(feed);
    } else if (feed->sliced < feed->changed.count) {
        feed_read_slice(feed);
    } else {
        feed_end_batch(feed);
        sh_changefeed_applied(feed->changefeed);
        feed_moved(feed);
        feed_look(feed);
    }
}

/* --- reading ------------------------------------------------------------------------ */

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct feed *feed = arg;

    feed->reading = false;
    if (feed_interrupted(feed))
        return;
    if (reply->err != SH_OK) {
        sh_warning(NULL, "documents cannot be read: %s", reply->message);
        feed_retry(feed);
        return;
    }
    feed->page = PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    feed->work = (struct sh_work){.run = run_page, .done = page_applied};
    if (feed->page == NULL ||
        sh_workers_submit(feed->options.writer, &feed->work) != SH_OK) {
        sh_error(NULL, "a page of documents cannot be handed on");
        PQclear(feed->page);
        feed->page = NULL;
        feed_retry(feed);
        return;
    }
    feed->applying = true;
}

void feed_ask(struct feed *feed, const struct sh_pg_step *step, sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = step, .count = 1, .deadline_ms = sh_now_ms() + READ_MS};

    if (sh_pg_run(feed->options.pg, &call, done, feed) == SH_OK)
        feed->reading = true;
    else
        feed_retry(feed);
}

void feed_read_page(struct feed *feed)
{
    struct sh_pg_param params[] = {{sh_bytes_of(feed->after), false},
                                   {sh_bytes_of(feed->fingerprint), false},
                                   array_param(&feed->id_array)};
    struct sh_pg_step step = {.statement = &store_page_all, params, 2, true};

    if (feed->state == FOLLOWING) {
        step.statement = &store_page_changed;
        step.count = 3;
    }
    feed_ask(feed, &step, on_page);
}

void feed_read_slice(struct feed *feed)
{
    if (changed_slice(&feed->changed, feed->sliced, SLICE, &feed->slice,
                      &feed->id_array) != SH_OK) {
        sh_error(NULL, "out of memory for changes; the view is loaded again");
        feed_rebuild(feed);
        return;
    }
    feed->sliced += feed->slice.count;
    feed->after[0] = '\0';
    feed_read_page(feed);
}
