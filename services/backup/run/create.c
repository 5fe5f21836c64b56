#include "services/backup/run/create.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/manifest/record.h"
#include "services/backup/physical/base.h"
#include "services/backup/pipeline/sink.h"
#include "services/backup/run/dump.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/run/tool_stream.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { PATHS_MAX = 64 };

/* --- configuration ---------------------------------------------------------------- */

/* The settings in force, secrets masked: what one must set again on an empty machine. */
static enum sh_err save_settings(struct work *work, int folder, json_t *manifest)
{
    struct sh_settings groups[BACKUP_GROUPS];
    struct sh_buffer text = {0};
    struct sink *sink = NULL;
    json_t *stream = NULL;
    enum sh_err err;

    backup_groups(sh_unconst(work->all), groups);
    sh_config_print(groups, BACKUP_GROUPS, &text);
    err = text.err;
    if (err == SH_OK)
        err = sink_open(work, folder, "settings", &sink);
    if (err == SH_OK)
        err = sink_add(sink, sh_buffer_bytes(&text));
    if (err == SH_OK)
        err = sink_finish(sink, &stream);
    if (err == SH_OK)
        json_object_set_new(json_object_get(manifest, "streams"), "settings", stream);
    sink_close(&sink);
    sh_buffer_free(&text);
    return err;
}

static enum sh_err save_paths(struct work *work, int folder, json_t *manifest)
{
    const char *argv[PATHS_MAX + 6] = {"tar", "--create", "--file=-",
                                       "--ignore-failed-read", "--"};
    static struct child child;
    char *list = sh_strdup(work->all->backup.config_paths);
    char *rest = NULL;
    size_t count = 5;
    struct sink *sink = NULL;
    json_t *stream = NULL;
    enum sh_err err = list ? sink_open(work, folder, "config", &sink) : SH_NOMEM;

    for (char *path = list ? strtok_r(list, ",", &rest) : NULL;
         path != NULL && count < PATHS_MAX + 5; path = strtok_r(NULL, ",", &rest))
        argv[count++] = path;
    if (err == SH_OK && count > 5)
        err = tool_stream_child(
            &(struct tool_stream_child){
                .work = work, .name = "tar", .out = sink_take, .arg = sink},
            argv, NULL, &child);
    if (err == SH_OK && count > 5)
        err = sink_finish(sink, &stream);
    if (stream != NULL) {
        json_object_set_new(stream, "format", json_string("tar"));
        json_object_set_new(json_object_get(manifest, "streams"), "config", stream);
    }
    sink_close(&sink);
    sh_free(list);
    return err;
}

/* --- the set ---------------------------------------------------------------------- */

static json_t *begin_manifest(const struct create_order *order, const char *id,
                              double now)
{
    char when[32];

    sh_wall_text(now, when);
    json_t *manifest =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:{s:s}, s:{}}", "format", 1,
                  "id", id, "kind", order->kind, "label", order->label, "created_at",
                  when, "created_by", order->by, "safety", (int)order->safety, "verified",
                  0, "versions", "cairn", CAIRN_VERSION, "streams");
    return manifest;
}

static enum sh_err fill(struct work *work, const char *kind, int folder, json_t *manifest)
{
    bool physical = strcmp(kind, "physical") == 0;
    bool full = physical || strcmp(kind, "full") == 0;
    json_t *files = NULL;
    enum sh_err err = SH_OK;

    if (full)
        err = physical ? base_save(work, folder, manifest, &files)
                       : dump_database(work, folder, manifest, &files);
    if (err == SH_OK && ((full && work->all->backup.files) || strcmp(kind, "files") == 0))
        err = originals_save(work, folder, files, manifest);
    if (err == SH_OK && strcmp(kind, "files") != 0) {
        work_stage(work, "config");
        err = save_settings(work, folder, manifest);
    }
    if (err == SH_OK && strcmp(kind, "files") != 0 &&
        work->all->backup.config_paths[0] != '\0')
        err = save_paths(work, folder, manifest);
    json_decref(files);
    return err;
}

static enum sh_err end_manifest(struct work *work, int folder, double begun,
                                json_t *manifest)
{
    char whole[65];
    char when[32];
    double now = sh_wall_time();
    enum sh_err err = record_whole(manifest, whole);

    if (err != SH_OK)
        return err;
    sh_wall_text(now, when);
    json_object_set_new(manifest, "finished_at", json_string(when));
    json_object_set_new(manifest, "duration_seconds", json_real(now - begun));
    json_object_set_new(manifest, "size_bytes",
                        json_integer((json_int_t)record_bytes(manifest)));
    json_object_set_new(manifest, "sha256", json_string(whole));
    work_stage(work, "write");
    return record_write(work, folder, manifest);
}

static bool kind_known(const char *kind)
{
    static const char *const kinds[] = {"full", "physical", "files", "config"};

    for (size_t i = 0; i < SH_COUNT(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

enum sh_err create_set(struct work *work, const struct create_order *order,
                       json_t **manifest)
{
    double begun = sh_wall_time();
    char id[BACKUP_ID];
    char making[BACKUP_ID + 16];
    int folder = -1;
    enum sh_err err;

    *manifest = NULL;
    if (!kind_known(order->kind))
        return work_fail(work, SH_INVALID,
                         "kind must be full, physical, files or config");
    root_name(work, order->kind, begun, id);
    (void)snprintf(making, sizeof(making), ".making-%s", id);
    err = sink_room(work, work->root, 0);
    if (err == SH_OK)
        err = root_make(work, id, &folder);
    if (err != SH_OK)
        return err;
    *manifest = begin_manifest(order, id, begun);
    err = *manifest ? fill(work, order->kind, folder, *manifest) : SH_NOMEM;
    if (err == SH_OK)
        err = end_manifest(work, folder, begun, *manifest);
    if (err == SH_OK)
        err = root_keep(work, id, folder);
    (void)close(folder);
    if (err == SH_OK) {
        root_note(
            work, "Backup completed: %s, %lld bytes", id,
            (long long)json_integer_value(json_object_get(*manifest, "size_bytes")));
        return SH_OK;
    }
    root_note(work, "Backup failed in %s: %s", work->stage, work->error);
    if (root_remove(work, making) != SH_OK)
        work_say(work, "%s is left to the next run to remove", making);
    json_decref(*manifest);
    *manifest = NULL;
    return err;
}
