#include "services/backup/run/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "services/backup/manifest/record.h"
#include "shared/clock.h"

static const char making[] = ".making-";
static const char gone[] = ".gone-";

enum { DEPTH_MAX = 8, FOLDER_MODE = 0700, LOCK_LOOK_MS = 500 };

/* --- opening ---------------------------------------------------------------------- */

static bool make_folders(const char *path)
{
    char part[BACKUP_PATH];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return false;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, FOLDER_MODE) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

enum sh_err root_open(struct work *work)
{
    const char *path = work->all->backup.directory;

    if (work->root >= 0)
        return SH_OK;
    if (make_folders(path))
        work->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (work->root < 0)
        return work_fail(work, SH_IO, "BACKUP_DIR %s: %s", path, strerror(errno));
    return SH_OK;
}

/* --- removing --------------------------------------------------------------------- */

static bool remove_tree(int folder, const char *name, int depth);

static bool remove_entries(int fd, int depth)
{
    DIR *directory = fdopendir(fd);
    const struct dirent *entry;
    bool good = true;

    if (directory == NULL) {
        (void)close(fd);
        return false;
    }
    while ((entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            good = remove_tree(dirfd(directory), entry->d_name, depth + 1) && good;
    (void)closedir(directory);
    return good;
}

static bool remove_tree(int folder, const char *name, int depth)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return true;
    if ((errno != EISDIR && errno != EPERM) || depth > DEPTH_MAX)
        return false;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool good = fd >= 0 && remove_entries(fd, depth);
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 && good;
}

enum sh_err root_remove(struct work *work, const char *name)
{
    char aside[BACKUP_ID + sizeof(gone) + 16];

    if (name[0] != '.') { /* a set: no half of one is ever seen */
        (void)snprintf(aside, sizeof(aside), "%s%s", gone, name);
        if (renameat(work->root, name, work->root, aside) != 0 || fsync(work->root) != 0)
            return work_fail(work, errno == ENOENT ? SH_NOTFOUND : SH_IO,
                             "%s cannot be removed: %s", name, strerror(errno));
        name = aside;
    }
    if (!remove_tree(work->root, name, 0))
        return work_fail(work, SH_IO, "%s cannot be removed: %s", name, strerror(errno));
    return SH_OK;
}

static bool left_behind(const char *name)
{
    return strncmp(name, making, sizeof(making) - 1) == 0 ||
           strncmp(name, gone, sizeof(gone) - 1) == 0;
}

static void clear_leftovers(struct work *work)
{
    int fd = openat(work->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (left_behind(entry->d_name)) {
            root_note(work, "cleared %s away: its run did not end well", entry->d_name);
            (void)remove_tree(work->root, entry->d_name, 0); /* or the next run does */
        }
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
}

static enum sh_err take_lock(struct work *work, int fd)
{
    enum sh_err err = SH_OK;
    bool told = false;

    while (err == SH_OK && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return work_fail(work, SH_IO, "BACKUP_DIR cannot be locked: %s",
                             strerror(errno));
        if (!work->waits)
            return work_fail(work, SH_CONFLICT, "another run is under way");
        if (!told)
            work_stage(work, "wait");
        told = true;
        work_pause(LOCK_LOOK_MS);
        err = work_go_on(work);
    }
    return err;
}

enum sh_err root_lock(struct work *work)
{
    enum sh_err err = root_open(work);
    int fd = -1;

    if (err == SH_OK)
        fd = openat(work->root, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (err == SH_OK && fd < 0)
        return work_fail(work, SH_IO, "BACKUP_DIR cannot be written: %s",
                         strerror(errno));
    if (err != SH_OK)
        return err;
    err = take_lock(work, fd);
    if (err == SH_OK)
        clear_leftovers(work); /* the lock is held until the process ends */
    else
        (void)close(fd);
    return err;
}

/* --- sets ------------------------------------------------------------------------- */

void root_name(const struct work *work, const char *kind, double now,
               char out[static BACKUP_ID])
{
    time_t seconds = (time_t)now;
    struct tm tm;
    struct stat st;
    char stamp[32];

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
    (void)snprintf(out, BACKUP_ID, "%s-%.16s", stamp, kind);
    for (unsigned i = 2; i < 1000 && fstatat(work->root, out, &st, 0) == 0; i++)
        (void)snprintf(out, BACKUP_ID, "%s-%.16s-%u", stamp, kind, i);
}

bool root_id_ok(const char *id)
{
    size_t len = strlen(id);

    if (len == 0 || len >= BACKUP_ID || id[0] == '.')
        return false;
    for (size_t i = 0; i < len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
                   id[i]) == NULL)
            return false;
    return true;
}

enum sh_err root_make(struct work *work, const char *id, int *fd)
{
    char name[BACKUP_ID + sizeof(making)];

    (void)snprintf(name, sizeof(name), "%s%s", making, id);
    *fd = -1;
    if (mkdirat(work->root, name, FOLDER_MODE) == 0)
        *fd = openat(work->root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*fd < 0)
        return work_fail(work, errno == ENOSPC ? SH_BUSY : SH_IO,
                         "no folder for the set can be made: %s", strerror(errno));
    return SH_OK;
}

enum sh_err root_keep(struct work *work, const char *id, int fd)
{
    char name[BACKUP_ID + sizeof(making)];

    (void)snprintf(name, sizeof(name), "%s%s", making, id);
    if (fsync(fd) != 0 || renameat(work->root, name, work->root, id) != 0 ||
        fsync(work->root) != 0)
        return work_fail(work, SH_IO, "the set cannot be put in its place: %s",
                         strerror(errno));
    return SH_OK;
}

enum sh_err root_set(struct work *work, const char *id, int *fd)
{
    *fd = -1;
    if (root_id_ok(id))
        *fd = openat(work->root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*fd < 0)
        return work_fail(work, SH_NOTFOUND, "there is no backup set %s", id);
    return SH_OK;
}

bool root_may_have(const char *directory, const char *id)
{
    int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    bool may = true;

    if (root < 0)
        return true;
    if (!root_id_ok(id))
        may = false;
    else if (fstatat(root, id, &st, AT_SYMLINK_NOFOLLOW) == 0)
        may = S_ISDIR(st.st_mode);
    else
        may = errno != ENOENT;
    (void)close(root);
    return may;
}

enum sh_err root_manifest(struct work *work, const char *id, int *fd, json_t **manifest)
{
    enum sh_err err = root_set(work, id, fd);

    *manifest = NULL;
    if (err != SH_OK)
        return err;
    err = record_read(work, *fd, id, manifest);
    if (err != SH_OK) {
        (void)close(*fd);
        *fd = -1;
    }
    return err;
}

void root_note(struct work *work, const char *format, ...)
{
    int fd = openat(work->root, ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char text[1024];
    char when[32];
    va_list args;

    if (fd < 0)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sh_wall_text(sh_wall_time(), when);
    (void)dprintf(fd, "%s %s\n", when, text); /* for people: no run fails for it */
    (void)close(fd);
}
