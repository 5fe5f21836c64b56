#include "services/backup/retain/prune.h"

#include <string.h>
#include <unistd.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/retain/retain.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/wal/coverage.h"
#include "shared/clock.h"
#include "shared/mem.h"

static struct retain_set *to_judge(const struct sets *sets)
{
    struct retain_set *all = sh_alloc_array(sets->count + 1, sizeof(*all));

    for (size_t i = 0; all != NULL && i < sets->count; i++) {
        all[i].kind = sets->list[i].kind.data;
        all[i].created_at = sets->list[i].created_at;
        all[i].verified = sets->list[i].verified;
        all[i].restored = sh_bytes_is(sets->list[i].proven, "restored");
    }
    return all;
}

static enum sh_err remove_unwanted(struct work *work, const struct sets *sets,
                                   const struct retain_set *judged, bool dry,
                                   json_t *result)
{
    json_t *kept = json_object_get(result, "kept");
    json_t *removed = json_object_get(result, "removed");
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < sets->count && err == SH_OK; i++) {
        const char *id = sets->list[i].id.data;
        if (judged[i].reason != NULL) {
            json_array_append_new(
                kept, json_pack("{s:s, s:s}", "id", id, "reason", judged[i].reason));
            continue;
        }
        if (!dry) {
            root_note(work, "removing %s: no rule keeps it", id);
            err = root_remove(work, id);
        }
        if (err == SH_OK)
            json_array_append_new(removed, json_string(id));
        if (err == SH_OK)
            err = work_go_on(work);
    }
    return err;
}

/* Before anything is removed: the originals that stay. *names NULL: a list cannot be
 * read, so all of them do, and the result says why. */
static enum sh_err needed(struct work *work, const json_t *leaving, json_t *result,
                          json_t **names)
{
    enum sh_err err = originals_named(work, leaving, names);

    if (err == SH_OK || err == SH_CANCELED || err == SH_NOMEM)
        return err;
    root_note(work, "originals are all kept: %s", work->error);
    json_object_set_new(result, "originals_kept", json_string(work->error));
    work->error[0] = '\0';
    return SH_OK;
}

static void sweep(struct work *work, const json_t *names, bool dry, json_t *result)
{
    uint64_t removed = names ? originals_sweep(work, names, dry) : 0;

    json_object_set_new(result, "originals_removed", json_integer((json_int_t)removed));
}

enum sh_err prune_sets(struct work *work, bool dry, json_t **result)
{
    const struct backup_config *config = &work->all->backup;
    struct retain_rules rules = {config->keep_days, config->keep_count,
                                 config->keep_daily, config->keep_weekly,
                                 config->keep_monthly};
    struct sets sets;
    json_t *leaving = json_object();
    json_t *names = NULL;
    uint64_t segments = 0;
    enum sh_err err = sets_read(config->directory, &sets);
    struct retain_set *judged = err == SH_OK ? to_judge(&sets) : NULL;

    work_stage(work, "prune");
    *result = json_pack("{s:[], s:[], s:b}", "kept", "removed", "dry_run", (int)dry);
    if (err == SH_OK && (judged == NULL || *result == NULL || leaving == NULL))
        err = SH_NOMEM;
    if (err == SH_OK) {
        retain_judge(&rules, sh_wall_time(), judged, sets.count);
        for (size_t i = 0; i < sets.count; i++)
            if (judged[i].reason == NULL)
                json_object_set_new(leaving, sets.list[i].id.data, json_true());
        err = needed(work, leaving, *result, &names);
    }
    if (err == SH_OK)
        err = remove_unwanted(work, &sets, judged, dry, *result);
    if (err == SH_OK)
        sweep(work, names, dry, *result);
    if (err == SH_OK)
        err = coverage_prune(work, leaving, dry, &segments);
    json_object_set_new(*result, "segments_removed", json_integer((json_int_t)segments));
    json_decref(leaving);
    json_decref(names);
    sh_free(judged);
    sets_free(&sets);
    return err;
}

/* Of those that were restored, too: checksums are no substitute for one of them. */
static bool last_verified(const struct sets *sets, const char *id)
{
    const struct backup_set *set = NULL;
    bool another = false;
    bool restored = false;

    for (size_t i = 0; i < sets->count; i++)
        if (sh_bytes_is(sets->list[i].id, id))
            set = &sets->list[i];
    for (size_t i = 0; set != NULL && i < sets->count; i++)
        if (&sets->list[i] != set && sets->list[i].verified &&
            sh_bytes_equal(sets->list[i].kind, set->kind)) {
            another = true;
            restored = restored || sh_bytes_is(sets->list[i].proven, "restored");
        }
    return set != NULL && set->verified &&
           (!another || (sh_bytes_is(set->proven, "restored") && !restored));
}

static enum sh_err remove_one(struct work *work, const char *id, json_t *result)
{
    json_t *leaving = json_pack("{s:b}", id, 1);
    json_t *names = NULL;
    enum sh_err err = leaving ? needed(work, leaving, result, &names) : SH_NOMEM;

    if (err == SH_OK) {
        root_note(work, "removing %s: somebody asked for it", id);
        err = root_remove(work, id);
    }
    if (err == SH_OK)
        sweep(work, names, false, result);
    json_decref(leaving);
    json_decref(names);
    return err;
}

enum sh_err prune_one(struct work *work, const char *id, bool force, json_t *result)
{
    struct sets sets;
    enum sh_err err = sets_read(work->all->backup.directory, &sets);
    int fd = -1;

    work_stage(work, "delete");
    if (err == SH_OK && !force && last_verified(&sets, id))
        err = work_fail(work, SH_CONFLICT,
                        "%s is the last verified set of its kind: it stays", id);
    sets_free(&sets);
    if (err == SH_OK)
        err = root_set(work, id, &fd);
    if (fd >= 0)
        (void)close(fd);
    return err == SH_OK ? remove_one(work, id, result) : err;
}
