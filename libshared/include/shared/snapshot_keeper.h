/* snapshot_keeper: what a replica does with snapshots of its view: it finds the newest
 * good one at the start, writes one after the first load, then now and then, and a last
 * one at the end. Reading and writing happen on the one thread that changes the view;
 * questions go on. Whatever goes wrong is logged and counted, and the view then comes
 * from the record. Loop thread only, but for the callbacks that say otherwise. */
#ifndef SHARED_SNAPSHOT_KEEPER_H
#define SHARED_SNAPSHOT_KEEPER_H

#include "shared/metrics.h"
#include "shared/note.h"
#include "shared/pg.h"
#include "shared/workers.h"

enum { SH_KEEPER_NOTE = 512, SH_KEEPER_READS = 4 };

/* What operators can set of it: rows of a service's table (config.h), for `dir` and
 * `every_s`. */
#define SH_KEEPER_SETTINGS(S, name, view, changes)                                       \
    S(str, data_dir, name, "", 0, 3800, 0, "",                                           \
      "directory of this replica's own for snapshots of its " view                       \
      "; empty: none, every "                                                            \
      "start reads the whole record")                                                    \
    S(u32, snapshot_s, "SNAPSHOT_INTERVAL", "300", 1, 86400, 0, "",                      \
      "seconds between snapshots while " changes "; one is also written at the end")

/* A service's own, static: they stay registered. */
struct sh_keeper_metrics {
    struct sh_family loads;
    struct sh_family saves;
    struct sh_family load_s;
    struct sh_family save_s;
    struct sh_family saved_at;
};
#define SH_KEEPER_METRICS(service, view)                                                 \
    {                                                                                    \
        .loads = {.kind = SH_COUNTER,                                                    \
                  .name = "cairn_" service "_snapshot_loads_total",                      \
                  .help = "Attempts to start from a snapshot of the " view               \
                          ", by what came of them.",                                     \
                  .labels = {"outcome"}},                                                \
        .saves = {.kind = SH_COUNTER,                                                    \
                  .name = "cairn_" service "_snapshot_saves_total",                      \
                  .help = "Snapshots of the " view " written.",                          \
                  .labels = {"status"}},                                                 \
        .load_s = {.kind = SH_GAUGE,                                                     \
                   .name = "cairn_" service "_snapshot_load_seconds",                    \
                   .help = "How long loading the snapshot took."},                       \
        .save_s = {.kind = SH_GAUGE,                                                     \
                   .name = "cairn_" service "_snapshot_save_seconds",                    \
                   .help = "How long writing the last snapshot took; changes wait "      \
                           "meanwhile."},                                                \
        .saved_at = {                                                                    \
            .kind = SH_GAUGE,                                                            \
            .name = "cairn_" service "_snapshot_saved_timestamp_seconds",                \
            .help = "Unix time of the last snapshot that this process has "              \
                    "written."                                                           \
        }                                                                                \
    }

struct sh_keeper_options {
    const char *dir; /* NULL, "": nothing is kept. Borrowed for create */
    struct sh_workers *writer;
    struct sh_keeper_metrics *metrics;
    uint32_t every_s; /* between two when anything changed; 0: no regular ones */
    /* The SQL by which the view is read: a snapshot of what was read otherwise is of no
     * use. The first NULL ends them. */
    const char *reads[SH_KEEPER_READS];

    /* --- on the writer's thread; `path` is the snapshot's directory --- */
    /* Its note, and in *refused, which is NULL, why it is of no use though it is whole
     * (a string that stays). Little of it is read. Errors: SH_NOTFOUND, SH_MALFORMED: it
     * is set aside; others: it stays. */
    enum sh_err (*peek)(void *arg, const char *path, char note[SH_KEEPER_NOTE + 1],
                        const char **refused);
    /* A view of it. Errors: SH_MALFORMED: it is set aside; SH_CONFLICT: of no use, as
     * *refused then says; others: it stays. */
    enum sh_err (*load)(void *arg, const char *path, void **view, const char **refused);
    /* Into an empty directory; it is on the disk afterwards. */
    enum sh_err (*save)(void *arg, void *view, const char *note, const char *path);

    /* --- on the loop's --- */
    /* NULL: no snapshot can be followed; else it is the callee's. `note` is borrowed. */
    void (*loaded)(void *arg, void *view, const struct sh_note *note);
    /* What is to be written, and its position and sample; what it has of later changes
     * does no harm: they are taken again. The keeper lets it go with `release`. NULL:
     * nothing can be written now. */
    void *(*next)(void *arg, struct sh_note *note);
    void (*release)(void *view);
    /* Regular ones are written only while the view is current. */
    bool (*current)(void *arg);
    /* No snapshot is being written any more. */
    void (*saved)(void *arg);
    void *arg;
};

struct sh_keeper;

/* A directory that cannot be used is the same as none, with a warning. Errors: SH_NOMEM.
 */
SH_CHECK enum sh_err sh_keeper_create(uv_loop_t *loop,
                                      const struct sh_keeper_options *options,
                                      struct sh_keeper **out);
/* No regular ones from now on. */
void sh_keeper_stop(struct sh_keeper *self);
/* When nothing is under way. Memory goes on a later loop turn. NULL is fine. */
void sh_keeper_close(struct sh_keeper **self);
/* The directory, which is there and ours; NULL: nothing is kept. */
const char *sh_keeper_dir(const struct sh_keeper *self);
/* A snapshot is being read or written. */
bool sh_keeper_busy(const struct sh_keeper *self);

/* SQL (one row) for what the record says of itself. `outbox` is a string literal,
 * `tables` one with the oids of all that is read. */
#define SH_KEEPER_RECORD_SQL(outbox, tables)                                             \
    "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE (SELECT concat_ws('-', "          \
    "system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), "         \
    "(SELECT oid FROM pg_database WHERE datname = current_database()), " tables          \
    ", '" outbox "'::regclass::oid) FROM pg_control_system()) END, "                     \
    "h.xid, h.seq, pg_snapshot_xmax(pg_current_snapshot())::text "                       \
    "FROM (SELECT) AS once LEFT JOIN outbox_horizon h ON h.outbox = '" outbox "' "       \
    "AND h.xid < pg_snapshot_xmax(pg_current_snapshot())"
/* Its reply. One that failed: the record is not known, so there are no snapshots of it.
 */
void sh_keeper_record(struct sh_keeper *self, const struct sh_pg_reply *reply);

/* `loaded` once, never from inside this call. Errors: SH_UNAVAILABLE (nothing is kept, or
 * the record is not known), SH_BUSY, SH_CANCELED; `loaded` is then never called. */
SH_CHECK enum sh_err sh_keeper_load(struct sh_keeper *self);

/* The view is not what the last snapshot shows. */
void sh_keeper_changed(struct sh_keeper *self);
/* After a whole load, which took so long that it should not be for one start only: the
 * first one of this process. */
void sh_keeper_save_first(struct sh_keeper *self);
/* Before an end: `done` when a snapshot shows what the view shows, or cannot; perhaps
 * from inside this call. Once only. */
void sh_keeper_drain(struct sh_keeper *self, void (*done)(void *arg), void *arg);

struct sh_keeper_state {
    const char *loaded; /* what came of loading: "", "loaded", "none", "corrupt",
                           "database", "trimmed", "failed", or as the service refused */
    double load_s;
    double saved_at; /* Unix time, 0: not by this process */
    double save_s;
    uint64_t failures; /* to save */
};
struct sh_keeper_state sh_keeper_state(const struct sh_keeper *self);

#endif
