#include <stdio.h>

#include <xxhash.h>

#include "services/search/feed/feed_internal.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { REST = 20 }; /* a snapshot that took a second is followed by so many without */

/* --- from a snapshot -----------------------------------------------------------------
 */

static void on_snapshot(void *arg, struct held_view *view, const struct sh_note *note)
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
    feed->unsaved = false;
    memcpy(feed->sample, note->sample, sizeof(feed->sample));
    feed_follow(feed);
}

/* What is read of the record is part of what it is. */
static void take_record(struct feed *feed, const PGresult *row)
{
    struct sh_record_state *record = &feed->record;
    const char *sql = store_page_all.sql;
    const char *identity = PQgetvalue(row, 0, 0);

    *record =
        (struct sh_record_state){.horizon = {sh_pg_u64(row, 0, 1), sh_pg_u64(row, 0, 2)},
                                 .after = sh_pg_u64(row, 0, 3)};
    if (identity[0] != '\0')
        (void)snprintf(record->identity, sizeof(record->identity), "%.128s-%016llx",
                       identity, (unsigned long long)XXH3_64bits(sql, strlen(sql)));
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
    feed->record = (struct sh_record_state){0};
    if (reply->err == SH_OK)
        take_record(feed, reply->results[0]);
    else
        sh_warning(NULL, "no snapshots: the database does not say which one it is: %s",
                   reply->message);
    if (!feed->loaded && feed->record.identity[0] != '\0' &&
        keeper_load(feed->keeper, &feed->record, feed->options.model, &feed->options.view,
                    on_snapshot, feed) == SH_OK)
        feed->state = RESTORING;
    else
        feed_load(feed);
}

void feed_restore(struct feed *feed)
{
    struct sh_pg_step step = {.statement = &store_record};

    feed->state = IDENTIFYING;
    if (keeper_works(feed->keeper))
        feed_ask(feed, &step, on_record);
    else
        feed_load(feed);
}

/* --- to a snapshot -------------------------------------------------------------------
 */

static void drained(struct feed *feed)
{
    void (*done)(void *arg) = feed->drained;

    feed->drained = NULL;
    if (done != NULL)
        done(feed->drained_arg);
}

static bool save(struct feed *feed);

static void on_saved(void *arg, enum sh_err err)
{
    struct feed *feed = arg;

    feed->saved_ms = sh_now_ms();
    feed->unsaved = feed->unsaved || err != SH_OK;
    if (feed->drained != NULL && (err != SH_OK || !save(feed)))
        drained(feed);
    if (feed->closing)
        (void)feed_interrupted(feed);
}

/* What the view has of later changes does no harm: they are taken again. False: there is
 * nothing to do, or it cannot be done. */
static bool save(struct feed *feed)
{
    struct sh_note note;

    if (feed->state != FOLLOWING || feed->building != NULL || feed->again ||
        feed->closing || !feed->unsaved || feed->record.identity[0] == '\0' ||
        (feed->dimension > 0 && feed->options.view.vectors.rows == NULL))
        return false;
    note.position = sh_changefeed_position(feed->changefeed);
    memcpy(note.identity, feed->record.identity, sizeof(note.identity));
    memcpy(note.sample, feed->sample, sizeof(note.sample));
    if (keeper_save(feed->keeper, feed->view, &note, on_saved, feed) != SH_OK)
        return false;
    feed->unsaved = false;
    return true;
}

static void on_save(uv_timer_t *timer)
{
    struct feed *feed = timer->data;
    struct keeper_state state = keeper_state(feed->keeper);

    if (feed_current(feed) &&
        (double)(sh_now_ms() - feed->saved_ms) >= state.save_s * 1000 * REST)
        (void)save(feed); /* or the next time */
}

/* After a whole load: it took so long that it should not be for one start only. */
void feed_save_first(struct feed *feed)
{
    if (keeper_state(feed->keeper).saved_at == 0)
        (void)save(feed);
}

void feed_save_regularly(struct feed *feed)
{
    uint64_t every_ms = (uint64_t)feed->options.snapshot_s * 1000;

    if (keeper_works(feed->keeper))
        uv_timer_start(&feed->save, on_save, every_ms, every_ms);
}

struct keeper_state feed_snapshots(const struct feed *feed)
{
    return keeper_state(feed->keeper);
}

void feed_drain(struct feed *feed, void (*done)(void *arg), void *arg)
{
    feed->drained = done;
    feed->drained_arg = arg;
    if (!keeper_busy(feed->keeper) && !save(feed))
        drained(feed);
}
