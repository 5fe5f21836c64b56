#include "services/backup/physical/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/restore/load.h"
#include "services/backup/tool/database.h"

static const json_t *base_stream(const json_t *manifest)
{
    return json_object_get(json_object_get(manifest, "streams"), "base");
}

void tree_tool(const struct tree *tree, const char *name, char out[BACKUP_PATH])
{
    const char *version = json_string_value(
        json_object_get(json_object_get(tree->manifest, "database"), "server_version"));
    long major = version != NULL ? strtol(version, NULL, 10) : 0;

    (void)snprintf(out, BACKUP_PATH, "/usr/lib/postgresql/%ld/bin/%.64s", major, name);
    if (tree->work->all->backup.pg_bin[0] != '\0' || access(out, X_OK) != 0)
        database_tool(tree->work, name, out);
}

enum sh_err tree_unpack(const struct tree *tree)
{
    const char *const argv[] = {"tar",
                                "--extract",
                                "--file=-",
                                "--no-same-owner",
                                "--directory",
                                tree->path,
                                "--exclude=./postmaster.pid",
                                NULL};
    struct child_spec spec = {
        .argv = argv, .out = -1, .uid = tree->uid, .gid = tree->gid};

    work_stage(tree->work, "restore");
    return load_into(tree->work, tree->folder, base_stream(tree->manifest), &spec);
}

enum sh_err tree_list(struct work *work, int folder, const json_t *manifest)
{
    const char *const argv[] = {"tar", "--list", "--file=-", NULL};
    struct child_spec spec = {
        .argv = argv, .out = -1, .uid = geteuid(), .gid = getegid()};

    return load_into(work, folder, base_stream(manifest), &spec);
}

enum sh_err tree_verify(const struct tree *tree)
{
    char program[BACKUP_PATH];

    work_stage(tree->work, "compare");
    tree_tool(tree, "pg_verifybackup", program);
    const char *const argv[] = {program, "--exit-on-error", "--quiet", tree->path, NULL};
    struct child_spec spec = {
        .argv = argv, .in = -1, .out = -1, .uid = tree->uid, .gid = tree->gid};
    return child_run(tree->work, &spec);
}

/* --- the log ---------------------------------------------------------------------- */

static enum sh_err failed(const struct tree *tree, const char *name)
{
    return work_fail(tree->work, SH_IO, "%.200s/%s: %s", tree->path, name,
                     strerror(errno));
}

/* A new file of the directory's owner; -1: it is there, or cannot be made. */
static int make(const struct tree *tree, const char *name, int flags)
{
    char path[BACKUP_PATH];

    (void)snprintf(path, sizeof(path), "%.1900s/%s", tree->path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
    if (fd >= 0 && geteuid() == 0 && fchown(fd, tree->uid, tree->gid) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

struct bringing {
    const struct tree *tree;
    const struct chain *chain;
    int fd;
};

static enum sh_err on_bytes(void *arg, struct sh_bytes bytes)
{
    struct bringing *bringing = arg;
    const char *data = bytes.data;

    while (bytes.len > 0) {
        ssize_t n = write(bringing->fd, data, bytes.len);
        if (n < 0 && errno != EINTR)
            return failed(bringing->tree, "pg_wal");
        if (n > 0) {
            data += n;
            bytes.len -= (size_t)n;
        }
    }
    return SH_OK;
}

/* Names come from records that have a mark, and are looked at all the same. */
static bool plain(const char *name)
{
    return strspn(name, "0123456789ABCDEF") >= 8 && strchr(name, '/') == NULL &&
           strlen(name) < SEGMENT_NAME;
}

static enum sh_err bring(void *arg, const char *segment, const json_t *record)
{
    struct bringing *bringing = arg;
    bool partial = json_is_true(json_object_get(record, "partial"));
    char name[64];
    enum sh_err err;

    if (!plain(segment))
        return work_fail(bringing->tree->work, SH_MALFORMED, "no name of a segment");
    (void)snprintf(name, sizeof(name), "pg_wal/%.24s", segment);
    /* of one that came with the set there is no less there */
    bringing->fd = make(bringing->tree, name, partial ? O_EXCL : O_TRUNC);
    if (bringing->fd < 0)
        return partial && errno == EEXIST ? SH_OK : failed(bringing->tree, name);
    err = store_get(bringing->tree->work, bringing->chain->store, record, on_bytes,
                    bringing);
    (void)close(bringing->fd);
    return err;
}

enum sh_err tree_log(const struct tree *tree, const struct chain *chain)
{
    struct bringing bringing = {tree, chain, -1};
    enum sh_err err = SH_OK;

    work_stage(tree->work, "log");
    if (chain->through > 0) {
        err = chain_each(chain, bring, &bringing);
        if (err == SH_OK)
            err = chain_histories(chain, bring, &bringing);
    }
    if (err != SH_OK)
        return err;
    int fd = make(tree, "recovery.signal", O_TRUNC);
    if (fd < 0)
        return failed(tree, "recovery.signal");
    (void)close(fd);
    return SH_OK;
}

enum sh_err tree_sync(const struct tree *tree)
{
    int fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum sh_err err = fd >= 0 && syncfs(fd) == 0 ? SH_OK : failed(tree, "");

    if (fd >= 0)
        (void)close(fd);
    return err;
}
