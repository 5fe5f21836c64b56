#include "services/backup/run/ledger_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/mem.h"

enum { NAME = 64, TEXT_MOST = 2 << 20 };

static const char cancel_word[] = "cancel";

/* --- files ------------------------------------------------------------------------ */

bool ledger_id_ok(const char *id)
{
    return strlen(id) == LEDGER_ID && strspn(id, "0123456789abcdef") == LEDGER_ID;
}

enum sh_err ledger_open(int root, int *ledger)
{
    (void)mkdirat(root, ".runs", 0700); /* open() tells */
    *ledger = openat(root, ".runs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ledger >= 0 ? SH_OK : SH_IO;
}

int ledger_open_lock(int ledger, const char *id, int flags)
{
    char name[NAME];

    (void)snprintf(name, sizeof(name), "%.32s.lock", id);
    return openat(ledger, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

enum sh_err ledger_begin(int ledger, const char *id, int *lock)
{
    *lock = ledger_open_lock(ledger, id, O_CREAT);
    if (*lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return SH_OK;
    if (*lock >= 0)
        (void)close(*lock);
    *lock = -1;
    return SH_IO;
}

enum sh_err ledger_write(int ledger, const char *id, const char *text)
{
    char aside[NAME];
    char name[NAME];
    size_t len = strlen(text);

    (void)snprintf(name, sizeof(name), "%.32s.json", id);
    (void)snprintf(aside, sizeof(aside), "%.32s.making", id);
    int fd = openat(ledger, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (good && renameat(ledger, aside, ledger, name) == 0 && fsync(ledger) == 0)
        return SH_OK;
    (void)unlinkat(ledger, aside, 0);
    return SH_IO;
}

void ledger_remove(int ledger, const char *id, const char *ending)
{
    char name[NAME];

    (void)snprintf(name, sizeof(name), "%.32s.%.8s", id, ending);
    (void)unlinkat(ledger, name, 0);
}

void ledger_end(int ledger, const char *id)
{
    ledger_remove(ledger, id, "lock");
}

void ledger_forget(int ledger, const char *id)
{
    ledger_remove(ledger, id, "json");
    ledger_remove(ledger, id, "lock");
}

/* --- the lock's own words --------------------------------------------------------- */

void ledger_say(int lock, const char *line)
{
    size_t len = strlen(line);

    if (ftruncate(lock, 0) == 0 && pwrite(lock, line, len, 0) == (ssize_t)len)
        (void)fsync(lock); /* without it the run is taken for interrupted, at worst */
}

bool ledger_cancelled(int lock)
{
    char word[sizeof(cancel_word)];

    return pread(lock, word, sizeof(word), 0) == (ssize_t)strlen(cancel_word) &&
           memcmp(word, cancel_word, strlen(cancel_word)) == 0;
}

json_t *ledger_last_line(int lock)
{
    struct stat st;

    if (lock < 0 || fstat(lock, &st) != 0 || st.st_size <= 0 || st.st_size > TEXT_MOST ||
        lseek(lock, 0, SEEK_SET) != 0)
        return NULL;
    return json_loadfd(lock, JSON_DISABLE_EOF_CHECK, NULL);
}

/* --- reading ---------------------------------------------------------------------- */

const char *ledger_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

bool ledger_under_way(const json_t *run)
{
    return strcmp(ledger_text(run, "state"), "queued") == 0 ||
           strcmp(ledger_text(run, "state"), "running") == 0;
}

uint64_t ledger_version(const json_t *run)
{
    const json_t *own = json_object_get(run, "ledger");
    json_int_t version = json_integer_value(json_object_get(own, "version"));

    return version > 0 ? (uint64_t)version : 1;
}

json_t *ledger_get(int ledger, const char *id)
{
    char name[NAME];
    struct stat st;
    json_t *run = NULL;

    if (!ledger_id_ok(id))
        return NULL;
    (void)snprintf(name, sizeof(name), "%s.json", id);
    int fd = openat(ledger, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= TEXT_MOST)
        run = json_loadfd(fd, 0, NULL);
    if (fd >= 0)
        (void)close(fd);
    if (strcmp(ledger_text(run, "run_id"), id) == 0)
        return run;
    json_decref(run);
    return NULL;
}

enum sh_err ledger_cancel(int ledger, const char *id)
{
    json_t *run = ledger_get(ledger, id);
    int lock = ledger_under_way(run) ? ledger_open_lock(ledger, id, 0) : -1;
    enum sh_err err = run != NULL ? SH_CONFLICT : SH_NOTFOUND;

    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0)
        err = pwrite(lock, cancel_word, strlen(cancel_word), 0) > 0 ? SH_OK : SH_IO;
    if (lock >= 0)
        (void)close(lock);
    json_decref(run);
    return err;
}
