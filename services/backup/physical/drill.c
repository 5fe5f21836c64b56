#include "services/backup/physical/drill.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/physical/recover.h"
#include "services/backup/restore/load.h"
#include "services/backup/verify/facts.h"
#include "shared/clock.h"

enum { WAIT_MS = 30000, PAUSE_NS = 200000000 };

struct drilling {
    struct work *work;
    struct tree tree;
    struct chain chain;
    struct until until;
    bool equal; /* the numbers must be */
    struct scratch *scratch;
    json_t *problems;
    json_t *result;
};

static const json_t *about(const struct drilling *drilling)
{
    return json_object_get(drilling->tree.manifest, "database");
}

/* --- the stored log --------------------------------------------------------------- */

static void tell_chain(const struct chain *chain, json_t *result)
{
    char through[LSN_TEXT] = "";
    char when[32] = "";

    if (chain->through > 0)
        lsn_text(chain->through, through);
    if (chain->at > 0)
        sh_wall_text(chain->at, when);
    json_object_set_new(
        result, "log",
        json_pack("{s:I, s:s, s:s, s:I, s:s}", "segments", (json_int_t)chain->count,
                  "through", through, "recovery_point", when, "missing",
                  (json_int_t)chain->missing, "first_missing", chain->first_missing));
}

/* What counts is the newest set: behind an older one recovery ends at the gap, and goes
 * on from the next. */
static bool newer_there(struct work *work, const json_t *manifest)
{
    const char *id = json_string_value(json_object_get(manifest, "id"));
    struct sets sets;
    bool found = false;

    if (sets_read(work->all->backup.directory, &sets) == SH_OK)
        for (size_t i = 0; i < sets.count && !sh_bytes_is(sets.list[i].id, id ? id : "");
             i++)
            found = found || sh_bytes_is(sets.list[i].kind, "physical");
    sets_free(&sets);
    return found;
}

static void judge_chain(struct work *work, const struct chain *chain,
                        const json_t *manifest, json_t *problems)
{
    char text[200];

    if (chain->missing == 0 || newer_there(work, manifest))
        return;
    (void)snprintf(text, sizeof(text),
                   "%llu segments of the log behind the set are missing, the first is %s",
                   (unsigned long long)chain->missing, chain->first_missing);
    json_array_append_new(problems, json_string(text));
}

enum sh_err physical_check(struct work *work, int folder, const json_t *manifest,
                           bool open, json_t *report)
{
    json_t *problems = json_object_get(report, "problems");
    struct chain chain;
    enum sh_err err = open ? tree_list(work, folder, manifest) : SH_OK;

    if (err != SH_OK)
        return err;
    err = chain_of_set(work, manifest, &chain);
    if (err == SH_OK && chain.through > 0)
        err = chain_check(&chain);
    tell_chain(&chain, json_object_get(report, "result"));
    if (err == SH_OK)
        judge_chain(work, &chain, manifest, problems);
    chain_close(&chain);
    return err;
}

/* --- where recovery is to end ----------------------------------------------------- */

/* While the log is being stored, what is behind the set will be there in a moment. */
static enum sh_err await_log(struct drilling *drilling, uint64_t lsn)
{
    const struct timespec pause = {0, PAUSE_NS};
    uint64_t begun_ms = sh_now_ms();
    enum sh_err err =
        chain_of_set(drilling->work, drilling->tree.manifest, &drilling->chain);

    while (err == SH_OK && drilling->work->all->backup.wal &&
           drilling->chain.missing == 0 && drilling->chain.through <= lsn &&
           sh_now_ms() - begun_ms < WAIT_MS) {
        (void)nanosleep(&pause, NULL);
        chain_close(&drilling->chain);
        err = work_go_on(drilling->work);
        if (err == SH_OK)
            err = chain_of_set(drilling->work, drilling->tree.manifest, &drilling->chain);
    }
    return err;
}

static enum sh_err choose(struct drilling *drilling, const char *until)
{
    const char *counted =
        json_string_value(json_object_get(about(drilling), "facts_lsn"));
    bool exact = json_is_true(json_object_get(about(drilling), "facts_exact"));
    bool alone = json_is_true(json_object_get(about(drilling), "facts_alone"));
    uint64_t lsn = 0;
    enum sh_err err;

