/* From a snapshot, and to one. */
#include <stdio.h>

#include <xxhash.h>

#include "services/graph/feed/feed_internal.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { REST = 20 }; /* a snapshot that took a second is followed by so many without */

/* --- from a snapshot -----------------------------------------------------------------
 */

static void load(struct feed *feed)
{
    feed->state = POSITIONING;
    feed_go_on(feed);
}

static void on_loaded(void *arg, struct held_graph *held, const struct sh_note *note)
{
    struct feed *feed = arg;
    if (feed_interrupted(feed)) {
        held_release(held);
        return;
    }
    if (held == NULL) {
        load(feed);
        return;
    }
    feed->building = held;
    feed->start = note->position;
    feed->database[0] = '\0';
    feed->restored = true;
    feed->unsaved = false;
    feed->state = FOLLOWING;
    feed_follow(feed);
}

/* What is read of the record is part of what it is. */
static void take_record(struct feed *feed, const PGresult *row)
{
    const char *identity = PQgetvalue(row, 0, 0);
    uint64_t sql = XXH3_64bits(rows_nodes_page.sql, strlen(rows_nodes_page.sql)) ^
                   XXH3_64bits(rows_edges_page.sql, strlen(rows_edges_page.sql));
    feed->record =
        (struct sh_record_state){.horizon = {sh_pg_u64(row, 0, 1), sh_pg_u64(row, 0, 2)},
                                 .after = sh_pg_u64(row, 0, 3)};
    if (identity[0] != '\0')
        (void)snprintf(feed->record.identity, sizeof(feed->record.identity),
                       "%.128s-%016llx", identity, (unsigned long long)sql);
}

void feed_take_record(struct feed *feed, const struct sh_pg_reply *reply)
{
    feed->record = (struct sh_record_state){0};
    if (reply->err == SH_OK)
        take_record(feed, reply->results[0]);
    else
        sh_warning(NULL, "no snapshots: the database does not say which one it is: %s",
                   reply->message);
    if (feed->graph == NULL && feed->record.identity[0] != '\0' &&
        keeper_load(feed->keeper, &feed->record, feed->options.names, on_loaded, feed) ==
            SH_OK)
        feed->state = RESTORING;
    else
        load(feed);
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
    if (feed->closing || feed->again)
        (void)feed_interrupted(feed);
}

/* What the graph has of later changes does no harm: they are taken again. False: there is
 * nothing to do, or it cannot be done. */
static bool save(struct feed *feed)
{
    struct sh_note note = {.sample = ""};
    if (feed->state != FOLLOWING || feed->changefeed == NULL || feed->graph == NULL ||
        feed->building != NULL || feed->again || feed->closing || !feed->unsaved ||
        feed->record.identity[0] == '\0')
        return false;
    note.position = sh_changefeed_position(feed->changefeed);
    memcpy(note.identity, feed->record.identity, sizeof(note.identity));
    if (keeper_save(feed->keeper, feed->graph, &note, on_saved, feed) != SH_OK)
        return false;
    feed->unsaved = false;
    return true;
}

static void on_save(uv_timer_t *timer)
{
    struct feed *feed = timer->data;
    double rest_ms = keeper_save_s(feed->keeper) * 1000 * REST;
    if (feed_current(feed) && (double)(sh_now_ms() - feed->saved_ms) >= rest_ms)
        (void)save(feed); /* or the next time */
}

void feed_save_first(struct feed *feed)
{
    if (feed->saved_ms == 0)
        (void)save(feed);
}

void feed_save_regularly(struct feed *feed)
{
    uint64_t every_ms = (uint64_t)feed->options.snapshot_s * 1000;
    if (keeper_works(feed->keeper) && every_ms > 0)
        uv_timer_start(&feed->save, on_save, every_ms, every_ms);
}

void feed_drain(struct feed *feed, void (*done)(void *arg), void *arg)
{
    feed->drained = done;
    feed->drained_arg = arg;
    if (!keeper_busy(feed->keeper) && !save(feed))
        drained(feed);
}
