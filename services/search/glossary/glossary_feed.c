#include "services/search/glossary/glossary_feed.h"

#include <xxhash.h>

#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { LOOK_MS = 2000, READ_MS = 30000, VERSION_MAX = 96 };

/* Look at the version; where it is another one, read the rows and make a glossary of
 * them; wait; look again. One of these steps at a time is under way. */
struct glossary_feed {
    struct sh_pg *pg;
    struct sh_workers *workers;
    struct held_glossary *held; /* what searches get */
    char version[VERSION_MAX];  /* of it */
    char next[VERSION_MAX];     /* of what is being read */
    PGresult *rows;
    struct glossary *made;
    enum sh_err err; /* of making it */
    bool busy;       /* a call or work holds `this` */
    bool closing;
    bool failing; /* was told to the log */
    void (*changed)(void *arg);
    void *arg;
    uv_timer_t timer;
    struct sh_work work;
};

/* --- who holds it ----------------------------------------------------------------- */

static enum sh_err held_new(struct glossary *glossary, struct held_glossary **out)
{
    struct held_glossary *held = sh_alloc(sizeof(*held));
    if (!held)
        return SH_NOMEM;
    *held = (struct held_glossary){.glossary = glossary, .users = 1};
    *out = held;
    return SH_OK;
}

void glossary_feed_on_change(struct glossary_feed *feed, void (*changed)(void *arg),
                             void *arg)
{
    feed->changed = changed;
    feed->arg = arg;
}

uint64_t glossary_feed_version(const struct glossary_feed *feed)
{
    return feed->held->version;
}

struct held_glossary *glossary_hold(struct glossary_feed *feed)
{
    feed->held->users++;
    return feed->held;
}

void glossary_release(struct held_glossary *held)
{
    if (!held || --held->users > 0)
        return;
    glossary_free(&held->glossary);
    sh_free(held);
}

/* --- life ------------------------------------------------------------------------- */

static void look(struct glossary_feed *feed);

static void on_closed(uv_handle_t *handle)
{
    struct glossary_feed *feed = handle->data;
    glossary_release(feed->held);
    sh_free(feed);
}

static void on_timer(uv_timer_t *timer)
{
    look(timer->data);
}

/* What was under way has ended. */
static void rest(struct glossary_feed *feed)
{
    PQclear(feed->rows);
    feed->rows = NULL;
    glossary_free(&feed->made);
    feed->busy = false;
    if (feed->closing)
        uv_close((uv_handle_t *)&feed->timer, on_closed);
    else
        uv_timer_start(&feed->timer, on_timer, LOOK_MS, 0);
}

static void fail(struct glossary_feed *feed, const char *why)
{
    if (!feed->failing && !feed->closing)
        sh_warning(NULL, "the glossary cannot be read, it stays as it is: %s", why);
    feed->failing = true;
    rest(feed);
}

/* --- making it -------------------------------------------------------------------- */

static enum sh_err make(const PGresult *result, struct glossary **out)
{
    size_t count = (size_t)PQntuples(result);
    struct glossary_row *rows = sh_alloc_array(count + 1, sizeof(*rows));
    if (!rows)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct glossary_row){sh_pg_text(result, (int)i, GLOSSARY_TERM),
                                        sh_pg_text(result, (int)i, GLOSSARY_LANGUAGE),
                                        sh_pg_text(result, (int)i, GLOSSARY_OTHERS)};
    enum sh_err err = glossary_create(rows, count, out);
    sh_free(rows);
    return err;
}

static void run_make(struct sh_work *work)
{
    struct glossary_feed *feed = SH_CONTAINER_OF(work, struct glossary_feed, work);
    feed->err = make(feed->rows, &feed->made);
}

static void on_made(struct sh_work *work, enum sh_err err)
{
    struct glossary_feed *feed = SH_CONTAINER_OF(work, struct glossary_feed, work);
    struct held_glossary *held = NULL;
    if (err == SH_OK)
        err = feed->err;
    if (err == SH_OK)
        err = held_new(feed->made, &held);
    if (err != SH_OK) {
        fail(feed, sh_err_text(err));
        return;
    }
    feed->made = NULL;
    glossary_release(feed->held);
    feed->held = held;
    feed->failing = false;
    memcpy(feed->version, feed->next, sizeof(feed->version));
    held->version = XXH3_64bits(feed->version, strlen(feed->version));
    if (feed->changed != NULL && !feed->closing)
        feed->changed(feed->arg);
    sh_info(NULL, "glossary read: %zu terms with other names",
            glossary_size(held->glossary));
    rest(feed);
}

/* --- reading ---------------------------------------------------------------------- */

static enum sh_err run(struct glossary_feed *feed,
                       const struct sh_pg_statement *statement, sh_pg_done_fn *done)
{
    struct sh_pg_step step = {.statement = statement};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + READ_MS};
    return sh_pg_run(feed->pg, &call, done, feed);
}

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct glossary_feed *feed = arg;
    if (reply->err != SH_OK || feed->closing) {
        fail(feed, reply->message);
        return;
    }
    feed->rows = PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    feed->work = (struct sh_work){.run = run_make, .done = on_made};
    enum sh_err err =
        feed->rows ? sh_workers_submit(feed->workers, &feed->work) : SH_NOMEM;
    if (err != SH_OK)
        fail(feed, sh_err_text(err));
}

static void on_version(void *arg, const struct sh_pg_reply *reply)
{
    struct glossary_feed *feed = arg;
    if (reply->err != SH_OK || feed->closing) {
        fail(feed, reply->message);
        return;
    }
    (void)snprintf(feed->next, sizeof(feed->next), "%s",
                   PQgetvalue(reply->results[0], 0, 0));
    if (strcmp(feed->next, feed->version) == 0) {
        feed->failing = false;
        rest(feed);
        return;
    }
    enum sh_err err = run(feed, &store_glossary_rows, on_rows);
    if (err != SH_OK)
        fail(feed, sh_err_text(err));
}

static void look(struct glossary_feed *feed)
{
    feed->busy = true;
    enum sh_err err = run(feed, &store_glossary_version, on_version);
    if (err != SH_OK)
        fail(feed, sh_err_text(err));
}

enum sh_err glossary_feed_create(uv_loop_t *loop, struct sh_pg *pg,
                                 struct sh_workers *workers, struct glossary_feed **out)
{
    struct glossary_feed *feed = sh_alloc(sizeof(*feed));
    enum sh_err err = feed ? held_new(NULL, &feed->held) : SH_NOMEM;
    if (err != SH_OK) {
        sh_free(feed);
        return err;
    }
    feed->pg = pg;
    feed->workers = workers;
    uv_timer_init(loop, &feed->timer); /* cannot fail */
    feed->timer.data = feed;
    *out = feed;
    look(feed);
    return SH_OK;
}

void glossary_feed_close(struct glossary_feed **feed_in)
{
    struct glossary_feed *feed = *feed_in;
    *feed_in = NULL;
    if (!feed)
        return;
    feed->closing = true;
    uv_timer_stop(&feed->timer);
    if (!feed->busy)
        uv_close((uv_handle_t *)&feed->timer, on_closed);
}
