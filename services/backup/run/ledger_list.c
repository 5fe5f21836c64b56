/* All runs: as they are, by a key, and which go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/run/ledger_internal.h"
#include "shared/clock.h"

enum { DAY_S = 86400, STRAY_S = 60, KEYS_WAIT_MS = 2000, KEYS_LOOK_MS = 5 };

/* --- ends ------------------------------------------------------------------------- */

static void conclude(json_t *run, const json_t *line)
{
    const char *code = ledger_text(line, "code");
    bool bad = json_is_false(json_object_get(json_object_get(line, "result"), "ok"));
    bool queued = strcmp(ledger_text(run, "state"), "queued") == 0;
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
    json_object_set_new(run, "stage", json_string(ledger_text(line, "stage")));
    json_object_set_new(
        run, "error",
        json_string(bad ? "the set is not good" : ledger_text(line, "error")));
    if (json_object_get(line, "result") != NULL)
        json_object_set(run, "result", json_object_get(line, "result"));
}

/* The lock is ours: nobody else is at the run any more. */
static void settle(int ledger, json_t **run, int lock, json_t *found)
{
    const char *id = ledger_text(*run, "run_id");
    json_t *again = ledger_get(ledger, id); /* as its owner has left it */
    json_t *line;
    char *text;

    if (again == NULL)
        return;
    json_decref(*run);
    *run = again;
    if (!ledger_under_way(again))
        return;
    line = ledger_last_line(lock);
    conclude(again, line);
    json_decref(line);
    text = json_dumps(again, JSON_COMPACT);
    id = ledger_text(again, "run_id");
    if (text != NULL && ledger_write(ledger, id, text) == SH_OK) {
        json_array_append(found, again);
        ledger_end(ledger, id);
    }
    free(text); /* jansson's */
}

static void look_at(int ledger, json_t **run, json_t *found)
{
    int lock;

    if (!ledger_under_way(*run))
        return;
    lock = ledger_open_lock(ledger, ledger_text(*run, "run_id"), 0);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0)
        settle(ledger, run, lock, found);
    else if (ledger_cancelled(lock) && strcmp(ledger_text(*run, "state"), "queued") == 0)
        json_object_set_new(*run, "state", json_string("cancelled")); /* at its turn */
    if (lock >= 0)
        (void)close(lock);
}

json_t *ledger_find(int ledger, const char *id, json_t *found)
{
    json_t *run = ledger_get(ledger, id);

    if (run != NULL)
        look_at(ledger, &run, found);
    return run;
}

/* --- the list --------------------------------------------------------------------- */

static DIR *open_list(int ledger)
{
    int fd = openat(ledger, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

    if (directory == NULL && fd >= 0)
        (void)close(fd);
    return directory;
}

static void close_list(DIR *directory)
{
    if (directory != NULL)
        (void)closedir(directory);
}

/* The id of one more run; it may be none. */
static bool next_run(DIR *directory, char id[static LEDGER_ID + 1])
{
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        size_t len = strcspn(entry->d_name, ".");
        if (strcmp(entry->d_name + len, ".json") != 0)
            continue;
        (void)snprintf(id, LEDGER_ID + 1, "%.*s", (int)len, entry->d_name);
        return true;
    }
    return false;
}

struct seen {
    json_t *run;
};

static int newer_first(const void *a, const void *b)
{
    const struct seen *one = a;
    const struct seen *two = b;

    return strcmp(ledger_text(two->run, "created_at"),
                  ledger_text(one->run, "created_at"));
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
    char id[LEDGER_ID + 1];
    DIR *directory = open_list(ledger);

    while (count < SEEN_MOST && next_run(directory, id)) {
        runs[count].run = ledger_get(ledger, id);
        if (runs[count].run != NULL)
            look_at(ledger, &runs[count++].run, found);
    }
    close_list(directory);
    return in_order(runs, count);
}

/* --- keys ------------------------------------------------------------------------- */

enum sh_err ledger_hold_keys(int ledger, int *held)
{
    uint64_t until = sh_now_ms() + KEYS_WAIT_MS;
    enum sh_err err = SH_OK;

    *held = openat(ledger, "keys", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*held < 0)
        return SH_IO;
    while (err == SH_OK && flock(*held, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            err = SH_IO;
        else if (sh_left_ms(until) == 0)
            err = SH_BUSY;
        else
            (void)poll(NULL, 0, KEYS_LOOK_MS);
    }
    if (err != SH_OK)
        (void)close(*held);
    return err;
}

static const char *key_of(const json_t *run)
{
    return ledger_text(json_object_get(run, "ledger"), "key");
}

static bool younger(const json_t *run, double seconds)
{
    char oldest[32];

    sh_wall_text(sh_wall_time() - seconds, oldest);
    return strcmp(ledger_text(run, "created_at"), oldest) >= 0; /* ISO: by time */
}

json_t *ledger_keyed(int ledger, const char *key, json_t *found)
{
    char id[LEDGER_ID + 1];
    json_t *run = NULL;
    DIR *directory = open_list(ledger);

    while (run == NULL && next_run(directory, id)) {
        run = ledger_get(ledger, id);
        if (strcmp(key_of(run), key) == 0 && younger(run, LEDGER_KEY_S))
            continue;
        json_decref(run);
        run = NULL;
    }
    close_list(directory);
    if (run != NULL)
        look_at(ledger, &run, found);
    return run;
}

/* --- thinning out ----------------------------------------------------------------- */

/* A service that was killed before it wrote anything, or in the middle of it. */
static void remove_strays(int ledger, const char *name)
{
    struct stat st;
    char id[LEDGER_ID + 1];
    json_t *run;

    (void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(name, "."), name);
    if (!ledger_id_ok(id) || fstatat(ledger, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        sh_wall_time() - (double)st.st_mtime < STRAY_S)
        return;
    run = ledger_get(ledger, id);
    if (run == NULL || !ledger_under_way(run))
        (void)unlinkat(ledger, name, 0);
    json_decref(run);
}

static void remove_old(int ledger, const json_t *runs)
{
    size_t i;
    json_t *run;

    json_array_foreach(runs, i, run)
    {
        bool keyed = key_of(run)[0] != '\0' && younger(run, LEDGER_KEY_S);
        size_t most = keyed ? LEDGER_KEYED_MOST : LEDGER_MOST;
        if (!ledger_under_way(run) &&
            (i >= most || !younger(run, (double)LEDGER_DAYS * DAY_S)))
            ledger_remove(ledger, ledger_text(run, "run_id"), "json");
    }
}

void ledger_trim(int ledger, const json_t *runs)
{
    const struct dirent *entry;
    DIR *directory = open_list(ledger);

    remove_old(ledger, runs);
    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (strstr(entry->d_name, ".lock") || strstr(entry->d_name, ".making"))
            remove_strays(ledger, entry->d_name);
    close_list(directory);
}
