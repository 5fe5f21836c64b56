#include "services/backup/scratch/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 1200, DEPTH = 16, PAUSES = 500, PAUSE_NS = 20000000 };

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
    (void)st;
    (void)what;
    (void)ftw;
    (void)remove(path); /* the rest is tried all the same */
    return 0;
}

void scratch_remove(const char *folder)
{
    (void)nftw(folder, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS);
}

/* The process is a PostgreSQL of this folder's, and not somebody who got its number. */
static bool is_ours(long pid, const char *folder)
{
    char path[64];
    char words[4096];
    bool found = false;

    (void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, words, sizeof(words) - 1) : 0;
    for (ssize_t i = 0; i < len; i++)
        if (words[i] == '\0')
            words[i] = ' ';
    if (len > 0) {
        words[len] = '\0';
        found = strstr(words, folder) != NULL;
    }
    if (fd >= 0)
        (void)close(fd);
    return found;
}

static void stop_server(const char *folder)
{
    const struct timespec pause = {0, PAUSE_NS};
    char path[PATH];
    char text[64] = "";

    (void)snprintf(path, sizeof(path), "%s/data/postmaster.pid", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    long pid = len > 0 ? strtol(text, NULL, 10) : 0;
    if (pid <= 1 || !is_ours(pid, folder))
        return;
    (void)kill((pid_t)pid, SIGQUIT);
    for (int i = 0; i < PAUSES && is_ours(pid, folder); i++)
        (void)nanosleep(&pause, NULL);
}

static void sweep_one(const char *folder)
{
    char path[PATH];

    (void)snprintf(path, sizeof(path), "%s/lock", folder);
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    /* without a lock it is being made at this moment, or being removed */
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        stop_server(folder);
        scratch_remove(folder);
    }
    if (fd >= 0)
        (void)close(fd);
}

void scratch_sweep(const char *dir)
{
    DIR *directory = opendir(dir);
    const struct dirent *entry;
    char path[PATH - 64];

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (strncmp(entry->d_name, SCRATCH_PREFIX, sizeof(SCRATCH_PREFIX) - 1) == 0) {
            (void)snprintf(path, sizeof(path), "%.64s/%.255s", dir, entry->d_name);
            sweep_one(path);
        }
    if (directory != NULL)
        (void)closedir(directory);
}
