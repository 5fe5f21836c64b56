/* file_dir: files in folders, one for each beginning of two digits: ROOT/ab/abcd…. What
 * is under a hash was complete and on the disk before it got that name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file_store_internal.h"
#include "shared/log.h"

enum { FOLDER_MODE = 0750, FILE_MODE = 0640, STALE_S = 86400, SHARDS = 256 };

static const char spooled[] = "cairn-upload-";

enum sh_err file_dir_error(const char *what, const char *path, int code)
{
    sh_error(NULL, "file store: cannot %s %s: %s", what, path, strerror(code));
    return code == ENOSPC || code == EDQUOT ? SH_BUSY : SH_IO;
}

static bool make_one(const char *path)
{
    return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST;
}

enum sh_err file_dir_make(const char *path)
{
    char part[FILE_PATH];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return SH_INVALID;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (!make_one(part))
            return file_dir_error("make the folder", part, errno);
    }
    return SH_OK;
}

/* --- writing
 * ---------------------------------------------------------------------------- */

int file_dir_spool(const struct sh_file_store *store, char path[static FILE_PATH])
{
    (void)snprintf(path, FILE_PATH, "%s/%sXXXXXX", store->spool, spooled);
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd < 0)
        path[0] = '\0';
    else
        (void)fchmod(fd, FILE_MODE); /* so that another user of the group can read it */
    return fd;
}

static void shard_path(const struct sh_file_store *store, const char *hash,
                       char out[static FILE_PATH])
{
    (void)snprintf(out, FILE_PATH, "%s/%.2s", store->root, hash);
}

static void final_path(const struct sh_file_store *store, const char *hash,
                       char out[static FILE_PATH])
{
    (void)snprintf(out, FILE_PATH, "%s/%.2s/%s", store->root, hash, hash);
}

/* A name lasts only when its folder has reached the disk. */
static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int code = errno;

    if (fd >= 0)
        close(fd);
    errno = code;
    return ok;
}

static bool make_shard(const struct sh_file_store *store, const char *shard)
{
    if (mkdir(shard, FOLDER_MODE) == 0)
        return sync_folder(store->root);
    return errno == EEXIST;
}

/* A file that is there but shorter (a disk that lied) is replaced. */
static bool is_there(const char *path, uint64_t size)
{
    struct stat found;

    return lstat(path, &found) == 0 && S_ISREG(found.st_mode) &&
           (uint64_t)found.st_size == size;
}

enum sh_err file_dir_place(const struct sh_file_store *store, char path[static FILE_PATH],
                           const char *hash, uint64_t size)
{
    char shard[FILE_PATH];
    char final[FILE_PATH];

    shard_path(store, hash, shard);
    final_path(store, hash, final);
    if (!make_shard(store, shard))
        return file_dir_error("make the folder", shard, errno);
    if (is_there(final, size)) {
        (void)unlink(path); /* else the spool is tidied */
    } else if (rename(path, final) != 0) {
        return file_dir_error("make", final, errno);
    }
    path[0] = '\0';
    return sync_folder(shard) ? SH_OK : file_dir_error("keep", final, errno);
}

/* --- reading
 * ---------------------------------------------------------------------------- */

int file_dir_open(const struct sh_file_store *store, const char *hash, uint64_t *size)
{
    char path[FILE_PATH];
    struct stat found;

    final_path(store, hash, path);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        close(fd);
        errno = EIO;
        return -1;
    }
    *size = (uint64_t)found.st_size;
    return fd;
}

/* --- upkeep
 * ----------------------------------------------------------------------------- */

enum sh_err file_dir_remove(const struct sh_file_store *store, const char *hash)
{
    char path[FILE_PATH];

    final_path(store, hash, path);
    if (unlink(path) == 0 || errno == ENOENT)
        return SH_OK;
    return file_dir_error("remove", path, errno);
}

static int by_hash(const void *left, const void *right)
{
    const struct sh_file_entry *a = left;
    const struct sh_file_entry *b = right;
    return strcmp(a->hash, b->hash);
}

/* Keeps the `most` lowest that were offered. */
static void offer(struct sh_file_entry *entries, size_t most, size_t *count,
                  const struct sh_file_entry *entry)
{
    size_t low = 0;
    size_t high = *count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (by_hash(&entries[middle], entry) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == most)
        return;
    size_t kept = *count < most ? *count : most - 1;
    memmove(&entries[low + 1], &entries[low], (kept - low) * sizeof(*entries));
    entries[low] = *entry;
    *count = kept + 1;
}

static void offer_name(int folder, const char *name, const char *after, size_t most,
                       struct sh_file_entry *entries, size_t *count)
{
    struct sh_file_entry entry = {0};
    struct stat found;

    if (!sh_file_hash_ok(sh_bytes_of(name)) || strcmp(name, after) <= 0 ||
        fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(found.st_mode))
        return;
    memcpy(entry.hash, name, sizeof(entry.hash));
    entry.size = (uint64_t)found.st_size;
    entry.modified = (double)found.st_mtim.tv_sec + 1e-9 * (double)found.st_mtim.tv_nsec;
    offer(entries, most, count, &entry);
}

static enum sh_err list_shard(const char *path, const char *after, size_t most,
                              struct sh_file_entry *entries, size_t *count)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL)
        return errno == ENOENT ? SH_OK : file_dir_error("list", path, errno);
    while ((entry = readdir(dir)) != NULL)
        offer_name(dirfd(dir), entry->d_name, after, most, entries, count);
    closedir(dir);
    return SH_OK;
}

enum sh_err file_dir_list(const struct sh_file_store *store, const char *after,
                          size_t most, struct sh_file_entry *entries, size_t *count)
{
    char digits[3] = "";
    enum sh_err err = SH_OK;

    *count = 0;
    if (after[0] != '\0') /* then it is a hash */
        memcpy(digits, after, 2);
    for (unsigned long n = strtoul(digits, NULL, 16);
         n < SHARDS && *count < most && err == SH_OK; n++) {
        char path[FILE_PATH];
        size_t added = 0;
        (void)snprintf(path, sizeof(path), "%s/%02lx", store->root, n);
        err = list_shard(path, after, most - *count, entries + *count, &added);
        *count += added;
    }
    return err;
}

void file_dir_tidy(const struct sh_file_store *store)
{
    DIR *dir = opendir(store->spool);
    const struct dirent *entry;
    time_t now = time(NULL);

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct stat found;
        if (strncmp(entry->d_name, spooled, sizeof(spooled) - 1) == 0 &&
            fstatat(dirfd(dir), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(found.st_mode) && now - found.st_mtime > STALE_S)
            (void)unlinkat(dirfd(dir), entry->d_name, 0); /* else the next time */
    }
    if (dir != NULL)
        closedir(dir);
}
