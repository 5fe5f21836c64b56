#include "shared/snapshots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/mem.h"

#define WHOLE   "snapshot-"
#define CORRUPT "corrupt-"
#define NEXT    "next"

enum { NAME_ROOM = 40 };

struct sh_snapshots {
    int dir;  /* all names are relative to it */
    int lock; /* open as long as it is held */
    char path[SH_SNAPSHOTS_PATH - NAME_ROOM];
};

/* --- names ------------------------------------------------------------------------ */

/* 0: the name is not of this kind. */
static uint64_t number_of(const char *name, const char *kind)
{
    size_t len = strlen(kind);
    if (strncmp(name, kind, len) != 0 || name[len] < '1' || name[len] > '9')
        return 0;
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(name + len, &end, 10);
    return errno == 0 && *end == '\0' ? number : 0;
}

static void name_of(char name[NAME_ROOM], const char *kind, uint64_t number)
{
    (void)snprintf(name, NAME_ROOM, "%s%" PRIu64, kind, number);
}

static DIR *list(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0)
        (void)close(fd);
    return dir;
}

/* The greatest number of a kind; 0: there is none. */
static enum sh_err newest(const struct sh_snapshots *self, const char *kind,
                          uint64_t *number)
{
    DIR *dir = list(self->dir, ".");
    const struct dirent *entry = NULL;
    *number = 0;
    if (!dir)
        return SH_IO;
    while ((entry = readdir(dir))) {
        uint64_t n = number_of(entry->d_name, kind);
        if (n > *number)
            *number = n;
    }
    (void)closedir(dir);
    return SH_OK;
}

/* --- removing --------------------------------------------------------------------- */

/* A directory of files. What cannot be removed stays, and is tried again with the next.
 */
static void remove_one(const struct sh_snapshots *self, const char *name)
{
    DIR *dir = list(self->dir, name);
    const struct dirent *entry = NULL;
    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    (void)unlinkat(self->dir, name, AT_REMOVEDIR);
}

/* All of a kind but the one of this number. */
static void remove_others(const struct sh_snapshots *self, const char *kind,
                          uint64_t kept)
{
    DIR *dir = list(self->dir, ".");
    const struct dirent *entry = NULL;
    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        uint64_t n = number_of(entry->d_name, kind);
        if (n > 0 && n != kept)
            remove_one(self, entry->d_name);
    }
    (void)closedir(dir);
}

/* --- life ------------------------------------------------------------------------- */

static enum sh_err take_lock(struct sh_snapshots *self)
{
    self->lock = openat(self->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock < 0)
        return SH_IO;
    if (flock(self->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? SH_BUSY : SH_IO;
    return SH_OK;
}

static enum sh_err open_dir(struct sh_snapshots *self, const char *dir)
{
    size_t len = strlen(dir);
    if (len >= sizeof(self->path))
        return SH_TOOBIG;
    memcpy(self->path, dir, len + 1);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return SH_IO;
    self->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return self->dir >= 0 ? take_lock(self) : SH_IO;
}

enum sh_err sh_snapshots_open(const char *dir, struct sh_snapshots **out)
{
    struct sh_snapshots *self = sh_alloc(sizeof(*self));
    *out = NULL;
    if (!self)
        return SH_NOMEM;
    self->dir = self->lock = -1;
    enum sh_err err = open_dir(self, dir);
    if (err != SH_OK) {
        int why = errno;
        sh_snapshots_close(&self);
        errno = why;
        return err;
    }
    remove_one(self, NEXT); /* of a process that was killed */
    *out = self;
    return SH_OK;
}

void sh_snapshots_close(struct sh_snapshots **self)
{
    if (!*self)
        return;
    if ((*self)->lock >= 0)
        (void)close((*self)->lock);
    if ((*self)->dir >= 0)
        (void)close((*self)->dir);
    sh_free(*self);
    *self = NULL;
}

/* --- what it does ----------------------------------------------------------------- */

static void path_of(const struct sh_snapshots *self, const char *name,
                    char path[SH_SNAPSHOTS_PATH])
{
    (void)snprintf(path, SH_SNAPSHOTS_PATH, "%s/%s", self->path, name);
}

enum sh_err sh_snapshots_newest(const struct sh_snapshots *self,
                                char path[SH_SNAPSHOTS_PATH])
{
    char name[NAME_ROOM];
    uint64_t number = 0;
    enum sh_err err = newest(self, WHOLE, &number);
    if (err != SH_OK || number == 0)
        return err != SH_OK ? err : SH_NOTFOUND;
    name_of(name, WHOLE, number);
    path_of(self, name, path);
    return SH_OK;
}

enum sh_err sh_snapshots_begin(struct sh_snapshots *self, char path[SH_SNAPSHOTS_PATH])
{
    remove_one(self, NEXT);
    path_of(self, NEXT, path);
    return mkdirat(self->dir, NEXT, 0700) == 0 ? SH_OK : SH_IO;
}

static enum sh_err sync_entry(const struct sh_snapshots *self, const char *name)
{
    int fd = openat(self->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum sh_err err = fd >= 0 && fsync(fd) == 0 ? SH_OK : SH_IO;
    if (fd >= 0)
        (void)close(fd);
    return err;
}

enum sh_err sh_snapshots_commit(struct sh_snapshots *self)
{
    char name[NAME_ROOM];
    uint64_t number = 0;
    enum sh_err err = newest(self, WHOLE, &number);
    if (err == SH_OK)
        err = sync_entry(self, NEXT);
    name_of(name, WHOLE, ++number);
    if (err == SH_OK && renameat(self->dir, NEXT, self->dir, name) != 0)
        err = SH_IO;
    if (err != SH_OK)
        return err;
    (void)fsync(self->dir); /* without it the older one might come back: as good */
    remove_others(self, WHOLE, number);
    return SH_OK;
}

void sh_snapshots_abandon(struct sh_snapshots *self)
{
    remove_one(self, NEXT);
}

enum sh_err sh_snapshots_set_aside(struct sh_snapshots *self)
{
    char from[NAME_ROOM];
    char to[NAME_ROOM];
    uint64_t number = 0;
    enum sh_err err = newest(self, WHOLE, &number);
    if (err != SH_OK || number == 0)
        return err;
    name_of(from, WHOLE, number);
    name_of(to, CORRUPT, number);
    remove_others(self, CORRUPT, 0);
    if (renameat(self->dir, from, self->dir, to) != 0)
        return SH_IO;
    (void)fsync(self->dir); /* else it is refused once more after a crash */
    return SH_OK;
}

void sh_snapshots_drop(struct sh_snapshots *self)
{
    char name[NAME_ROOM];
    uint64_t number = 0;
    if (newest(self, WHOLE, &number) != SH_OK || number == 0)
        return;
    name_of(name, WHOLE, number);
    remove_one(self, name);
}
