/* A physical set into a data directory of its own: see drill.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/physical/drill.h"
#include "services/backup/physical/recover.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/tool/database.h"

struct placing {
    struct work *work;
    struct tree tree;
    struct chain chain;
    struct until until;
    struct scratch *scratch;
    json_t *manifest;
    json_t *result;
    bool made; /* the directory is ours to remove */
};

static bool empty(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    bool found = directory == NULL;

    while (!found && (entry = readdir(directory)) != NULL)
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (directory != NULL)
        (void)closedir(directory);
    return !found;
}

/* The data directory, and a link to it where the server's folder is. */
static enum sh_err make_directory(struct placing *placing)
{
    const char *path = placing->tree.path;
    const struct scratch *scratch = placing->scratch;
    char link[BACKUP_PATH];

    if (path[0] != '/')
        return work_fail(placing->work, SH_INVALID, "the directory begins with /");
    placing->made = mkdir(path, 0700) == 0;
    if (!placing->made && errno != EEXIST)
        return work_fail(placing->work, SH_IO, "%.300s: %s", path, strerror(errno));
    if (!placing->made && !empty(path))
        return work_fail(placing->work, SH_CONFLICT, "%.300s is not an empty directory",
                         path);
    (void)snprintf(link, sizeof(link), "%.1000s/data", scratch->folder);
    if ((geteuid() == 0 && chown(path, scratch->uid, scratch->gid) != 0) ||
        chmod(path, 0700) != 0 || symlink(path, link) != 0)
        return work_fail(placing->work, SH_IO, "%.300s: %s", path, strerror(errno));
    return SH_OK;
}

static enum sh_err build(struct placing *placing)
{
    char conninfo[BACKUP_PATH];
    json_t *told = NULL;
    enum sh_err err = tree_unpack(&placing->tree);

    if (err == SH_OK)
        err = tree_verify(&placing->tree);
    if (err == SH_OK)
        err = tree_log(&placing->tree, &placing->chain);
    if (err == SH_OK)
        err = recover_start(&placing->tree, &placing->chain, &placing->until, true,
                            placing->scratch);
    if (err != SH_OK)
        return err;
    recover_conninfo(&placing->tree, placing->scratch, conninfo);
    PGconn *conn = database_open(placing->work, conninfo, NULL);
    err = conn != NULL ? recover_told(&placing->tree, conn, &placing->until, &told)
                       : SH_UPSTREAM;
    PQfinish(conn);
    if (told != NULL)
        json_object_set_new(placing->result, "recovered", told);
    if (err == SH_OK)
        err = recover_stop(&placing->tree, placing->scratch);
    return err == SH_OK ? tree_sync(&placing->tree) : err;
}

static enum sh_err place(struct placing *placing, const char *until)
{
    struct work *work = placing->work;
    enum sh_err err;

    if (until_parse(until, &placing->until) != SH_OK)
        return work_fail(work, SH_INVALID,
                         "until is set, latest, a position (16/B374D848) or a time "
                         "(2026-01-31T12:00:00Z)");
    if (until[0] == '\0')
        placing->until.kind = UNTIL_LATEST;
    err = chain_of_set(work, placing->manifest, &placing->chain);
    if (err == SH_OK)
        err = recover_reaches(&placing->tree, &placing->chain, &placing->until);
    if (err == SH_OK)
        err = scratch_begin(work, 0, placing->scratch);
    placing->tree.uid = placing->scratch->uid;
    placing->tree.gid = placing->scratch->gid;
    if (err == SH_OK)
        err = make_directory(placing);
    if (err == SH_OK)
        err = build(placing);
    scratch_close(work, placing->scratch);
    if (err != SH_OK && placing->made)
        work_say(work, "%s is not a whole data directory: remove it", placing->tree.path);
    return err;
}

enum sh_err physical_restore(struct work *work, const char *id, const char *directory,
                             const char *until, json_t **result)
{
    static struct scratch scratch = {.lock = -1};
    struct placing placing = {.work = work,
                              .tree = {.work = work, .folder = -1, .path = directory},
                              .chain = {.store = -1},
                              .scratch = &scratch};
    int folder = -1;
    enum sh_err err = root_manifest(work, id, &folder, &placing.manifest);

    *result = NULL;
    placing.result = json_pack("{s:s, s:s}", "id", id, "directory", directory);
    placing.tree.folder = folder;
    placing.tree.manifest = placing.manifest;
    if (err == SH_OK &&
        json_object_get(json_object_get(placing.manifest, "streams"), "base") == NULL)
        err = work_fail(work, SH_INVALID, "%s is not a physical set", id);
    if (err == SH_OK)
        err = place(&placing, until);
    if (err == SH_OK) {
        root_note(work, "Restored %s into %s", id, directory);
        *result = json_incref(placing.result);
    }
    chain_close(&placing.chain);
    if (folder >= 0)
        (void)close(folder);
    json_decref(placing.manifest);
    json_decref(placing.result);
    return err;
}