    if (until_parse(until, &drilling->until) != SH_OK)
        return work_fail(drilling->work, SH_INVALID,
                         "until is latest, a position (16/B374D848) or a time "
                         "(2026-01-31T12:00:00Z)");
    if (!lsn_parse(counted, &lsn))
        exact = alone = false;
    err = await_log(drilling, until[0] == '\0' && exact ? lsn : 0);
    if (err == SH_OK && until[0] == '\0' && exact && !alone &&
        lsn < drilling->chain.through)
        err = until_parse(counted, &drilling->until);
    drilling->equal =
        (drilling->until.kind == UNTIL_POSITION && exact && drilling->until.lsn == lsn) ||
        (drilling->until.kind == UNTIL_SET && alone);
    return err == SH_OK
               ? recover_reaches(&drilling->tree, &drilling->chain, &drilling->until)
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

static enum sh_err compare(struct drilling *drilling, PGconn *conn)
{
    const json_t *facts = json_object_get(drilling->tree.manifest, "facts");
    json_t *found = NULL;
    json_t *golden = NULL;
    enum sh_err err = facts_count(drilling->work, conn, &found);

    if (err != SH_OK)
        return err;
    json_t *saved = drilling->equal ? json_deep_copy(facts) : numbers_of(facts, found);
    json_t *differences = facts_compare(saved, found);
    if (differences == NULL)
        err = SH_NOMEM;
    json_array_extend(drilling->problems, differences);
    json_object_set_new(drilling->result, "found", found);
    json_object_set_new(drilling->result, "counts",
                        json_string(drilling->equal ? "equal" : "about"));
    if (err == SH_OK)
        err = load_golden(drilling->work, drilling->tree.folder, drilling->tree.manifest,
                          &golden);
    if (err ==
        SH_OK) /* at another moment a passage may be gone, and no fault of the set */
        err = facts_search(drilling->work, conn, golden,
                           drilling->equal ? drilling->problems : differences);
    json_decref(golden);
    json_decref(saved);
    json_decref(differences);
    return err;
}

static enum sh_err look(struct drilling *drilling)
{
    char conninfo[BACKUP_PATH];
    json_t *told = NULL;

    recover_conninfo(&drilling->tree, drilling->scratch, conninfo);
    work_stage(drilling->work, "compare");
    PGconn *conn = database_open(drilling->work, conninfo, NULL);
    enum sh_err err = conn != NULL
                          ? recover_told(&drilling->tree, conn, &drilling->until, &told)
                          : SH_UPSTREAM;
    if (told != NULL)
        json_object_set_new(drilling->result, "recovered", told);
    if (err == SH_OK)
        err = compare(drilling, conn);
    PQfinish(conn);
    return err;
}

/* --- both ways -------------------------------------------------------------------- */

static enum sh_err build(struct drilling *drilling, bool keep)
{
    enum sh_err err = tree_unpack(&drilling->tree);

    if (err == SH_OK)
        err = tree_verify(&drilling->tree);
    if (err == SH_OK)
        err = tree_log(&drilling->tree, &drilling->chain);
    if (err == SH_OK)
        err = recover_start(&drilling->tree, &drilling->chain, &drilling->until, keep,
                            drilling->scratch);
    return err == SH_OK ? look(drilling) : err;
}

static enum sh_err make_data(struct drilling *drilling, char path[static BACKUP_PATH])
{
    struct scratch *scratch = drilling->scratch;

    (void)snprintf(path, BACKUP_PATH, "%.1000s/data", scratch->folder);
    if (mkdir(path, 0700) != 0 ||
        (geteuid() == 0 && chown(path, scratch->uid, scratch->gid) != 0))
        return work_fail(drilling->work, SH_IO, "%.200s: %s", path, strerror(errno));
    return SH_OK;
}

enum sh_err physical_drill(struct work *work, int folder, const json_t *manifest,
                           const char *until, json_t *report)
{
    static struct scratch scratch;
    char path[BACKUP_PATH];
    double begun = sh_wall_time();
    struct drilling drilling = {.work = work,
                                .tree = {work, folder, manifest, path, 0, 0},
                                .chain = {.store = -1},
                                .scratch = &scratch,
                                .problems = json_object_get(report, "problems"),
                                .result = json_object_get(report, "result")};
    enum sh_err err = choose(&drilling, until);

    if (err == SH_OK)
        tell_chain(&drilling.chain, drilling.result);
    if (err == SH_OK) {
        work_stage(work, "scratch");
        err = scratch_begin(work, &scratch);
        drilling.tree.uid = scratch.uid;
        drilling.tree.gid = scratch.gid;
        if (err == SH_OK)
            err = make_data(&drilling, path);
        if (err == SH_OK)
            err = build(&drilling, false);
        scratch_close(work, &scratch);
        json_object_set_new(drilling.result, "restore_seconds",
                            json_real(sh_wall_time() - begun));
    }
    if (err == SH_OK && until[0] == '\0')
        judge_chain(work, &drilling.chain, manifest, drilling.problems);
    chain_close(&drilling.chain);
    return err;
}
