/* folder: a directory of a test's own, for files to find; gone afterwards. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char folder_text[PATH_MAX];

/* The path of what is called so in it; valid until the next call. */
static inline char *folder_path(const char *name)
{
    (void)snprintf(folder_text, sizeof(folder_text), "%s/%s", folder, name);
    return folder_text;
}

static inline void folder_write(const char *name, const char *text)
{
    char *path = folder_path(name);
    for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(path, 0755);
        *at = '/';
    }
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline int folder_make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/cairn-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_remove_one(const char *path, const struct stat *stat, int kind,
                                    struct FTW *at)
{
    (void)stat, (void)kind, (void)at;
    return remove(path);
}

static inline int folder_remove(void **state)
{
    (void)state;
    return nftw(folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
