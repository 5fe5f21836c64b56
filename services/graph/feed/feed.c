/* Happy path: the position to follow from, pages of nodes, pages of edges, then the
 * changefeed, a batch at a time: its ids are read from the tables as they are now and
 * applied. Whatever cannot be read or applied is tried again half a second later; an edge
 * that names a node not there yet comes again with the change that made it. On close,
 * what is under way returns first. */
#include "services/graph/feed/feed_internal.h"
#include "shared/log.h"

enum { RETRY_MS = 500, LOOK_MS = 20, BATCH = 5000, BEHIND_MS = 2500 };

static void start_over(struct feed *feed);

/* --- life ------------------------------------------------------------------------- */

static void on_look_closed(uv_handle_t *handle)
{
    struct feed *feed = handle->data;
    feed_end_batch(feed);
    held_release(feed->graph);
    held_release(feed->building);
    sh_keeper_close(&feed->keeper);
    sh_buffer_free(&feed->arrays[0]);
    sh_buffer_free(&feed->arrays[1]);
    sh_free(feed);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct feed *feed = handle->data;
    uv_close((uv_handle_t *)&feed->look, on_look_closed);
}

bool feed_interrupted(struct feed *feed)
{
    if (feed->reading || feed->applying || sh_keeper_busy(feed->keeper))
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

static void rebuild(struct feed *feed)
{
    feed->again = true;
    (void)feed_interrupted(feed); /* now, or when what is under way returns */
}

static void on_retry(uv_timer_t *timer)
{
    feed_go_on(timer->data);
}

void feed_retry(struct feed *feed)
{
    uv_timer_start(&feed->timer, on_retry, RETRY_MS, 0);
}

/* --- following -------------------------------------------------------------------- */

static void reveal(struct feed *feed)
{
    held_release(feed->graph);
    feed->graph = feed->building;
    feed->building = NULL;
    feed->options.state_changed(feed->options.arg);
}

static void on_look(uv_timer_t *timer)
{
    struct feed *feed = timer->data;
    if (feed->building != NULL && feed->changefeed != NULL &&
        sh_changefeed_current(feed->changefeed))
        reveal(feed);
    bool current = feed_current(feed);
    if (current == feed->was_current)
        return;
    feed->was_current = current;
    feed->options.state_changed(feed->options.arg);
    if (!current)
        return;
    uv_timer_stop(timer);
    sh_keeper_save_first(feed->keeper);
}

static enum sh_err collect(struct feed *feed, const struct sh_change *changes,
                           size_t count)
{
    struct rows_changed *changed = &feed->changed;
    *changed = (struct rows_changed){
        .nodes = sh_arena_array(&feed->arena, count + 1, sizeof(*changed->nodes)),
        .edges = sh_arena_array(&feed->arena, count + 1, sizeof(*changed->edges))};
    if (changed->nodes == NULL || changed->edges == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        bool node = strcmp(changes[i].entity, "node") == 0;
        struct sh_bytes id = sh_arena_copy(&feed->arena, sh_bytes_of(changes[i].id));
        if (id.data == NULL)
            return SH_NOMEM;
        if (node)
            changed->nodes[changed->node_count++] = id;
        else if (strcmp(changes[i].entity, "edge") == 0)
            changed->edges[changed->edge_count++] = id;
    }
    return SH_OK;
}

static void on_changes(void *arg, const struct sh_change *changes, size_t count)
{
    struct feed *feed = arg;
    feed_end_batch(feed);
    if (collect(feed, changes, count) != SH_OK) {
        /* They are only lent: begin anew rather than miss one. */
        sh_error(NULL, "out of memory for %zu changes; the graph is loaded again", count);
        rebuild(feed);
        return;
    }
    sh_keeper_changed(feed->keeper);
    feed_go_on(feed);
}

static void on_behind(void *arg)
{
    sh_warning(NULL, "changes were trimmed before they were seen; the graph is loaded "
                     "again");
    rebuild(arg);
}

void feed_follow(struct feed *feed)
{
    struct sh_changefeed_options options = {
        .pg = feed->options.pg,
        .config = feed->options.pg_config,
        .outbox = "graph_outbox",
        .batch = BATCH,
        .retention_s = feed->options.outbox_keep_s,
        .retention_rows = feed->options.outbox_keep_rows,
        .start = feed->start,
        .database = feed->database[0] ? feed->database : NULL,
        .changes = on_changes,
        .behind = on_behind,
        .arg = feed};
    enum sh_err err = sh_changefeed_create(feed->loop, &options, &feed->changefeed);
    if (err != SH_OK) {
        sh_error(NULL, "the record cannot be followed: %s", sh_err_text(err));
        feed_retry(feed);
        return;
    }
    feed->state = FOLLOWING;
    if (!feed->restored)
        reveal(feed);
    uv_timer_start(&feed->look, on_look, LOOK_MS, LOOK_MS);
}

static void start_over(struct feed *feed)
{
    feed->again = false;
    uv_timer_stop(&feed->timer);
    uv_timer_stop(&feed->look);
    sh_changefeed_close(&feed->changefeed);
    feed_end_batch(feed);
    held_release(feed->building);
    feed->building = NULL;
    feed->restored = false;
    feed->state = POSITIONING;
    feed->after[0] = '\0';
    feed->was_current = false;
    feed_go_on(feed);
}

/* --- the rest --------------------------------------------------------------------- */

enum sh_err feed_create(uv_loop_t *loop, const struct feed_options *options,
                        struct feed **out)
{
    struct feed *feed = sh_alloc(sizeof(*feed));
    if (feed == NULL)
        return SH_NOMEM;
    feed->options = *options;
    feed->loop = loop;
    enum sh_err err = feed_keep_snapshots(feed);
    if (err != SH_OK) {
        sh_free(feed);
        return err;
    }
    uv_timer_init(loop, &feed->timer); /* these cannot fail */
    uv_timer_init(loop, &feed->look);
    feed->timer.data = feed;
    feed->look.data = feed;
    feed->state = sh_keeper_dir(feed->keeper) ? IDENTIFYING : POSITIONING;
    *out = feed;
    feed_go_on(feed);
    return SH_OK;
}

struct held_graph *feed_hold(struct feed *feed)
{
    if (feed->graph != NULL)
        feed->graph->users++;
    return feed->graph;
}

bool feed_loaded(const struct feed *feed)
{
    return feed->graph != NULL;
}

bool feed_current(const struct feed *feed)
{
    return feed->graph != NULL && feed->changefeed != NULL &&
           sh_changefeed_current(feed->changefeed);
}

bool feed_behind(const struct feed *feed)
{
    return feed->changefeed == NULL || sh_changefeed_age_ms(feed->changefeed) > BEHIND_MS;
}

bool feed_position(const struct feed *feed, struct sh_changefeed_position *out)
{
    if (feed->changefeed == NULL)
        return false;
    *out = sh_changefeed_position(feed->changefeed);
    return true;
}

enum sh_err feed_wait(struct feed *feed, uint64_t xid, uint64_t deadline_ms,
                      void (*done)(void *arg, enum sh_err err), void *arg)
{
    if (feed->changefeed == NULL)
        return SH_UNAVAILABLE;
    return sh_changefeed_wait(feed->changefeed, xid, deadline_ms, done, arg);
}

void feed_close(struct feed **feed_p)
{
    struct feed *feed = *feed_p;
    *feed_p = NULL;
    if (feed == NULL)
        return;
    feed->closing = true;
    uv_timer_stop(&feed->timer);
    uv_timer_stop(&feed->look);
    sh_keeper_stop(feed->keeper);
    sh_changefeed_close(&feed->changefeed);
    (void)feed_interrupted(feed); /* now, or when what is under way returns */
}
