#include <stdio.h>

#include "services/graph/feed/feed_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/pg_array.h"

enum { READ_MS = 60000 };

static void drop_rows(struct feed *feed)
{
    PQclear(feed->nodes);
    PQclear(feed->edges);
    feed->nodes = NULL;
    feed->edges = NULL;
}

void feed_end_batch(struct feed *feed)
{
    drop_rows(feed);
    sh_arena_free(&feed->arena);
    feed->changed = (struct rows_changed){0};
}

/* --- applying --------------------------------------------------------------------- */

static void run_apply(struct sh_work *work)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);
    bool following = feed->state == FOLLOWING;
    struct held_graph *held = feed->building ? feed->building : feed->graph;
    struct graph_changes changes;
    struct sh_arena arena = {0};
    feed->taken = rows_changes(feed->nodes, feed->edges,
                               following ? &feed->changed : NULL, &arena, &changes);
    if (feed->taken == SH_OK)
        feed->taken = graph_apply(held->graph, &changes);
    sh_arena_free(&arena);
}

/* The page was the last one when it was not full. */
static void page_taken(struct feed *feed)
{
    const PGresult *rows = feed->state == NODES ? feed->nodes : feed->edges;
    int count = PQntuples(rows);
    if (count > 0)
        (void)snprintf(feed->after, sizeof(feed->after), "%s",
                       PQgetvalue(rows, count - 1, 0));
    if (count == ROWS_PAGE)
        return;
    feed->after[0] = '\0';
    feed->state = feed->state == NODES ? EDGES : FOLLOWING;
}

static void taken(struct feed *feed)
{
    if (feed->state == FOLLOWING) {
        feed_end_batch(feed);
        sh_changefeed_applied(feed->changefeed);
        return;
    }
    page_taken(feed);
    drop_rows(feed);
    if (feed->state == FOLLOWING)
        feed_follow(feed);
    else
        feed_go_on(feed);
}

static void on_applied(struct sh_work *work, enum sh_err err)
{
    struct feed *feed = SH_CONTAINER_OF(work, struct feed, work);
    feed->applying = false;
    if (feed_interrupted(feed))
        return;
    if (err == SH_OK)
        err = feed->taken;
    if (err == SH_OK) {
        taken(feed);
        return;
    }
    sh_error(NULL, "changes of the graph cannot be taken: %s", sh_err_text(err));
    drop_rows(feed);
    feed_retry(feed);
}

static void apply(struct feed *feed)
{
    feed->work = (struct sh_work){.run = run_apply, .done = on_applied};
    feed->applying = sh_workers_submit(feed->options.writer, &feed->work) == SH_OK;
    if (!feed->applying) {
        drop_rows(feed);
        feed_retry(feed);
    }
}

/* --- reading ---------------------------------------------------------------------- */

static PGresult *copy(const PGresult *rows)
{
    return PQcopyResult(rows, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
}

static bool keep_rows(struct feed *feed, const struct sh_pg_reply *reply)
{
    bool good = true;
    if (feed->state != EDGES)
        good = (feed->nodes = copy(reply->results[0])) != NULL;
    if (good && feed->state != NODES)
        good = (feed->edges = copy(reply->results[feed->state == EDGES ? 0 : 1])) != NULL;
    if (!good)
        sh_error(NULL, "out of memory for rows of the graph");
    return good;
}

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct feed *feed = arg;
    feed->reading = false;
    if (feed_interrupted(feed))
        return;
    if (reply->err != SH_OK)
        sh_warning(NULL, "the graph cannot be read: %s", reply->message);
    if (reply->err == SH_OK && keep_rows(feed, reply)) {
        apply(feed);
        return;
    }
    drop_rows(feed);
    feed_retry(feed);
}

/* A database that may not be asked can be read all the same. */
static void on_record(void *arg, const struct sh_pg_reply *reply)
{
    struct feed *feed = arg;
    feed->reading = false;
    if (feed_interrupted(feed))
        return;
    if (reply->err != SH_OK && reply->err != SH_INTERNAL) {
        sh_warning(NULL, "the record cannot be read yet: %s", reply->message);
        feed_retry(feed);
        return;
    }
    feed_take_record(feed, reply);
}

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
    feed->restored = false;
    sh_keeper_changed(feed->keeper);
    feed->start.xid = sh_pg_u64(reply->results[0], 0, 0);
    feed->start.seq = sh_pg_u64(reply->results[0], 0, 1);
    (void)snprintf(feed->database, sizeof(feed->database), "%s",
                   PQgetvalue(reply->results[0], 0, 2));
    feed->state = NODES;
    feed_go_on(feed);
}

static void ask(struct feed *feed, const struct sh_pg_step *steps, size_t count,
                sh_pg_done_fn *done)
{
    struct sh_pg_call call = {
        .steps = steps, .count = count, .deadline_ms = sh_now_ms() + READ_MS};
    feed->reading = sh_pg_run(feed->options.pg, &call, done, feed) == SH_OK;
    if (!feed->reading)
        feed_retry(feed);
}

static void ask_page(struct feed *feed, const struct sh_pg_statement *statement)
{
    struct sh_pg_param after = {sh_bytes_of(feed->after), false};
    ask(feed, &(struct sh_pg_step){.statement = statement, .params = &after, .count = 1},
        1, on_rows);
}

static void write_ids(struct sh_buffer *array, const struct sh_bytes *ids, size_t count)
{
    sh_buffer_clear(array);
    sh_pg_array_begin(array, SH_PG_ARRAY_TEXT, count);
    for (size_t i = 0; i < count; i++)
        sh_pg_array_bytes(array, ids[i]);
}

static void ask_changed(struct feed *feed)
{
    const struct rows_changed *changed = &feed->changed;
    write_ids(&feed->arrays[0], changed->nodes, changed->node_count);
    write_ids(&feed->arrays[1], changed->edges, changed->edge_count);
    if (feed->arrays[0].err != SH_OK || feed->arrays[1].err != SH_OK) {
        feed_retry(feed);
        return;
    }
    struct sh_pg_param nodes = sh_pg_array_param(&feed->arrays[0]);
    struct sh_pg_param edges = sh_pg_array_param(&feed->arrays[1]);
    const struct sh_pg_step steps[] = {
        {.statement = &rows_nodes_changed, .params = &nodes, .count = 1},
        {.statement = &rows_edges_changed, .params = &edges, .count = 1}};
    ask(feed, steps, SH_COUNT(steps), on_rows);
}

static void position(struct feed *feed)
{
    if (feed->building == NULL &&
        held_new(feed->options.names, &feed->building) != SH_OK) {
        feed_retry(feed);
        return;
    }
    ask(feed, &(struct sh_pg_step){.statement = &rows_position}, 1, on_position);
}

void feed_go_on(struct feed *feed)
{
    switch (feed->state) {
    case IDENTIFYING:
        ask(feed, &(struct sh_pg_step){.statement = &rows_record}, 1, on_record);
        break;
    case RESTORING:
        break; /* the keeper will tell */
    case POSITIONING:
        position(feed);
        break;
    case NODES:
        ask_page(feed, &rows_nodes_page);
        break;
    case EDGES:
        ask_page(feed, &rows_edges_page);
        break;
    case FOLLOWING:
        if (feed->changefeed == NULL)
            feed_follow(feed);
        else
            ask_changed(feed);
        break;
    }
}
