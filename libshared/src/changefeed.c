#include "shared/changefeed.h"

#include <stdio.h>
#include <stdlib.h>

#include "changefeed_lineage.h"
#include "changefeed_sql.h"
#include "changefeed_trim.h"
#include "changefeed_wait.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

/* One query gives the snapshot's bounds, the trim horizon and the next rows, so that all
 * of them are of one moment. While a batch is with the view nothing is asked; what wakes
 * the feed meanwhile is remembered. */

enum {
    BATCH = 1000,
    RETENTION_S = 7 * 24 * 3600,
    RETENTION_ROWS = 1000 * 1000,
    POLL_MS = 1000,
    HURRY_MIN_MS = 4,
    HURRY_MAX_MS = 256,
    QUERY_MS = 10000,
};

enum state { IDLE, ASKING, DELIVERED, STOPPED };

struct sh_changefeed {
    uv_loop_t *loop;
    struct sh_changefeed_options options;
    const struct changefeed_sql *sql;
    struct sh_pg_listener *listener;
    enum state state;
    bool dirty;   /* wake once the batch is applied, or ask again after this answer */
    bool full;    /* the batch was: there is more */
    bool pending; /* rows are there that wait for an older transaction */
    uint64_t hurry_ms;
    char *database;              /* that is followed; NULL: the first answer tells */
    struct changefeed_mark mark; /* the last look */
    struct sh_changefeed_position position;
    struct sh_changefeed_position delivered; /* position when the batch is applied */
    uint64_t delivered_below;
    uint64_t applied_below; /* every transaction before this one is in the view */
    uint64_t start_below;   /* what was committed at the start is before this */
    struct changefeed_waiters waiters;
    struct changefeed_trim trim;
    uv_timer_t poll;
    uint64_t asked_ms; /* the record, last */
    uint64_t whole_ms; /* all of that time has been applied; 0: never */
    unsigned holds;    /* parts and queries that still need the memory */
    bool closing;
};

static struct sh_family changes_total = {.kind = SH_COUNTER,
                                         .name = "cairn_changefeed_changes_total",
                                         .help = "Changes handed to a view",
                                         .labels = {"outbox"}};

static void release(struct sh_changefeed *feed)
{
    if (--feed->holds > 0)
        return;
    sh_free(feed->database);
    sh_free(feed);
}

static void ask(struct sh_changefeed *feed);

static void on_poll(uv_timer_t *timer)
{
    ask(timer->data);
}

/* What waits for another transaction is looked for again soon, but ever more slowly; so
 * is a transaction that somebody waits for. */
static void arm(struct sh_changefeed *feed)
{
    uint64_t wait = POLL_MS;

    if (feed->pending || feed->waiters.first) {
        wait = feed->hurry_ms;
        feed->hurry_ms = wait * 2 < HURRY_MAX_MS ? wait * 2 : HURRY_MAX_MS;
    } else {
        feed->hurry_ms = HURRY_MIN_MS;
    }
    (void)uv_timer_start(&feed->poll, on_poll, wait, 0); /* not closing */
}

/* The view has everything up to the batch's end. */
static void advance(struct sh_changefeed *feed)
{
    feed->position = feed->delivered;
    feed->applied_below = feed->delivered_below;
    feed->state = IDLE;
    changefeed_waiters_wake(&feed->waiters,
                            feed->applied_below); /* later, by its timer */
    if (!feed->full)
        feed->whole_ms = feed->asked_ms;
    if (feed->full || feed->dirty)
        ask(feed);
    else
        arm(feed);
}

static void stop_behind(struct sh_changefeed *feed, const char *why)
{
    sh_warning(NULL, "changefeed %s: %s; the view must be rebuilt", feed->options.outbox,
               why);
    feed->state = STOPPED;
    feed->options.behind(feed->options.arg);
}

/* False when out of memory: asked again later. */
static bool deliver(struct sh_changefeed *feed, const PGresult *rows)
{
    size_t count = (size_t)PQntuples(rows);
    struct sh_change *changes = sh_alloc_array(count, sizeof(*changes));

    if (!changes)
        return false;
    feed->state = DELIVERED;
    count = changefeed_collect(rows, changes);
    sh_series_add(sh_series(&changes_total, &feed->options.outbox), (double)count);
    feed->options.changes(feed->options.arg, changes, count);
    sh_free(changes);
    return true;
}

