/* One page is applied while the next one is read: the database and the thread of the view
 * work at the same time. */
#include "services/search/feed/feed_internal.h"

#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/pg_array.h"
#include "shared/sched.h"

enum { READ_MS = 60000, SLICE = 512 };

static bool more_behind(const struct feed *feed, const struct feed_cursor *cursor)
{
    return !cursor->ended ||
           (feed->state == FOLLOWING && cursor->sliced < feed->changed.count);
}

/* What was read beyond what is applied is read again, a moment later. */
static void go_back(struct feed *feed)
{
    feed_drop_page(&feed->arrived);
    feed->asked = feed->applied;
    feed->backwards = feed->reading;
    if (!feed->reading)
        feed_retry(feed);
}

/* --- applying --------------------------------------------------------------------- */

/* What is made beside a view that is searched must not slow searches down: the view
 * pauses for them while it is loaded. */
static void yield_to_searches(const struct feed *feed)
{
    if (feed_beside(feed))
        sh_sched_patient();
}

static void run_page(struct sh_work *work)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);
    bool unseen = feed->building != NULL;
    struct view *view = unseen ? feed->building->view : feed->view->view;
    struct feed_cursor *behind = &feed->page.behind;
    struct changed_ids *changed = feed->state == LOADING ? NULL : &behind->slice;

    if (unseen)
        yield_to_searches(feed);
    feed->taken = apply_page(view, feed->dimension, feed->page.rows, changed, unseen,
                             &feed->outcome);
    if (feed->taken != SH_OK || !behind->ended || changed == NULL)
        return;
    apply_removals(view, changed);
    if (behind->sliced == feed->changed.count)
        view_tend(view);
}

static void page_applied(struct sh_work *work, enum sh_err err)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);

    feed_drop_page(&feed->page);
    feed->applying = false;
    if (feed_interrupted(feed))
        return;
    if (err == SH_OK && feed_without_rows(feed, feed->taken))
        return;
    if (err != SH_OK || feed->taken != SH_OK) {
        sh_error(NULL, "a page of documents cannot be taken: %s",
                 sh_err_text(err != SH_OK ? err : feed->taken));
        go_back(feed);
        return;
    }
    if (feed->outcome.sample[0] != '\0')
        memcpy(feed->sample, feed->outcome.sample, sizeof(feed->sample));
    feed->applied = feed->page.behind;
    feed_go_on(feed);
}

static void apply_arrived(struct feed *feed)
{
    feed->page = feed->arrived;
    feed->arrived.rows = NULL;
    feed->work = (struct sh_work){.run = run_page, .done = page_applied};
    struct sh_workers *writer = feed->building != NULL && feed->loaded
                                    ? feed->options.builder
                                    : feed->options.writer;
    feed->applying = sh_workers_submit(writer, &feed->work) == SH_OK;
    if (feed->applying)
        return;
    sh_error(NULL, "a page of documents cannot be handed on");
    feed_drop_page(&feed->page);
    go_back(feed);
}

/* --- reading ---------------------------------------------------------------------- */

static void take_page(struct feed *feed, const PGresult *rows)
{
    struct feed_cursor *asked = &feed->asked;

    feed->arrived.rows = PQcopyResult(rows, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (feed->arrived.rows == NULL) {
        sh_error(NULL, "out of memory for a page of documents");
        go_back(feed);
        return;
    }
    asked->ended = apply_is_last(rows, feed->state == LOADING, asked->after);
    feed->arrived.behind = *asked;
    feed_go_on(feed);
}

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct feed *feed = arg;

    feed->reading = false;
    if (feed_interrupted(feed))
        return;
    if (reply->err != SH_OK)
        sh_warning(NULL, "documents cannot be read: %s", reply->message);
    if (feed->backwards)
        go_back(feed);
    else if (reply->err != SH_OK)
        feed_retry(feed);
    else
        take_page(feed, reply->results[0]);
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

/* The slice that the next page is of: the cursor's own, or the one behind it. */
static enum sh_err next_slice(struct feed *feed)
{
    struct feed_cursor *asked = &feed->asked;
    size_t from = asked->sliced - (asked->ended ? 0 : asked->slice.count);
    enum sh_err err =
        changed_slice(&feed->changed, from, SLICE, &asked->slice, &feed->id_array);

    if (asked->ended)
        asked->after[0] = '\0';
    asked->ended = false;
    asked->sliced = from + asked->slice.count;
    return err;
}

static void ask_page(struct feed *feed, const struct sh_pg_statement *statement,
                     unsigned count)
{
    struct sh_pg_param params[] = {{sh_bytes_of(feed->asked.after), false},
                                   {sh_bytes_of(feed->fingerprint), false},
                                   sh_pg_array_param(&feed->id_array)};
    struct sh_pg_step step = {statement, params, count, true};

    feed_ask(feed, &step, on_page);
}

static void read_page(struct feed *feed)
{
    if (feed->state == LOADING) {
        ask_page(feed, &store_page_all, 2);
    } else if (next_slice(feed) == SH_OK) {
        ask_page(feed, &store_page_changed, 3);
    } else {
        sh_error(NULL, "out of memory for changes; the view is loaded again");
        feed_rebuild(feed);
    }
}

/* --- both ------------------------------------------------------------------------- */

void feed_drop_page(struct feed_page *page)
{
    PQclear(page->rows);
    page->rows = NULL;
}

static void end(struct feed *feed)
{
    feed_end_batch(feed);
    if (feed->state == LOADING) {
        feed_follow(feed);
    } else {
        sh_changefeed_applied(feed->changefeed);
        feed_moved(feed);
        feed_look(feed);
    }
}

void feed_go_on(struct feed *feed)
{
    if (feed->arrived.rows != NULL && !feed->applying)
        apply_arrived(feed);
    if (feed->reading || feed->arrived.rows != NULL)
        return;
    if (more_behind(feed, &feed->asked))
        read_page(feed);
    else if (!feed->applying && !more_behind(feed, &feed->applied))
        end(feed);
}
