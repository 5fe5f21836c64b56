#include "cli/cairn/ingest/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/ingest/digest.h"
#include "shared/mem.h"

enum { SLACK = 1000, NAME_DIGITS = 16 };

struct ledger {
    pthread_mutex_t mutex;
    json_t *entries; /* id: the line that counts */
    char path[PATH_MAX];
    int fd;    /* appended to */
    int lock;  /* held shared as long as it is open, exclusive while it is cleared up */
    bool torn; /* the last line has no end */
};

/* --- reading ---------------------------------------------------------------------- */

static const char *text_of(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));
    return text ? text : "";
}

/* What makes no sense is passed over: it then is sent again, which does no harm. */
static void take_line(struct ledger *self, const char *text)
{
    json_t *line = json_loads(text, 0, NULL);
    const char *id = text_of(line, "id");
    if (*id)
        json_object_set_new(self->entries, id, json_string(text));
    json_decref(line);
}

/* How many lines there are; -1: it cannot be read. */
static long read_lines(struct ledger *self)
{
    FILE *file = fopen(self->path, "re");
    char *line = NULL;
    size_t room = 0;
    long lines = 0;
    if (!file)
        return errno == ENOENT ? 0 : -1;
    for (ssize_t len; (len = getline(&line, &room, file)) > 0; lines++) {
        self->torn = line[len - 1] != '\n';
        if (!self->torn)
            line[len - 1] = '\0';
        take_line(self, line);
    }
    free(line); /* getline's */
    (void)fclose(file);
    return lines;
}

/* --- clearing up ------------------------------------------------------------------ */

static bool write_all(struct ledger *self, FILE *file)
{
    const char *id = NULL;
    json_t *line = NULL;
    json_object_foreach(self->entries, id, line)
    {
        if (fprintf(file, "%s\n", json_string_value(line)) < 0)
            return false;
    }
    return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

/* Whatever goes wrong, the old file is as good. */
static void clear_up(struct ledger *self)
{
    char draft[PATH_MAX + 8];
    (void)snprintf(draft, sizeof(draft), "%s.XXXXXX", self->path);
    int fd = mkostemp(draft, O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool good = file && write_all(self, file);
    if (file)
        good = fclose(file) == 0 && good;
    else if (fd >= 0)
        close(fd);
    if (good && rename(draft, self->path) == 0)
        self->torn = false;
    else if (fd >= 0)
        (void)unlink(draft);
}

/* --- opening ---------------------------------------------------------------------- */

static bool name_file(struct ledger *self, const char *directory, const char *url)
{
    char digest[DIGEST_TEXT];
    char lock[PATH_MAX];
    if (!digest_text(url, strlen(url), digest) ||
        snprintf(self->path, sizeof(self->path) - 8, "%s/%.*s.ndjson", directory,
                 NAME_DIGITS, digest) >= (int)sizeof(self->path) - 8)
        return false;
    (void)snprintf(lock, sizeof(lock), "%.*s.lock", (int)strlen(self->path) - 7,
                   self->path);
    self->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return self->lock >= 0;
}

static bool load(struct ledger *self)
{
    bool alone = flock(self->lock, LOCK_EX | LOCK_NB) == 0;
    if (!alone && flock(self->lock, LOCK_SH) != 0)
        return false;
    long lines = read_lines(self);
    if (lines < 0)
        return false;
    size_t current = json_object_size(self->entries);
    if (alone && ((size_t)lines > 2 * current + SLACK || self->torn))
        clear_up(self);
    if (alone && flock(self->lock, LOCK_SH) != 0)
        return false;
    self->fd = open(self->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return self->fd >= 0;
}

struct ledger *ledger_open(const char *directory, const char *url)
{
    struct ledger *self = sh_alloc(sizeof(*self));
    if (!self)
        return NULL;
    self->fd = self->lock = -1;
    (void)pthread_mutex_init(&self->mutex, NULL);
    self->entries = json_object();
    if (!self->entries || !name_file(self, directory, url) || !load(self)) {
        cli_say("what was stored before cannot be read in %s: %s", directory,
                strerror(errno));
        ledger_close(&self);
    }
    return self;
}

void ledger_close(struct ledger **ledger)
{
    struct ledger *self = *ledger;
    if (!self)
        return;
    if (self->fd >= 0)
        close(self->fd);
    if (self->lock >= 0)
        close(self->lock);
    json_decref(self->entries);
    (void)pthread_mutex_destroy(&self->mutex);
    sh_free(self);
    *ledger = NULL;
}

/* --- asking and adding ------------------------------------------------------------ */

static void copy(const json_t *line, const char *name, char *into, size_t size)
{
    (void)snprintf(into, size, "%s", text_of(line, name));
}

bool ledger_find(struct ledger *self, const char *id, struct ledger_entry *entry)
{
    (void)pthread_mutex_lock(&self->mutex);
    const char *text = json_string_value(json_object_get(self->entries, id));
    json_t *line = text ? json_loads(text, 0, NULL) : NULL;
    (void)pthread_mutex_unlock(&self->mutex);
    if (!line)
        return false;
    *entry = (struct ledger_entry){
        .size = (uint64_t)json_integer_value(json_object_get(line, "size")),
        .mtime_ns = json_integer_value(json_object_get(line, "mtime_ns")),
        .pending = json_is_true(json_object_get(line, "pending"))};
    copy(line, "as", entry->as, sizeof(entry->as));
    copy(line, "sha256", entry->sha256, sizeof(entry->sha256));
    copy(line, "document", entry->document, sizeof(entry->document));
    copy(line, "job", entry->job, sizeof(entry->job));
    json_decref(line);
    return true;
}

static char *line_of(const char *id, const char *path, const struct ledger_entry *entry)
{
    json_t *line =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I}", "id", id, "as", entry->as,
                  "sha256", entry->sha256, "document", entry->document, "job", entry->job,
                  "pending", (int)entry->pending, "size", (json_int_t)entry->size,
                  "mtime_ns", (json_int_t)entry->mtime_ns);
    json_t *shown = json_string(path);
    if (line && shown) /* a path need not be UTF-8 */
        json_object_set(line, "path", shown);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(shown);
    json_decref(line);
    return text;
}

/* One write: lines of two processes do not mix. */
static bool append(struct ledger *self, const char *text)
{
    struct sh_buffer line = {0};
    sh_buffer_printf(&line, "%s%s\n", self->torn ? "\n" : "", text);
    bool good =
        line.err == SH_OK && write(self->fd, line.data, line.len) == (ssize_t)line.len;
    self->torn = !good;
    sh_buffer_free(&line);
    return good;
}

bool ledger_add(struct ledger *self, const char *id, const char *path,
                const struct ledger_entry *entry)
{
    char *text = line_of(id, path, entry);
    if (!text)
        return false;
    (void)pthread_mutex_lock(&self->mutex);
    bool good = append(self, text);
    json_object_set_new(self->entries, id, json_string(text));
    (void)pthread_mutex_unlock(&self->mutex);
    free(text); /* jansson's */
    return good;
}
