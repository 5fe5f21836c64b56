#include "services/backup/physical/recovered.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "services/backup/restore/load.h"
#include "services/backup/verify/facts.h"
#include "shared/clock.h"

enum { WAIT_MS = 30000, PAUSE_NS = 200000000 };

static const json_t *about(const struct recovered *recovered)
{
    return json_object_get(recovered->tree.manifest, "database");
}

/* --- where recovery is to end ----------------------------------------------------- */

/* It is there, or will not be there soon. */
static bool stored(const struct recovered *recovered, uint64_t lsn)
{
    const struct chain *chain = &recovered->chain;
    double at = recovered->until.kind == UNTIL_TIME ? recovered->until.at : 0;

    return chain->missing > 0 ||
           (chain->through > lsn && (chain->at >= at || at > sh_wall_time()));
}

/* While the log is being stored, what is behind the set will be there in a moment. */
static enum sh_err await_log(struct recovered *recovered, uint64_t lsn)
{
    const struct timespec pause = {0, PAUSE_NS};
    uint64_t begun_ms = sh_now_ms();
    enum sh_err err =
        chain_of_set(recovered->work, recovered->tree.manifest, &recovered->chain);

    while (err == SH_OK && recovered->work->all->backup.wal && !stored(recovered, lsn) &&
           sh_now_ms() - begun_ms < WAIT_MS) {
        (void)nanosleep(&pause, NULL);
        chain_close(&recovered->chain);
        err = work_go_on(recovered->work);
        if (err == SH_OK)
            err = chain_of_set(recovered->work, recovered->tree.manifest,
                               &recovered->chain);
    }
    return err;
}

/* Room for what was saved, for the log, and for what the log makes of it. */
static uint64_t room_for(const struct recovered *recovered)
{
    const json_t *streams = json_object_get(recovered->tree.manifest, "streams");
    json_int_t base = json_integer_value(
        json_object_get(json_object_get(streams, "base"), "raw_bytes"));

    return (uint64_t)base + 2 * recovered->chain.count * recovered->chain.size;
}

static enum sh_err choose(struct recovered *recovered, const char *until)
{
    const char *counted =
        json_string_value(json_object_get(about(recovered), "facts_lsn"));
    bool exact = json_is_true(json_object_get(about(recovered), "facts_exact"));
    bool alone = json_is_true(json_object_get(about(recovered), "facts_alone"));
    uint64_t lsn = 0;
    enum sh_err err;

    if (until_parse(until, &recovered->until) != SH_OK)
        return work_fail(recovered->work, SH_INVALID,
                         "until is latest, a position (16/B374D848) or a time "
                         "(2026-01-31T12:00:00Z)");
    if (!lsn_parse(counted, &lsn))
        exact = alone = false;
    err = await_log(recovered, until[0] == '\0' && exact ? lsn : 0);
    if (err == SH_OK && until[0] == '\0' && exact && !alone &&
        lsn < recovered->chain.through)
        err = until_parse(counted, &recovered->until);
    recovered->equal = (recovered->until.kind == UNTIL_POSITION && exact &&
                        recovered->until.lsn == lsn) ||
                       (recovered->until.kind == UNTIL_SET && alone);
    recovered->later = until[0] != '\0' && recovered->until.kind != UNTIL_SET;
    return err == SH_OK
               ? recover_reaches(&recovered->tree, &recovered->chain, &recovered->until)
               : err;
}

/* --- comparing -------------------------------------------------------------------- */

/* What is there at all is as it should be, whatever its number. */
static json_t *numbers_of(const json_t *saved, const json_t *found)
{
    static const char *const groups[] = {"tables", "vectors"};
    static const char *const single[] = {"foreign_keys", "indexes"};
    json_t *copy = json_deep_copy(saved);

    for (size_t i = 0; i < SH_COUNT(groups); i++) {
        const json_t *others = json_object_get(found, groups[i]);
        json_t *group = json_object_get(copy, groups[i]);
        const char *name;
        json_t *value;
        void *next;
        json_object_foreach_safe(group, next, name, value)
        {
            json_t *other = json_object_get(others, name);
            if (other != NULL && json_is_integer(value))
                json_object_set(group, name, other);
            else if (other != NULL)
                json_object_set(value, "count", json_object_get(other, "count"));
        }
    }
    for (size_t i = 0; i < SH_COUNT(single); i++)
        if (json_object_get(found, single[i]) != NULL)
            json_object_set(copy, single[i], json_object_get(found, single[i]));
    return copy;
}

