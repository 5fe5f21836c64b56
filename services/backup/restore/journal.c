#include "services/backup/restore/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char name[] = ".restoring";

enum sh_err journal_begin(struct work *work, const char *what)
{
    int fd = openat(work->root, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0 && ftruncate(fd, 0) == 0 &&
        dprintf(fd, "%s\n", what) > 0 && fsync(fd) == 0 && fsync(work->root) == 0)
        return SH_OK; /* open, and so locked, until the process ends */
    int code = errno;
    if (fd >= 0)
        (void)close(fd);
    return work_fail(work, SH_IO, "BACKUP_DIR cannot be written: %s", strerror(code));
}

void journal_end(struct work *work)
{
    if (unlinkat(work->root, name, 0) == 0)
        (void)fsync(work->root); /* else there is something to repair once more */
}

bool journal_left(const char *directory)
{
    char path[BACKUP_PATH];
    int fd;
    bool left;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    left = flock(fd, LOCK_SH | LOCK_NB) == 0;
    (void)close(fd);
    return left;
}
