#include "services/backup/retain/prune.h"

#include <string.h>
#include <unistd.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/retain/retain.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "shared/clock.h"
#include "shared/mem.h"

static struct retain_set *to_judge(const struct sets *sets)
{
    struct retain_set *all = sh_alloc_array(sets->count + 1, sizeof(*all));

    for (size_t i = 0; all != NULL && i < sets->count; i++) {
        all[i].kind = sets->list[i].kind.data;
        all[i].created_at = sets->list[i].created_at;
        all[i].verified = sets->list[i].verified;
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

enum sh_err prune_sets(struct work *work, bool dry, json_t **result)
{
    const struct backup_config *config = &work->all->backup;
    struct retain_rules rules = {config->keep_days, config->keep_count,
                                 config->keep_daily, config->keep_weekly,
                                 config->keep_monthly};
    struct sets sets;
    uint64_t originals = 0;
    enum sh_err err = sets_read(config->directory, &sets);
    struct retain_set *judged = err == SH_OK ? to_judge(&sets) : NULL;

    work_stage(work, "prune");
    *result = json_pack("{s:[], s:[], s:b}", "kept", "removed", "dry_run", (int)dry);
    if (err == SH_OK && (judged == NULL || *result == NULL))
        err = SH_NOMEM;
    if (err == SH_OK) {
        retain_judge(&rules, sh_wall_time(), judged, sets.count);
        err = remove_unwanted(work, &sets, judged, dry, *result);
    }
    if (err == SH_OK && sets.unreadable == 0)
        err = originals_prune(work, dry, &originals);
    if (err == SH_OK)
        json_object_set_new(*result, "originals_removed",
                            json_integer((json_int_t)originals));
    sh_free(judged);
    sets_free(&sets);
    return err;
}

static bool last_verified(const struct sets *sets, const char *id)
{
    const struct backup_set *set = NULL;
    bool another = false;

    for (size_t i = 0; i < sets->count; i++)
        if (sh_bytes_is(sets->list[i].id, id))
            set = &sets->list[i];
    for (size_t i = 0; set != NULL && i < sets->count; i++)
        another = another || (&sets->list[i] != set && sets->list[i].verified &&
                              sh_bytes_equal(sets->list[i].kind, set->kind));
    return set != NULL && set->verified && !another;
}

enum sh_err prune_one(struct work *work, const char *id, bool force)
{
    struct sets sets;
    enum sh_err err = sets_read(work->all->backup.directory, &sets);
    uint64_t originals = 0;
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
    if (err != SH_OK)
        return err;
    root_note(work, "removing %s: somebody asked for it", id);
    err = root_remove(work, id);
    if (err == SH_OK && originals_prune(work, false, &originals) != SH_OK)
        work->error[0] = '\0'; /* another set's list cannot be read: originals stay */
    return err;
}
