#include "services/backup/run/ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/mem.h"

enum { ID = 32, NAME = 64, TEXT_MOST = 2 << 20, DAY_S = 86400, STRAY_S = 60 };

static const char cancel_word[] = "cancel";

/* --- files ------------------------------------------------------------------------ */

bool ledger_id_ok(const char *id)
{
    return strlen(id) == ID && strspn(id, "0123456789abcdef") == ID;
}

enum sh_err ledger_open(int root, int *ledger)
{
    (void)mkdirat(root, ".runs", 0700); /* open() tells */
    *ledger = openat(root, ".runs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ledger >= 0 ? SH_OK : SH_IO;
}

static int open_lock(int ledger, const char *id, int flags)
{
    char name[NAME];

    (void)snprintf(name, sizeof(name), "%.32s.lock", id);
    return openat(ledger, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

enum sh_err ledger_begin(int ledger, const char *id, int *lock)
{
    *lock = open_lock(ledger, id, O_CREAT);
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

static void remove_file(int ledger, const char *id, const char *ending)
{
    char name[NAME];

    (void)snprintf(name, sizeof(name), "%.32s.%.8s", id, ending);
    (void)unlinkat(ledger, name, 0);
}

void ledger_end(int ledger, const char *id)
{
    remove_file(ledger, id, "lock");
}

void ledger_forget(int ledger, const char *id)
{
    remove_file(ledger, id, "json");
    remove_file(ledger, id, "lock");
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

/* The line that the run's process left; NULL: none. */
static json_t *last_line(int lock)
{
    struct stat st;

    if (lock < 0 || fstat(lock, &st) != 0 || st.st_size <= 0 || st.st_size > TEXT_MOST ||
        lseek(lock, 0, SEEK_SET) != 0)
        return NULL;
    return json_loadfd(lock, JSON_DISABLE_EOF_CHECK, NULL);
}

/* --- reading ---------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static bool is_under_way(const json_t *run)
{
    return strcmp(text_of(run, "state"), "queued") == 0 ||
           strcmp(text_of(run, "state"), "running") == 0;
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
    if (strcmp(text_of(run, "run_id"), id) == 0)
        return run;
    json_decref(run);
    return NULL;
}

static void conclude(json_t *run, const json_t *line)
{
    const char *code = text_of(line, "code");
    bool bad = json_is_false(json_object_get(json_object_get(line, "result"), "ok"));
    bool queued = strcmp(text_of(run, "state"), "queued") == 0;
    const char *state = strcmp(code, "ok") == 0 && !bad               ? "done"
                        : strcmp(code, sh_err_code(SH_CANCELED)) == 0 ? "cancelled"
                                                                      : "failed";
    char when[32];

    sh_wall_text(sh_wall_time(), when);
    json_object_set_new(run, "state", json_string(state));
    json_object_set_new(run, "finished_at", json_string(when));
    if (code[0] == '\0') {
        json_object_set_new(run, "code", json_string("interrupted"));
        json_object_set_new(run, "error",
                            json_string(queued ? "interrupted: it was not seen to begin"
                                               : "interrupted: its process ended before "
                                                 "it did"));
        return;
    }
    json_object_set_new(run, "code",
                        json_string(bad && strcmp(code, "ok") == 0 ? "not_good" : code));
    json_object_set_new(run, "stage", json_string(text_of(line, "stage")));
    json_object_set_new(
        run, "error", json_string(bad ? "the set is not good" : text_of(line, "error")));
    if (json_object_get(line, "result") != NULL)
        json_object_set(run, "result", json_object_get(line, "result"));
}

/* The lock is ours: nobody else is at the run any more. */
static void settle(int ledger, json_t **run, int lock, json_t *found)
{
    const char *id = text_of(*run, "run_id");
    json_t *again = ledger_get(ledger, id); /* as its owner has left it */
    json_t *line;
    char *text;

    if (again == NULL)
        return;
    json_decref(*run);
    *run = again;
    if (!is_under_way(again))
        return;
    line = last_line(lock);
    conclude(again, line);
    json_decref(line);
    text = json_dumps(again, JSON_COMPACT);
    id = text_of(again, "run_id");
    if (text != NULL && ledger_write(ledger, id, text) == SH_OK) {
        json_array_append(found, again);
        ledger_end(ledger, id);
    }
    free(text); /* jansson's */
}

static void look_at(int ledger, json_t **run, json_t *found)
{
    int lock;

    if (!is_under_way(*run))
        return;
    lock = open_lock(ledger, text_of(*run, "run_id"), 0);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0)
        settle(ledger, run, lock, found);
    else if (ledger_cancelled(lock) && strcmp(text_of(*run, "state"), "queued") == 0)
        json_object_set_new(*run, "state", json_string("cancelled")); /* at its turn */
    if (lock >= 0)
        (void)close(lock);
}

struct seen {
    json_t *run;
};

static int newer_first(const void *a, const void *b)
{
    const struct seen *one = a;
    const struct seen *two = b;

    return strcmp(text_of(two->run, "created_at"), text_of(one->run, "created_at"));
}

static json_t *in_order(struct seen *runs, size_t count)
{
    json_t *list = json_array();

    if (count > 0)
        qsort(runs, count, sizeof(*runs), newer_first); /* ISO: by time */
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, runs[i].run);
    return list;
}

json_t *ledger_read(int ledger, json_t *found)
{
    enum { SEEN_MOST = 4 * LEDGER_MOST };
    struct seen runs[SEEN_MOST];
    size_t count = 0;
    const struct dirent *entry;
    int fd = openat(ledger, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

    while (directory != NULL && count < SEEN_MOST && (entry = readdir(directory))) {
        char id[ID + 1];
        if (strcmp(entry->d_name + strcspn(entry->d_name, "."), ".json") != 0)
            continue;
        (void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(entry->d_name, "."),
                       entry->d_name);
        runs[count].run = ledger_get(ledger, id);
        if (runs[count].run != NULL)
            look_at(ledger, &runs[count++].run, found);
    }
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
    return in_order(runs, count);
}

enum sh_err ledger_cancel(int ledger, const char *id)
{
    json_t *run = ledger_get(ledger, id);
    int lock = is_under_way(run) ? open_lock(ledger, id, 0) : -1;
    enum sh_err err = run != NULL ? SH_CONFLICT : SH_NOTFOUND;

    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0)
        err = pwrite(lock, cancel_word, strlen(cancel_word), 0) > 0 ? SH_OK : SH_IO;
    if (lock >= 0)
        (void)close(lock);
    json_decref(run);
    return err;
}

/* --- thinning out ----------------------------------------------------------------- */

/* A service that was killed before it wrote anything, or in the middle of it. */
static void remove_strays(int ledger, const char *name)
{
    struct stat st;
    char id[ID + 1];
    json_t *run;

    (void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(name, "."), name);
    if (!ledger_id_ok(id) || fstatat(ledger, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        sh_wall_time() - (double)st.st_mtime < STRAY_S)
        return;
    run = ledger_get(ledger, id);
    if (run == NULL || !is_under_way(run))
        (void)unlinkat(ledger, name, 0);
    json_decref(run);
}

static void remove_old(int ledger, const json_t *runs)
{
    char oldest[32];
    size_t i;
    json_t *run;

    sh_wall_text(sh_wall_time() - (double)LEDGER_DAYS * DAY_S, oldest);
    json_array_foreach(runs, i, run)
    {
        if (is_under_way(run) ||
            (i < LEDGER_MOST && strcmp(text_of(run, "created_at"), oldest) >= 0))
            continue;
        remove_file(ledger, text_of(run, "run_id"), "json");
    }
}

void ledger_trim(int ledger, const json_t *runs)
{
    const struct dirent *entry;
    int fd = openat(ledger, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

    remove_old(ledger, runs);
    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (strstr(entry->d_name, ".lock") || strstr(entry->d_name, ".making"))
            remove_strays(ledger, entry->d_name);
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
}
