/* From a snapshot, and to one. */
#include <assert.h>

#include "services/graph/feed/feed_internal.h"
#include "services/graph/snapshot/snapshot.h"

static struct sh_keeper_metrics metrics = SH_KEEPER_METRICS("graph", "graph");

/* --- on the writer's thread ------------------------------------------------------- */

static enum sh_err peek(void *arg, const char *path, char note[SH_KEEPER_NOTE + 1],
                        const char **refused)
{
    (void)arg;
    (void)refused;
    static_assert((int)SNAPSHOT_NOTE == (int)SH_KEEPER_NOTE, "room for every note");
    return snapshot_peek(path, note);
}

static enum sh_err load(void *arg, const char *path, void **view, const char **refused)
{
    struct feed *feed = arg;
    struct held_graph *held = NULL;
    (void)refused;
    enum sh_err err = held_new(feed->options.names, &held);
    if (err == SH_OK)
        err = snapshot_load(held->graph, path);
    if (err == SH_OK)
        *view = held;
    else
        held_release(held);
    return err;
}

static enum sh_err save(void *arg, void *view, const char *note, const char *path)
{
    const struct caller everything = {.schema = 0};
    struct held_graph *held = view;
    struct graph_reader reader;
    (void)arg;
    enum sh_err err = graph_enter(held->graph, &everything, &reader);
    if (err != SH_OK)
        return err;
    err = snapshot_save(&reader, note, path);
    graph_leave(&reader);
    return err;
}

/* --- on the loop's ---------------------------------------------------------------- */

static void begin_loading(struct feed *feed)
{
    feed->state = POSITIONING;
    feed_go_on(feed);
}

static void on_loaded(void *arg, void *view, const struct sh_note *note)
{
    struct feed *feed = arg;
    if (feed_interrupted(feed)) {
        held_release(view);
        return;
    }
    if (view == NULL) {
        begin_loading(feed);
        return;
    }
    feed->building = view;
    feed->start = note->position;
    feed->database[0] = '\0';
    feed->restored = true;
    feed->state = FOLLOWING;
    feed_follow(feed);
}

void feed_take_record(struct feed *feed, const struct sh_pg_reply *reply)
{
    sh_keeper_record(feed->keeper, reply);
    if (feed->graph == NULL && sh_keeper_load(feed->keeper) == SH_OK)
        feed->state = RESTORING;
    else
        begin_loading(feed);
}

static void *next(void *arg, struct sh_note *note)
{
    struct feed *feed = arg;
    if (feed->state != FOLLOWING || feed->changefeed == NULL || feed->graph == NULL ||
        feed->building != NULL || feed->again || feed->closing)
        return NULL;
    note->position = sh_changefeed_position(feed->changefeed);
    return feed_hold(feed);
}

static void release(void *view)
{
    held_release(view);
}

static bool current(void *arg)
{
    return feed_current(arg);
}

static void on_saved(void *arg)
{
    struct feed *feed = arg;
    if (feed->closing || feed->again)
        (void)feed_interrupted(feed);
}

enum sh_err feed_keep_snapshots(struct feed *feed)
{
    const struct sh_keeper_options options = {
        .dir = feed->options.data_dir,
        .writer = feed->options.writer,
        .metrics = &metrics,
        .every_s = feed->options.snapshot_s,
        .reads = {rows_nodes_page.sql, rows_edges_page.sql},
        .peek = peek,
        .load = load,
        .save = save,
        .loaded = on_loaded,
        .next = next,
        .release = release,
        .current = current,
        .saved = on_saved,
        .arg = feed};
    return sh_keeper_create(feed->loop, &options, &feed->keeper);
}

void feed_drain(struct feed *feed, void (*done)(void *arg), void *arg)
{
    sh_keeper_drain(feed->keeper, done, arg);
}
