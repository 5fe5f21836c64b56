#include "services/gateway/audit/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/mem.h"

enum {
    COMPACT_BYTES = 8 << 20,
    HELD_MAX = 8 << 20, /* in memory, of a file */
    ROOM = 1 << 20,
    PIECE = 64 << 10,
    ATTEMPTS = 5
};
#define SUFFIX          ".rows"
#define SUFFIX_OF_LINES ".journal" /* as they were: lines of JSON, not rows */

/* --- bytes of a file -------------------------------------------------------------- */

static bool write_at(int fd, const char *data, size_t len, uint64_t at)
{
    while (len > 0) {
        ssize_t wrote = pwrite(fd, data, len, (off_t)at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        data += wrote;
        len -= (size_t)wrote;
        at += (uint64_t)wrote;
    }
    return true;
}

/* Fewer at the end of the file; -1 when it cannot be read. */
static ssize_t read_at(int fd, char *data, size_t len, uint64_t at)
{
    size_t have = 0;
    while (have < len) {
        ssize_t got = pread(fd, data + have, len - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static int new_file(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* --- opening ---------------------------------------------------------------------- */

/* Somebody who looks for journals to take over may hold, and remove, it for a moment. */
static bool open_locked(struct journal *journal)
{
    struct stat made;

    for (int i = 0; i < ATTEMPTS; i++) {
        journal->fd = new_file(journal->path);
        if (journal->fd < 0)
            return false;
        if (flock(journal->fd, LOCK_EX) == 0 && fstat(journal->fd, &made) == 0 &&
            made.st_nlink > 0)
            return true;
        close(journal->fd);
    }
    return false;
}

enum sh_err journal_open(struct journal *journal, const char *dir, const char *chain,
                         uint64_t max)
{
    *journal = (struct journal){.fd = -1, .max = max};
    if (strlen(dir) >= sizeof journal->dir)
        return SH_TOOBIG;
    (void)snprintf(journal->dir, sizeof journal->dir, "%s", dir);
    if (dir[0] != '\0') {
        (void)snprintf(journal->path, sizeof journal->path, "%s/%s" SUFFIX, dir, chain);
        if (mkdir(dir, 0700) != 0 && errno != EEXIST)
            return SH_IO;
    }
    journal->open = dir[0] == '\0' || open_locked(journal);
    return journal->open ? SH_OK : SH_IO;
}

/* A process that was killed may have left half a line: it was never more than that. */
static void drop_torn_line(struct journal *journal)
{
    char piece[PIECE];
    uint64_t whole = journal->size;

    while (whole > 0) {
        size_t len = whole < PIECE ? (size_t)whole : PIECE;
        ssize_t got = read_at(journal->fd, piece, len, whole - len);
        const char *newline = got > 0 ? memrchr(piece, '\n', (size_t)got) : NULL;
        if (newline != NULL) {
            whole = whole - len + (size_t)(newline - piece) + 1;
            break;
        }
        whole -= len;
    }
    if (whole < journal->size)
        sh_warning(NULL, "the audit journal %s ended in the middle of a line",
                   journal->path);
    journal->size = whole;
}

static bool take_over(struct journal *journal, const char *name)
{
    struct stat found;

    (void)snprintf(journal->path, sizeof journal->path, "%s/%.200s", journal->dir, name);
    journal->fd = open(journal->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (journal->fd < 0)
        return false;
    /* It may have gone between being found and being locked. */
    if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0 || fstat(journal->fd, &found) != 0 ||
        found.st_nlink == 0 || !S_ISREG(found.st_mode)) {
        close(journal->fd);
        return false;
    }
    journal->open = true;
    journal->size = (uint64_t)found.st_size;
    drop_torn_line(journal);
    return true;
}

enum sh_err journal_adopt(struct journal *journal, const char *dir)
{
    *journal = (struct journal){.fd = -1};
    if (dir[0] == '\0' || strlen(dir) >= sizeof journal->dir)
        return SH_NOTFOUND;
    (void)snprintf(journal->dir, sizeof journal->dir, "%s", dir);
    DIR *files = opendir(dir);
    const struct dirent *entry;
    bool found = false;

    while (files != NULL && !found && (entry = readdir(files)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        found = dot != NULL &&
                (strcmp(dot, SUFFIX) == 0 || strcmp(dot, SUFFIX_OF_LINES) == 0) &&
                take_over(journal, entry->d_name);
    }
    if (files != NULL)
        closedir(files);
    return found ? SH_OK : SH_NOTFOUND;
}

/* --- in memory -------------------------------------------------------------------- */

/* Lines that are in the file are read from there from now on. */
static void let_go(struct journal *journal)
{
    while (journal->first != NULL) {
        struct journal_piece *piece = journal->first;
        journal->first = piece->next;
        sh_free(piece);
    }
    journal->last = NULL;
    journal->held = 0;
}

static struct journal_piece *new_piece(struct journal *journal, size_t len)
{
    struct journal_piece *piece = journal->spare;
    size_t room = len > ROOM ? len : ROOM;

    if (piece != NULL && piece->room >= room) {
        journal->spare = NULL;
        piece->next = NULL;
        piece->from = piece->len = 0;
        return piece;
    }
    piece = sh_realloc(NULL, sizeof *piece + room); /* not cleared: it is filled */
    if (piece != NULL)
        *piece = (struct journal_piece){.room = room};
    return piece;
}

static bool hold(struct journal *journal, struct sh_bytes lines)
{
    struct journal_piece *piece = journal->last;

    if (piece == NULL || piece->room - piece->len < lines.len) {
        piece = new_piece(journal, lines.len);
        if (piece == NULL)
            return false;
        if (journal->last != NULL)
            journal->last->next = piece;
        else
            journal->first = piece;
        journal->last = piece;
    }
    memcpy(piece->lines + piece->len, lines.data, lines.len);
    piece->len += lines.len;
    journal->held += lines.len;
    return true;
}

static void drop_piece(struct journal *journal)
{
    struct journal_piece *piece = journal->first;

    journal->first = piece->next;
    if (journal->first == NULL)
        journal->last = NULL;
    sh_free(journal->spare);
    journal->spare = piece;
}

/* `len` bytes of what is held are stored. */
static void drop_held(struct journal *journal, size_t len)
{
    journal->held -= len;
    while (len > 0) {
        struct journal_piece *piece = journal->first;
        size_t here = piece->len - piece->from < len ? piece->len - piece->from : len;
        piece->from += here;
        len -= here;
        if (piece->from == piece->len)
            drop_piece(journal);
    }
}

/* The oldest line is in memory: then all are. */
static bool holds_all(const struct journal *journal)
{
    return journal->held == journal_waiting(journal);
}

static void read_held(const struct journal *journal, size_t max, struct sh_buffer *out)
{
    const struct journal_piece *piece = journal->first;

    if (piece == NULL)
        return;
    const char *lines = piece->lines + piece->from;
    size_t here = piece->len - piece->from;
    size_t len = here < max ? here : max;
    const char *newline = memrchr(lines, '\n', len);
    if (newline == NULL) /* a line longer than `max` */
        newline = memchr(lines, '\n', here);
    sh_buffer_append(out, lines, (size_t)(newline - lines) + 1);
}

void journal_close(struct journal *journal)
{
    if (!journal->open)
        return;
    if (journal->path[0] != '\0' && journal->loaded == journal->size)
        (void)unlink(journal->path); /* empty: the next one that looks removes it */
    if (journal->fd >= 0)
        close(journal->fd);
    let_go(journal);
    sh_free(journal->spare);
    *journal = (struct journal){.fd = -1};
}

/* --- in and out ------------------------------------------------------------------- */

uint64_t journal_waiting(const struct journal *journal)
{
    return journal->size - journal->loaded;
}

enum sh_err journal_append(struct journal *journal, struct sh_bytes lines)
{
    bool together = holds_all(journal) && journal->held + lines.len <= HELD_MAX;

    if (journal_waiting(journal) + lines.len > journal->max)
        return SH_BUSY;
    if (journal->fd < 0) {
        if (!hold(journal, lines))
            return SH_NOMEM;
        journal->size += lines.len;
        return SH_OK;
    }
    if (!write_at(journal->fd, lines.data, lines.len, journal->size)) {
        if (ftruncate(journal->fd, (off_t)journal->size) != 0)
            sh_warning(NULL, "%s has half a line at its end", journal->path);
        return SH_IO;
    }
    journal->size += lines.len;
    if (!together || !hold(journal, lines))
        let_go(journal);
    return SH_OK;
}

enum sh_err journal_read(const struct journal *journal, size_t max, struct sh_buffer *out)
{
    uint64_t at = journal->loaded;

    if (holds_all(journal)) {
        read_held(journal, max, out);
        return out->err;
    }
    while (at < journal->size) {
        size_t want = journal->size - at < max ? (size_t)(journal->size - at) : max;
        char *room = sh_buffer_reserve(out, want);
        if (room == NULL)
            return SH_NOMEM;
        if (read_at(journal->fd, room, want, at) != (ssize_t)want)
            return SH_IO;
        const char *newline = memrchr(room, '\n', want);
        if (newline != NULL) {
            out->len += (size_t)(newline - room) + 1;
            return SH_OK;
        }
        out->len += want; /* a line longer than `max` */
        at += want;
    }
    return at == journal->loaded ? SH_OK : SH_IO;
}

/* What waits moves to a new file of the same name, so that one that is never quite empty
 * does not grow. On any failure the old one stays. */
static void compact(struct journal *journal)
{
    size_t left = (size_t)journal_waiting(journal);
    struct sh_buffer rest = {0};
    char temporary[sizeof journal->path + 8];
    char *room = sh_buffer_reserve(&rest, left);

    (void)snprintf(temporary, sizeof temporary, "%s.new", journal->path);
    int fd = room != NULL ? new_file(temporary) : -1;
    bool good = fd >= 0 && ftruncate(fd, 0) == 0 &&
                read_at(journal->fd, room, left, journal->loaded) == (ssize_t)left &&
                write_at(fd, room, left, 0);
    if (good)
        good = flock(fd, LOCK_EX | LOCK_NB) == 0 && rename(temporary, journal->path) == 0;
    if (good) {
        close(journal->fd);
        journal->fd = fd;
        journal->size = left;
        journal->loaded = 0;
    } else if (fd >= 0) {
        close(fd);
    }
    sh_buffer_free(&rest);
}

void journal_stored(struct journal *journal, size_t len)
{
    if (holds_all(journal))
        drop_held(journal, len);
    journal->loaded += len;
    if (journal->fd < 0)
        return;
    if (journal->loaded == journal->size) {
        if (ftruncate(journal->fd, 0) == 0)
            journal->size = journal->loaded = 0;
    } else if (journal->loaded > COMPACT_BYTES &&
               journal_waiting(journal) < journal->loaded) {
        compact(journal);
    }
}

void journal_reject(const struct journal *journal, struct sh_bytes line)
{
    char path[sizeof journal->path];
    ssize_t wrote = -1;

    if (journal->dir[0] == '\0')
        return;
    (void)snprintf(path, sizeof path, "%s/rejected", journal->dir);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        wrote = write(fd, line.data, line.len);
        close(fd);
    }
    if (wrote != (ssize_t)line.len)
        sh_error(NULL, "a rejected audit record cannot be kept in %s", path);
}
