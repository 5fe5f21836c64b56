#include "libshared/src/config_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, SECRET_FILE_MAX = 64 << 10 };

static const char *lookup(const struct sh_config_source *source, const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): at start */
    return text ? text : sh_dotenv_get(&source->dotenv, name);
}

/* --- files ------------------------------------------------------------------------ */

/* Errors: SH_TOOBIG (more than `max`), what open() and read() say, SH_NOMEM. */
static enum sh_err read_file(const char *path, size_t max, struct sh_buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 1;
    if (fd < 0)
        return sh_err_from_errno(errno);
    while (got > 0 && out->len <= max) {
        char *room = sh_buffer_reserve(out, 4096);
        got = room ? read(fd, room, 4096) : 0;
        if (got > 0)
            out->len += (size_t)got;
    }
    enum sh_err err = got < 0 ? sh_err_from_errno(errno) : out->err;
    close(fd);
    return err == SH_OK && out->len > max ? SH_TOOBIG : err;
}

/* The value held by a file, without the newline that editors add. */
static enum sh_err read_value(struct sh_config_source *source, const char *name,
                              const char *path, const char **text,
                              struct sh_buffer *faults)
{
    struct sh_buffer content = {0};
    enum sh_err err = read_file(path, SECRET_FILE_MAX, &content);
    size_t len = content.len;
    if (err == SH_OK && len > 0 && memchr(content.data, '\0', len))
        err = SH_MALFORMED;
    if (len > 0 && content.data[len - 1] == '\n')
        len--;
    if (len > 0 && content.data[len - 1] == '\r')
        len--;
    if (err == SH_OK) {
        *text = sh_arena_strndup(&source->arena, content.data, len);
        err = *text ? SH_OK : SH_NOMEM;
    }
    sh_buffer_free(&content);
    if (err == SH_OK || err == SH_NOMEM)
        return err;
    sh_buffer_printf(faults, "%s: cannot use the file: %s\n", name, sh_err_text(err));
    return SH_INVALID;
}

static bool development(const struct sh_config_source *source)
{
    const char *mode = lookup(source, "ENVIRONMENT");
    if (!mode || mode[0] == '\0')
        mode = lookup(source, "FLASK_ENV");
    return !mode || mode[0] == '\0' || strcasecmp(mode, "development") == 0;
}

enum sh_err sh_config_source_open(struct sh_config_source *source,
                                  struct sh_buffer *faults)
{
    struct sh_buffer content = {0};
    *source = (struct sh_config_source){0};
    if (!development(source))
        return SH_OK;

    enum sh_err err = read_file(".env", FILE_MAX, &content);
    if (err == SH_OK) {
        err = sh_dotenv_parse(&source->dotenv, sh_buffer_bytes(&content), faults);
    } else if (err == SH_NOTFOUND) {
        err = SH_OK;
    } else if (err != SH_NOMEM) {
        sh_buffer_printf(faults, ".env: cannot use the file: %s\n", sh_err_text(err));
        err = SH_INVALID;
    }
    sh_buffer_free(&content);
    return err;
}

void sh_config_source_close(struct sh_config_source *source)
{
    sh_dotenv_free(&source->dotenv);
    sh_arena_free(&source->arena);
}

/* --- names ------------------------------------------------------------------------ */

struct found {
    const char *name;
    const char *text; /* NULL: nothing yet */
};

/* An empty variable counts as not set, unless the setting is a text that may be empty. */
static bool counts(const struct sh_setting *row, const char *text)
{
    bool may_be_empty =
        (row->type == SH_SETTING_str || row->type == SH_SETTING_url) && row->least <= 0;
    return text && (text[0] != '\0' || may_be_empty);
}

static enum sh_err agree(struct found *found, const char *name, const char *text,
                         struct sh_buffer *faults)
{
    if (!found->text) {
        *found = (struct found){name, text};
        return SH_OK;
    }
    if (strcmp(found->text, text) == 0)
        return SH_OK;
    sh_buffer_printf(faults, "%s: set to another value than %s\n", name, found->name);
    return SH_INVALID;
}

/* NAME, then NAME_FILE. */
static enum sh_err find_name(struct sh_config_source *source,
                             const struct sh_setting *row, struct sh_bytes name,
                             struct found *found, struct sh_buffer *faults)
{
    char *file = sh_arena_alloc(&source->arena, name.len + sizeof("_FILE"));
    char *plain = sh_arena_strndup(&source->arena, name.data, name.len);
    if (!file || !plain)
        return SH_NOMEM;
    memcpy(file, name.data, name.len);
    memcpy(file + name.len, "_FILE", sizeof("_FILE"));

    enum sh_err err = SH_OK;
    const char *text = lookup(source, plain);
    if (counts(row, text))
        err = agree(found, plain, text, faults);
    const char *path = lookup(source, file);
    if (err != SH_OK || !path || path[0] == '\0')
        return err;
    err = read_value(source, file, path, &text, faults);
    if (err == SH_OK && counts(row, text))
        err = agree(found, file, text, faults);
    return err;
}

enum sh_err sh_config_source_find(struct sh_config_source *source,
                                  const struct sh_setting *row, const char **name,
                                  const char **text, struct sh_buffer *faults)
{
    struct found found = {row->name, NULL};
    const char *aliases = sh_config_aliases(row);
    struct sh_bytes candidate = sh_bytes_of(row->name);
    enum sh_err err = SH_OK;

    for (size_t n = 0; candidate.data && err == SH_OK; n++) {
        err = find_name(source, row, candidate, &found, faults);
        candidate = sh_config_item(aliases, n);
    }
    *name = found.name;
    *text = found.text;
    return err;
}