/* False when it is another one than before, or out of memory. */
static bool is_same_database(struct sh_changefeed *feed, const PGresult *rows)
{
    const char *database = PQgetvalue(rows, 0, CHANGEFEED_DATABASE);

    if (!feed->database)
        feed->database = sh_strdup(database);
    return feed->database && strcmp(feed->database, database) == 0;
}

/* A standby took over with all that was seen: it is followed from the last look on, since
 * what was read after that look may be lost. Ids of transactions that left nothing behind
 * are given once more. False: it is not so, or out of memory. */
static bool follow_on(struct sh_changefeed *feed, const PGresult *rows)
{
    const char *database = PQgetvalue(rows, 0, CHANGEFEED_DATABASE);
    uint64_t inherited = sh_pg_u64(rows, 0, CHANGEFEED_INHERITED);
    char *copy = NULL;

    if (!feed->database ||
        !changefeed_carried_on(feed->database, database, &feed->mark, inherited,
                               sh_now_ms()) ||
        !(copy = sh_strdup(database)))
        return false;
    sh_info(NULL, "changefeed %s: a standby took over, and is followed",
            feed->options.outbox);
    sh_free(feed->database);
    feed->database = copy;
    feed->position = feed->mark.position;
    if (feed->applied_below > feed->position.xid)
        feed->applied_below = feed->position.xid;
    if (feed->start_below > feed->applied_below)
        feed->start_below = feed->applied_below;
    feed->mark.lsn = 0; /* what was read since the look is read again first */
    ask(feed);
    return true;
}

/* True when the feed has stopped. */
static bool must_stop(struct sh_changefeed *feed, const PGresult *rows)
{
    const char *why = NULL;

    if (!is_same_database(feed, rows) ||
        feed->position.xid >= sh_pg_u64(rows, 0, CHANGEFEED_XMAX))
        why = "the position is not of this database";
    else if (!changefeed_has_trimmed(rows, &feed->position))
        why = "changes that were not seen are trimmed";
    if (why)
        stop_behind(feed, why);
    return why != NULL;
}

/* Rows with the snapshot's bounds in each; one row without a change when there is none.
 */
static void take_rows(struct sh_changefeed *feed, const PGresult *rows)
{
    uint64_t below = sh_pg_u64(rows, 0, CHANGEFEED_XMIN);
    int last = PQntuples(rows) - 1;

    if ((!is_same_database(feed, rows) && follow_on(feed, rows)) || must_stop(feed, rows))
        return;
    feed->mark = (struct changefeed_mark){
        feed->position, sh_pg_u64(rows, 0, CHANGEFEED_LSN), feed->asked_ms};
    if (feed->start_below == 0)
        feed->start_below = sh_pg_u64(rows, 0, CHANGEFEED_XMAX);
    feed->pending = *PQgetvalue(rows, 0, CHANGEFEED_PENDING) == 't';
    feed->full = (unsigned)last + 1 >= feed->options.batch;
    feed->delivered = feed->position;
    feed->delivered_below = below;
    if (PQgetisnull(rows, last, CHANGEFEED_XID)) {
        feed->full = false;
        advance(feed);
        return;
    }
    feed->delivered.xid = sh_pg_u64(rows, last, CHANGEFEED_XID);
    feed->delivered.seq = sh_pg_u64(rows, last, CHANGEFEED_SEQ);
    if (feed->full)
        feed->delivered_below = feed->delivered.xid;
    if (!deliver(feed, rows)) {
        feed->state = IDLE;
        arm(feed);
    }
}

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_changefeed *feed = arg;

    if (feed->closing) {
        release(feed);
        return;
    }
    feed->state = IDLE;
    if (reply->err == SH_OK && PQntuples(reply->results[0]) > 0) {
        take_rows(feed, reply->results[0]);
    } else {
        sh_warning(NULL, "changefeed %s: %s", feed->options.outbox, reply->message);
        arm(feed);
    }
    release(feed); /* `changes` may have closed the feed */
}

static void ask(struct sh_changefeed *feed)
{
    char texts[3][24];
    struct sh_pg_param params[3] = {0};
    const struct sh_pg_step step = {&feed->sql->read, params, 3, false};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + QUERY_MS};

    feed->dirty = feed->state == ASKING || feed->state == DELIVERED;
    if (feed->state != IDLE || feed->closing)
        return;
    (void)snprintf(texts[0], 24, "%llu", (unsigned long long)feed->position.xid);
    (void)snprintf(texts[1], 24, "%llu", (unsigned long long)feed->position.seq);
    (void)snprintf(texts[2], 24, "%u", feed->options.batch);
    for (size_t i = 0; i < SH_COUNT(params); i++)
        params[i].value = sh_bytes_of(texts[i]);
    if (sh_pg_run(feed->options.pg, &call, on_rows, feed) != SH_OK) {
        arm(feed);
        return;
    }
    feed->state = ASKING;
    feed->asked_ms = sh_now_ms();
    feed->holds++;
}