/* What is not there any more at a later moment was removed by then. */
static void judge(struct recovered *recovered, json_t *differences)
{
    if (!recovered->equal && recovered->later)
        json_object_set_new(recovered->result, "changed", json_copy(differences));
    else
        json_array_extend(recovered->problems, differences);
}

static enum sh_err compare(struct recovered *recovered, PGconn *conn)
{
    const json_t *facts = json_object_get(recovered->tree.manifest, "facts");
    json_t *found = NULL;
    json_t *golden = NULL;
    enum sh_err err = facts_count(recovered->work, conn, &found);

    if (err != SH_OK)
        return err;
    json_t *saved = recovered->equal ? json_deep_copy(facts) : numbers_of(facts, found);
    json_t *differences = facts_compare(saved, found);
    if (differences == NULL)
        err = SH_NOMEM;
    else
        judge(recovered, differences);
    json_object_set_new(recovered->result, "found", found);
    json_object_set_new(recovered->result, "counts",
                        json_string(recovered->equal ? "equal" : "about"));
    if (err == SH_OK)
        err = load_golden(recovered->work, recovered->tree.folder,
                          recovered->tree.manifest, &golden);
    if (err == SH_OK) /* at another moment a passage may be gone: no fault of the set */
        err = facts_search(recovered->work, conn, golden,
                           recovered->equal ? recovered->problems : differences);
    json_decref(golden);
    json_decref(saved);
    json_decref(differences);
    return err;
}

static enum sh_err look(struct recovered *recovered)
{
    char conninfo[BACKUP_PATH];
    json_t *told = NULL;

    recover_conninfo(&recovered->tree, &recovered->scratch, conninfo);
    work_stage(recovered->work, "compare");
    PGconn *conn = database_open(recovered->work, conninfo, NULL);
    enum sh_err err = conn != NULL
                          ? recover_told(&recovered->tree, conn, &recovered->until, &told)
                          : SH_UPSTREAM;
    if (told != NULL)
        json_object_set_new(recovered->result, "recovered", told);
    if (err == SH_OK)
        err = compare(recovered, conn);
    PQfinish(conn);
    return err;
}

/* --- all of it -------------------------------------------------------------------- */

static enum sh_err build(struct recovered *recovered)
{
    enum sh_err err = tree_unpack(&recovered->tree);

    if (err == SH_OK)
        err = tree_verify(&recovered->tree);
    if (err == SH_OK)
        err = tree_log(&recovered->tree, &recovered->chain);
    if (err == SH_OK)
        err = recover_start(&recovered->tree, &recovered->chain, &recovered->until, false,
                            &recovered->scratch);
    return err == SH_OK ? look(recovered) : err;
}

static enum sh_err make_data(struct recovered *recovered)
{
    const struct scratch *scratch = &recovered->scratch;
    char *path = recovered->path;

    (void)snprintf(path, BACKUP_PATH, "%.1000s/data", scratch->folder);
    if (mkdir(path, 0700) != 0 ||
        (geteuid() == 0 && chown(path, scratch->uid, scratch->gid) != 0))
        return work_fail(recovered->work, SH_IO, "%.200s: %s", path, strerror(errno));
    return SH_OK;
}

enum sh_err recovered_choose(struct work *work, int folder, const json_t *manifest,
                             const char *until, struct recovered *out)
{
    *out = (struct recovered){.work = work,
                              .tree = {work, folder, manifest, out->path, 0, 0},
                              .chain = {.store = -1},
                              .scratch = {.lock = -1}};
    return choose(out, until);
}

enum sh_err recovered_start(struct recovered *recovered, json_t *report)
{
    struct work *work = recovered->work;
    enum sh_err err;

    recovered->problems = json_object_get(report, "problems");
    recovered->result = json_object_get(report, "result");
    work_stage(work, "scratch");
    err = scratch_begin(work, room_for(recovered), &recovered->scratch);
    recovered->tree.uid = recovered->scratch.uid;
    recovered->tree.gid = recovered->scratch.gid;
    if (err == SH_OK)
        err = make_data(recovered);
    return err == SH_OK ? build(recovered) : err;
}

void recovered_close(struct recovered *recovered)
{
    scratch_close(recovered->work, &recovered->scratch);
    chain_close(&recovered->chain);
}
