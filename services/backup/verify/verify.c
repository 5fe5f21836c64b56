#include "services/backup/verify/verify.h"

#include <string.h>
#include <unistd.h>

#include "services/backup/manifest/record.h"
#include "services/backup/physical/drill.h"
#include "services/backup/pipeline/source.h"
#include "services/backup/restore/load.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/scratch/scratch.h"
#include "services/backup/tool/database.h"
#include "services/backup/verify/facts.h"
#include "shared/clock.h"

struct looking {
    struct work *work;
    const char *id;
    int folder;
    json_t *manifest;
    json_t *problems;
    json_t *result;
    const char *level; /* what was looked at so far */
};

/* What is wrong with the set is noted; what is wrong with the machine is an error. */
static enum sh_err note(struct looking *looking, enum sh_err err)
{
    bool of_set = err == SH_MALFORMED || err == SH_NOTFOUND || err == SH_UPSTREAM ||
                  err == SH_INVALID;

    if (err == SH_OK || !of_set)
        return err;
    json_array_append_new(looking->problems, json_string(looking->work->error));
    looking->work->error[0] = '\0';
    return SH_OK;
}

static bool good(const struct looking *looking)
{
    return json_array_size(looking->problems) == 0;
}

static bool encrypted(const struct looking *looking)
{
    json_t *streams = json_object_get(looking->manifest, "streams");
    const char *name;
    json_t *stream;

    json_object_foreach(streams, name, stream) if (json_is_true(json_object_get(
                                                       stream, "encrypted"))) return true;
    return false;
}

/* Without the private key no more than the checksums can be looked at. */
static bool closed(const struct looking *looking)
{
    return encrypted(looking) && looking->work->all->backup.private_key[0] == '\0';
}

static bool has_database(const struct looking *looking)
{
    return json_object_get(json_object_get(looking->manifest, "streams"), "database") !=
           NULL;
}

static bool has_base(const struct looking *looking)
{
    return json_object_get(json_object_get(looking->manifest, "streams"), "base") != NULL;
}

/* Older sets have a list of originals that is encrypted as the rest. */
static bool list_readable(const struct looking *looking)
{
    const json_t *list =
        json_object_get(json_object_get(looking->manifest, "streams"), "files");

    return !json_is_true(json_object_get(list, "encrypted")) || !closed(looking);
}

/* --- the end of both -------------------------------------------------------------- */

static enum sh_err begin(struct work *work, const char *id, struct looking *looking)
{
    enum sh_err err;

    *looking =
        (struct looking){.work = work, .id = id, .folder = -1, .level = "checksums"};
    looking->problems = json_array();
    looking->result = json_pack("{s:s}", "id", id);
    if (looking->problems == NULL || looking->result == NULL)
        return SH_NOMEM;
    err = root_set(work, id, &looking->folder);
    if (err == SH_OK)
        err = note(looking, record_read(work, looking->folder, id, &looking->manifest));
    return err;
}

/* What was proven once stays so while all bytes are what they were. */
static const char *proven_by_both(const char *before, const char *now)
{
    static const char *const levels[] = {"restored", "archive", "checksums"};

    for (size_t i = 0; i < SH_COUNT(levels); i++)
        if (strcmp(before, levels[i]) == 0 || strcmp(now, levels[i]) == 0)
            return levels[i];
    return "";
}

/* The manifest is only written when it was what it should be: a damaged one is not made
 * to look well. */
static enum sh_err write_down(struct looking *looking, const char *member)
{
    const char *before = json_string_value(json_object_get(looking->manifest, "proven"));

    if (looking->manifest == NULL)
        return SH_OK;
    json_object_set(looking->manifest, member, looking->result);
    json_object_set_new(looking->manifest, "verified", json_boolean(good(looking)));
    json_object_set_new(
        looking->manifest, "proven",
        json_string(good(looking) ? proven_by_both(before ? before : "", looking->level)
                                  : ""));
    return record_write(looking->work, looking->folder, looking->manifest);
}

static enum sh_err finish(struct looking *looking, enum sh_err err, const char *member,
                          json_t **result)
{
    char when[32];

    sh_wall_text(sh_wall_time(), when);
    *result = NULL;
    if (err == SH_OK) {
        json_object_set_new(looking->result, "at", json_string(when));
        json_object_set_new(looking->result, "ok", json_boolean(good(looking)));
        json_object_set(looking->result, "problems", looking->problems);
        json_object_set_new(looking->result, "level", json_string(looking->level));
        err = write_down(looking, member);
    }
    if (err == SH_OK) {
        *result = json_incref(looking->result);
        root_note(looking->work, "%s %s: %s (%s)", member, looking->id,
                  good(looking) ? "good" : "NOT GOOD", looking->level);
    }
    if (looking->folder >= 0)
        (void)close(looking->folder);
    json_decref(looking->manifest);
    json_decref(looking->problems);
    json_decref(looking->result);
    return err;
}

/* --- physical sets ---------------------------------------------------------------- */

static enum sh_err look_physical(struct looking *looking, const char *until)
{
    json_t *report =
        json_pack("{s:O, s:O}", "problems", looking->problems, "result", looking->result);
    bool open = !closed(looking);
    enum sh_err err = SH_NOMEM;

    if (report != NULL && until == NULL)
        err = physical_check(looking->work, looking->folder, looking->manifest, open,
                             report);
    else if (report != NULL && open)
        err = physical_drill(looking->work, looking->folder, looking->manifest, until,
                             report);
    else if (report != NULL)
        err = work_fail(looking->work, SH_FORBIDDEN,
                        "the set is encrypted: a drill needs BACKUP_PRIVATE_KEY");
    json_decref(report);
    if (err == SH_OK && open)
        looking->level = until != NULL ? "restored" : "archive";
    /* what was asked for and is not there, or cannot be, says nothing about the set */
    if (until != NULL && until[0] != '\0')
        return err;
    return note(looking, err);
}