/* --- life ------------------------------------------------------------------------- */

static void on_notified(void *arg, const char *payload)
{
    (void)payload;
    ask(arg);
}

static void on_part_closed(void *arg)
{
    release(arg);
}

static void on_timer_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static enum sh_err copy_database(struct sh_changefeed *feed)
{
    feed->database = sh_strdup(feed->options.database);
    feed->options.database = NULL;
    return feed->database ? SH_OK : SH_NOMEM;
}

static void start_trimming(struct sh_changefeed *feed)
{
    const struct sh_changefeed_options *options = &feed->options;

    feed->trim = (struct changefeed_trim){
        .pg = options->pg,
        .sql = feed->sql,
        .keep_s = options->retention_s ? options->retention_s : RETENTION_S,
        .keep_rows = options->retention_rows ? options->retention_rows : RETENTION_ROWS,
        .closed = on_part_closed,
        .arg = feed};
    changefeed_trim_start(&feed->trim, feed->loop);
}

enum sh_err sh_changefeed_create(uv_loop_t *loop,
                                 const struct sh_changefeed_options *options,
                                 struct sh_changefeed **out)
{
    struct sh_changefeed *feed = sh_alloc(sizeof(*feed));
    enum sh_err err;

    if (!feed)
        return SH_NOMEM;
    feed->loop = loop;
    feed->options = *options;
    feed->position = options->start;
    if (feed->options.batch == 0)
        feed->options.batch = BATCH;
    err = changefeed_sql(options->outbox, &feed->sql);
    if (err == SH_OK)
        feed->options.outbox = feed->sql->outbox;
    if (err == SH_OK && options->database)
        err = copy_database(feed);
    if (err == SH_OK)
        err = sh_pg_listen(loop, options->config, options->outbox, on_notified, feed,
                           &feed->listener);
    if (err != SH_OK) {
        sh_free(feed->database);
        sh_free(feed);
        return err;
    }
    feed->holds = 3;
    feed->poll.data = feed;
    (void)uv_timer_init(loop, &feed->poll);
    changefeed_waiters_init(&feed->waiters, loop, on_part_closed, feed);
    start_trimming(feed);
    arm(feed);
    ask(feed);
    *out = feed;
    return SH_OK;
}

void sh_changefeed_applied(struct sh_changefeed *feed)
{
    if (feed->state == DELIVERED && !feed->closing)
        advance(feed);
}

struct sh_changefeed_position sh_changefeed_position(const struct sh_changefeed *feed)
{
    return feed->position;
}

const char *sh_changefeed_database(const struct sh_changefeed *feed)
{
    return feed->database;
}

bool sh_changefeed_current(const struct sh_changefeed *feed)
{
    return feed->start_below > 0 && feed->applied_below >= feed->start_below;
}

uint64_t sh_changefeed_age_ms(const struct sh_changefeed *feed)
{
    return feed->whole_ms == 0 ? UINT64_MAX : sh_now_ms() - feed->whole_ms;
}

enum sh_err sh_changefeed_wait(struct sh_changefeed *feed, uint64_t xid,
                               uint64_t deadline_ms,
                               void (*done)(void *arg, enum sh_err err), void *arg)
{
    enum sh_err err;

    if (feed->closing)
        return SH_CANCELED;
    err = changefeed_waiters_add(&feed->waiters, xid, deadline_ms, done, arg);
    if (err == SH_OK && xid >= feed->applied_below)
        ask(feed);
    return err;
}

void sh_changefeed_wake(struct sh_changefeed *feed)
{
    ask(feed);
}

void sh_changefeed_close(struct sh_changefeed **feed)
{
    struct sh_changefeed *self = *feed;

    *feed = NULL;
    if (!self || self->closing)
        return;
    self->closing = true;
    sh_pg_unlisten(&self->listener);
    uv_close((uv_handle_t *)&self->poll, on_timer_closed);
    changefeed_trim_close(&self->trim);
    changefeed_waiters_close(&self->waiters);
}

void sh_changefeed_trim(struct sh_changefeed *feed)
{
    changefeed_trim_now(&feed->trim);
}
