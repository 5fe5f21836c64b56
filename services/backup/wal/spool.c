#include "services/backup/wal/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char partial_end[] = ".partial";

enum sh_err spool_open(struct work *work, int store, const char *system,
                       struct spool *spool)
{
    (void)mkdirat(store, "spool", 0700); /* what failed, open() tells */
    spool->fd = openat(store, "spool", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    (void)snprintf(spool->path, sizeof(spool->path), "%.1024s/" STORE_ROOT "/%.24s/spool",
                   work->all->backup.directory, system);
    return spool->fd >= 0
               ? SH_OK
               : work_fail(work, SH_IO, "%.300s: %s", spool->path, strerror(errno));
}

void spool_close(struct spool *spool)
{
    if (spool->fd >= 0)
        (void)close(spool->fd);
    spool->fd = -1;
}

static DIR *list(const struct spool *spool)
{
    int fd = openat(spool->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

    if (directory == NULL && fd >= 0)
        (void)close(fd);
    return directory;
}

static bool is_history(const char *name)
{
    return strlen(name) == 16 && strspn(name, "0123456789ABCDEF") == 8 &&
           strcmp(name + 8, ".history") == 0;
}

bool spool_whole(const struct spool *spool, uint64_t size, char name[static STORE_NAME])
{
    DIR *directory = list(spool);
    const struct dirent *entry;
    struct segment segment;

    name[0] = '\0';
    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if ((segment_parse(entry->d_name, size, &segment) || is_history(entry->d_name)) &&
            (name[0] == '\0' || strcmp(entry->d_name, name) < 0))
            (void)snprintf(name, STORE_NAME, "%.63s", entry->d_name);
    if (directory != NULL)
        (void)closedir(directory);
    return name[0] != '\0';
}

/* "000000010000000000000003.partial". */
static bool parse_partial(const char *entry, uint64_t size, struct segment *out)
{
    char name[SEGMENT_NAME];

    if (strlen(entry) != SEGMENT_NAME - 1 + sizeof(partial_end) - 1 ||
        strcmp(entry + SEGMENT_NAME - 1, partial_end) != 0)
        return false;
    (void)snprintf(name, sizeof(name), "%.24s", entry);
    return segment_parse(name, size, out);
}

bool spool_partial(const struct spool *spool, uint64_t size, struct segment *out)
{
    DIR *directory = list(spool);
    const struct dirent *entry;
    struct segment segment;
    bool found = false;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (parse_partial(entry->d_name, size, &segment) &&
            (!found || segment.timeline > out->timeline ||
             (segment.timeline == out->timeline && segment.number > out->number))) {
            *out = segment;
            found = true;
        }
    if (directory != NULL)
        (void)closedir(directory);
    return found;
}

int spool_file(const struct spool *spool, const char *name)
{
    return openat(spool->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

void spool_remove(const struct spool *spool, const char *name)
{
    (void)unlinkat(spool->fd, name, 0); /* or it is stored once more */
}

void spool_clear_partial(const struct spool *spool)
{
    DIR *directory = list(spool);
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len > sizeof(partial_end) - 1 &&
            strcmp(entry->d_name + len - (sizeof(partial_end) - 1), partial_end) == 0)
            (void)unlinkat(spool->fd, entry->d_name, 0);
    }
    if (directory != NULL)
        (void)closedir(directory);
}
