#include "services/backup/physical/drill.h"

#include <stdio.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/physical/recovered.h"
#include "shared/clock.h"

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

/* --- drill ------------------------------------------------------------------------ */

enum sh_err physical_drill(struct work *work, int folder, const json_t *manifest,
                           const char *until, json_t *report)
{
    static struct recovered recovered;
    json_t *result = json_object_get(report, "result");
    double begun = sh_wall_time();
    enum sh_err err = recovered_choose(work, folder, manifest, until, &recovered);

    if (err == SH_OK) {
        tell_chain(&recovered.chain, result);
        err = recovered_start(&recovered, report);
        json_object_set_new(result, "restore_seconds", json_real(sh_wall_time() - begun));
    }
    if (err == SH_OK && until[0] == '\0')
        judge_chain(work, &recovered.chain, manifest,
                    json_object_get(report, "problems"));
    recovered_close(&recovered);
    return err;
}
