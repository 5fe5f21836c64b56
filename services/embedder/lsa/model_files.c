#include "services/embedder/lsa/model_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LISTED = 256, ABANDONED_S = 3600 };

struct entry {
    char name[128];
    time_t modified;
};

bool model_files_path(const char *dir, const char *fingerprint, const char *suffix,
                      char out[static MODEL_FILES_PATH])
{
    int len = snprintf(out, MODEL_FILES_PATH, "%s/%s%s", dir, fingerprint, suffix);
    return len > 0 && len < MODEL_FILES_PATH;
}

enum sh_err model_files_prepare(const char *dir)
{
    char path[MODEL_FILES_PATH];
    size_t len = strlen(dir);
    if (len == 0 || len >= sizeof(path))
        return SH_INVALID;
    memcpy(path, dir, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        path[i] = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return sh_err_from_errno(errno);
        path[i] = dir[i];
    }
    return SH_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int newest_first(const void *a, const void *b)
{
    time_t x = ((const struct entry *)a)->modified;
    time_t y = ((const struct entry *)b)->modified;
    return (x < y) - (x > y);
}

/* The models; what was given up is removed on the way. */
static size_t list(DIR *dir, struct entry *entries)
{
    size_t count = 0;
    struct stat about;
    for (struct dirent *found; count < LISTED && (found = readdir(dir)) != NULL;) {
        bool part = ends_with(found->d_name, ".part");
        if ((!part && !ends_with(found->d_name, ".lsa")) ||
            strlen(found->d_name) >= sizeof(entries->name) ||
            fstatat(dirfd(dir), found->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (!part) {
            memcpy(entries[count].name, found->d_name, strlen(found->d_name) + 1);
            entries[count++].modified = about.st_mtime;
        } else if (time(NULL) - about.st_mtime > ABANDONED_S) {
            (void)unlinkat(dirfd(dir), found->d_name, 0); /* perhaps the next time */
        }
    }
    return count;
}

void model_files_tidy(const char *path)
{
    static _Thread_local struct entry entries[LISTED];
    DIR *dir = opendir(path);
    if (!dir)
        return;
    size_t count = list(dir, entries);
    qsort(entries, count, sizeof(*entries), newest_first);
    for (size_t i = MODEL_FILES_KEPT; i < count; i++)
        (void)unlinkat(dirfd(dir), entries[i].name, 0); /* perhaps the next time */
    (void)closedir(dir);
}
