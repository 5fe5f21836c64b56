#include "cli/keys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { KEY_TEXT = 40, NAME_MAX_LEN = 32, PUBLIC_MAX = 4096 };

struct pair {
    char open[KEY_TEXT + 1];
    char secret[KEY_TEXT + 1];
};

static bool complain(const char *path, const char *what)
{
    (void)fprintf(stderr, "cairn-keys: %s: %s\n", path, what);
    return false;
}

static const char *path_of(char out[static PATH_MAX], const char *dir, const char *name,
                           const char *suffix)
{
    (void)snprintf(out, PATH_MAX, "%s/%s%s", dir, name, suffix);
    return out;
}

static const char *public_of(char out[static PATH_MAX], const char *dir, const char *name)
{
    (void)snprintf(out, PATH_MAX, "%s/public/%s.pub", dir, name);
    return out;
}

/* As libshared reads them; ".next" would be a file of ours. */
static bool name_is_good(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (len > 0 && len <= NAME_MAX_LEN && name[len] == '\0')
        return true;
    return complain(name, "not a name (1 to 32 of a-z, 0-9, _ and -)");
}

static bool make_dir(const char *path, mode_t mode)
{
    return mkdir(path, mode) == 0 || errno == EEXIST || complain(path, strerror(errno));
}

/* --- files ------------------------------------------------------------------------ */

/* A new file with this text, all of it or none. */
static bool write_new(const char *path, const char *text, mode_t mode, bool replace)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof(temporary))
        return complain(path, strerror(ENAMETOOLONG));
    size_t len = strlen(text);
    int fd = mkstemp(temporary); /* 0600 */
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len &&
                fchmod(fd, mode) == 0 && fsync(fd) == 0;
    if (good) /* link() refuses what is there */
        good = replace ? rename(temporary, path) == 0 : link(temporary, path) == 0;
    int error = errno;
    if (fd >= 0) {
        close(fd);
        (void)unlink(temporary); /* gone already after rename() */
    }
    return good || complain(path, strerror(error));
}

/* Text ended by NUL; false with errno when there is none, or too much. */
static bool read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, out, size);
    int error = got < 0 ? errno : (size_t)got == size ? EFBIG : 0;
    close(fd);
    out[error == 0 ? got : 0] = '\0';
    errno = error;
    return error == 0;
}

static bool read_pair(const char *path, struct pair *pair)
{
    char text[KEY_TEXT + 3];
    if (!read_file(path, text, sizeof(text)))
        return complain(path, strerror(errno));
    text[strcspn(text, "\r\n")] = '\0';
    if (strlen(text) != KEY_TEXT || zmq_curve_public(pair->open, text) != 0)
        return complain(path, "not a secret key (40 characters of Z85)");
    memcpy(pair->secret, text, sizeof(pair->secret));
    return true;
}

static bool new_pair(const char *path, struct pair *pair)
{
    char line[KEY_TEXT + 2];
    if (zmq_curve_keypair(pair->open, pair->secret) != 0)
        return complain(path, "this libzmq has no CURVE");
    (void)snprintf(line, sizeof(line), "%s\n", pair->secret);
    return write_new(path, line, 0600, false);
}

/* --- public files ----------------------------------------------------------------- */

static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strncmp(at, line, len) == 0 && strchr("\r\n", at[len]))
            return true;
    }
    return false;
}

static bool add_public(const char *dir, const char *name, const char *key)
{
    char path[PATH_MAX];
    char text[PUBLIC_MAX + KEY_TEXT + 3] = "";
    public_of(path, dir, name);
    bool there = read_file(path, text, PUBLIC_MAX);
    if (!there && errno != ENOENT)
        return complain(path, strerror(errno));
    if (there && has_line(text, key))
        return true;
    size_t len = strlen(text);
    (void)snprintf(text + len, sizeof(text) - len, "%s%s\n",
                   len > 0 && text[len - 1] != '\n' ? "\n" : "", key);
    return write_new(path, text, 0644, true);
}

/* --- the steps -------------------------------------------------------------------- */

bool keyfile_make(const char *dir, const char *name)
{
    char path[PATH_MAX];
    char public_dir[PATH_MAX];
    struct pair pair;
    path_of(public_dir, dir, "public", "");
    if (!name_is_good(name) || !make_dir(dir, 0755) || !make_dir(public_dir, 0755))
        return false;
    path_of(path, dir, name, ".key");
    bool there = access(path, F_OK) == 0;
    bool good = there ? read_pair(path, &pair) : new_pair(path, &pair);
    good = good && add_public(dir, name, pair.open);
    explicit_bzero(&pair, sizeof(pair));
    return good;
}

bool keyfile_next(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct pair pair;
    if (!name_is_good(name))
        return false;
    bool good = new_pair(path_of(path, dir, name, ".next.key"), &pair) &&
                add_public(dir, name, pair.open);
    explicit_bzero(&pair, sizeof(pair));
    return good;
}

bool keyfile_switch(const char *dir, const char *name)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    if (!name_is_good(name))
        return false;
    path_of(from, dir, name, ".next.key");
    path_of(to, dir, name, ".key");
    return rename(from, to) == 0 || complain(from, strerror(errno));
}

bool keyfile_drop(const char *dir, const char *name)
{
    char path[PATH_MAX];
    char line[KEY_TEXT + 2];
    struct pair pair;
    if (!name_is_good(name) || !read_pair(path_of(path, dir, name, ".key"), &pair))
        return false;
    (void)snprintf(line, sizeof(line), "%s\n", pair.open);
    explicit_bzero(&pair, sizeof(pair));
    return write_new(public_of(path, dir, name), line, 0644, true);
}