/* --- verify ----------------------------------------------------------------------- */

static enum sh_err check_streams(struct looking *looking)
{
    json_t *streams = json_object_get(looking->manifest, "streams");
    const char *written = json_string_value(json_object_get(looking->manifest, "sha256"));
    char whole[65];
    const char *name;
    json_t *stream;
    enum sh_err err = record_whole(looking->manifest, whole);

    if (err == SH_OK && (written == NULL || strcmp(whole, written) != 0))
        json_array_append_new(looking->problems,
                              json_string("the checksum of the whole does not fit"));
    json_object_foreach(streams, name, stream) if (err == SH_OK) err =
        note(looking, source_check(looking->work, looking->folder, stream));
    return err;
}

static enum sh_err check_archive(struct looking *looking)
{
    const json_t *tables =
        json_object_get(json_object_get(looking->manifest, "facts"), "tables");
    size_t entries = 0;
    enum sh_err err = note(
        looking, load_list(looking->work, looking->folder, looking->manifest, &entries));

    json_object_set_new(looking->result, "tables", json_integer((json_int_t)entries));
    looking->level = "archive";
    if (err == SH_OK && good(looking) && entries < json_object_size(tables))
        json_array_append_new(
            looking->problems,
            json_string("the archive has not all tables that were counted"));
    return err;
}

static enum sh_err check_originals(struct looking *looking)
{
    json_t *result = NULL;
    enum sh_err err =
        originals_check(looking->work, looking->folder, looking->manifest, &result);

    if (json_array_size(json_object_get(result, "damaged")) > 0)
        json_array_append_new(looking->problems, json_string("originals are damaged"));
    if (result != NULL)
        json_object_set_new(looking->result, "originals", result);
    return note(looking, err);
}

enum sh_err verify_set(struct work *work, const char *id, json_t **result)
{
    struct looking looking;
    enum sh_err err = begin(work, id, &looking);

    if (err == SH_OK && good(&looking)) {
        work_stage(work, "verify");
        err = check_streams(&looking);
        if (err == SH_OK && good(&looking) && !closed(&looking) && has_database(&looking))
            err = check_archive(&looking);
        if (err == SH_OK && good(&looking) && has_base(&looking))
            err = look_physical(&looking, NULL);
        if (err == SH_OK && good(&looking) && list_readable(&looking))
            err = check_originals(&looking);
    }
    return finish(&looking, err, "verification", result);
}

/* --- drill ------------------------------------------------------------------------ */

static enum sh_err compare(struct looking *looking, PGconn *conn)
{
    json_t *found = NULL;
    json_t *golden = NULL;
    enum sh_err err = facts_count(looking->work, conn, &found);

    if (err == SH_OK) {
        json_t *differences =
            facts_compare(json_object_get(looking->manifest, "facts"), found);
        if (differences == NULL)
            err = SH_NOMEM;
        json_array_extend(looking->problems, differences);
        json_decref(differences);
        json_object_set_new(looking->result, "found", found);
    }
    if (err == SH_OK)
        err = load_golden(looking->work, looking->folder, looking->manifest, &golden);
    if (err == SH_OK)
        err = facts_search(looking->work, conn, golden, looking->problems);
    json_decref(golden);
    return err;
}

static enum sh_err drill_in(struct looking *looking, const struct scratch *scratch)
{
    const struct load_from from = {.folder = looking->folder,
                                   .manifest = looking->manifest};
    char conninfo[BACKUP_PATH];
    double begun = sh_wall_time();
    enum sh_err err;

    scratch_conninfo(scratch, conninfo);
    work_stage(looking->work, "restore");
    err = load_database(looking->work, &from, conninfo, NULL);
    json_object_set_new(looking->result, "restore_seconds",
                        json_real(sh_wall_time() - begun));
    if (err != SH_OK)
        return note(looking, err);
    looking->level = "restored";
    work_stage(looking->work, "compare");
    PGconn *conn = database_open(looking->work, conninfo, NULL);
    err = conn != NULL ? compare(looking, conn) : SH_UPSTREAM;
    PQfinish(conn);
    return note(looking, err);
}

static enum sh_err drill(struct looking *looking)
{
    static struct scratch scratch;
    struct work *work = looking->work;
    enum sh_err err;

    if (closed(looking))
        return work_fail(work, SH_FORBIDDEN,
                         "the set is encrypted: a drill needs BACKUP_PRIVATE_KEY");
    work_stage(work, "scratch");
    err = scratch_open(work, &scratch);
    if (err == SH_OK)
        err = drill_in(looking, &scratch);
    else if (err == SH_UPSTREAM)
        err = SH_IO; /* the machine's fault, not the set's */
    scratch_close(work, &scratch);
    return err;
}

enum sh_err drill_set(struct work *work, const char *id, const char *until,
                      json_t **result)
{
    struct looking looking;
    enum sh_err err = begin(work, id, &looking);

    if (err == SH_OK && good(&looking))
        err = check_streams(&looking);
    if (err == SH_OK && good(&looking) && list_readable(&looking))
        err = check_originals(&looking);
    if (err == SH_OK && until[0] != '\0' && !has_base(&looking))
        err = work_fail(work, SH_INVALID, "until needs a physical set");
    if (err == SH_OK && good(&looking) && has_base(&looking))
        err = look_physical(&looking, until);
    if (err == SH_OK && good(&looking) && has_database(&looking))
        err = drill(&looking);
    return finish(&looking, err, "drill", result);
}
