/* From a snapshot, and to one. */
#include <assert.h>
#include <string.h>

#include "services/search/feed/feed_internal.h"
#include "services/search/store/statements.h"
#include "services/search/view/view_snapshot.h"
#include "shared/log.h"

static struct sh_keeper_metrics metrics = SH_KEEPER_METRICS("search", "view");

/* --- on the writer's thread ------------------------------------------------------- */

static enum sh_err peek(void *arg, const char *path, char note[SH_KEEPER_NOTE + 1],
                        const char **refused)
{
    const struct feed *feed = arg;
    struct view_snapshot_about about;

    static_assert(sizeof(about.note) == SH_KEEPER_NOTE + 1, "room for every note");
    enum sh_err err = view_snapshot_peek(path, &about);
    if (err != SH_OK)
        return err;
    memcpy(note, about.note, sizeof(about.note));
    if (strcmp(about.fingerprint, feed->fingerprint) != 0 ||
        about.dimension != feed->dimension)
        *refused = "model";
    return SH_OK;
}

static enum sh_err load(void *arg, const char *path, void **view, const char **refused)
{
    const struct feed *feed = arg;
    const struct view_model model = {feed->fingerprint, feed->dimension,
                                     feed->model.alpha};
    struct held_view *held = NULL;
    enum sh_err err = held_new(&feed->options.view, &held);

    if (err == SH_OK)
        err = view_snapshot_load(held->view, &model, path);
    if (err == SH_OK)
        *view = held;
    else
        held_release(held);
    if (err == SH_CONFLICT)
        *refused = "vectors";
    return err;
}

static enum sh_err save(void *arg, void *view, const char *note, const char *path)
{
    const struct held_view *held = view;

    (void)arg;
    return view_snapshot_save(held->view, note, path);
}

/* --- on the loop's ---------------------------------------------------------------- */

static void on_loaded(void *arg, void *view, const struct sh_note *note)
{
    struct feed *feed = arg;

    if (feed_interrupted(feed)) {
        held_release(view);
        return;
    }
    if (view == NULL) {
        feed_load(feed);
        return;
    }
    feed->building = view;
    feed->start = note->position;
    feed->database[0] = '\0';
    feed->restored = true;
    memcpy(feed->sample, note->sample, sizeof(feed->sample));
    feed_follow(feed);
}

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
    sh_keeper_record(feed->keeper, reply);
    if (!feed->loaded && sh_keeper_load(feed->keeper) == SH_OK)
        feed->state = RESTORING;
    else
        feed_load(feed);
}

void feed_restore(struct feed *feed)
{
    struct sh_pg_step step = {.statement = &store_record};

    feed->state = IDENTIFYING;
    if (sh_keeper_dir(feed->keeper) != NULL)
        feed_ask(feed, &step, on_record);
    else
        feed_load(feed);
}

static void *next(void *arg, struct sh_note *note)
{
    struct feed *feed = arg;

    if (feed->state != FOLLOWING || feed->building != NULL || feed->again ||
        feed->closing || (feed->dimension > 0 && feed->options.view.vectors.rows == NULL))
        return NULL;
    note->position = sh_changefeed_position(feed->changefeed);
    memcpy(note->sample, feed->sample, sizeof(note->sample));
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

    if (feed->closing)
        (void)feed_interrupted(feed);
}

enum sh_err feed_keep_snapshots(struct feed *feed)
{
    const struct sh_keeper_options options = {.dir = feed->options.data_dir,
                                              .writer = feed->options.writer,
                                              .metrics = &metrics,
                                              .every_s = feed->options.snapshot_s,
                                              .reads = {store_page_all.sql},
                                              .peek = peek,
                                              .load = load,
                                              .save = save,
                                              .loaded = on_loaded,
                                              .next = next,
                                              .release = release,
                                              .current = current,
                                              .saved = on_saved,
                                              .arg = feed};
    enum sh_err err = sh_keeper_create(feed->loop, &options, &feed->keeper);

    if (err != SH_OK)
        return err;
    feed->options.view.vectors.rows = sh_keeper_dir(feed->keeper);
    if (feed->options.view.vectors.rows != NULL)
        vector_index_clean(feed->options.view.vectors.rows);
    return SH_OK;
}

struct sh_keeper_state feed_snapshots(const struct feed *feed)
{
    return sh_keeper_state(feed->keeper);
}

void feed_drain(struct feed *feed, void (*done)(void *arg), void *arg)
{
    sh_keeper_drain(feed->keeper, done, arg);
}
