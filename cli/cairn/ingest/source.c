#include "cli/cairn/ingest/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/api/api.h"

enum { ID_DIGITS = 32, FILE_ID = 64, LINE_ID = FILE_ID + ID_DIGITS + 2 };

static bool look(struct source *self, uint64_t *size, int64_t *mtime_ns)
{
    struct stat stat;
    if (fstat(fileno(self->file), &stat) != 0)
        return false;
    *size = (uint64_t)stat.st_size;
    *mtime_ns = (int64_t)stat.st_mtim.tv_sec * 1000000000 + stat.st_mtim.tv_nsec;
    return true;
}

bool source_open(struct source *self, const char *path, const struct source_lines *lines)
{
    *self = (struct source){.file = fopen(path, "re")};
    if (lines)
        self->lines = *lines;
    if (!self->file || !look(self, &self->size, &self->mtime_ns))
        return false;
    self->digest = EVP_MD_CTX_new();
    if (self->digest && EVP_DigestInit_ex(self->digest, EVP_sha256(), NULL) == 1)
        return true;
    errno = ENOMEM;
    return false;
}

void source_close(struct source *self)
{
    if (self->file)
        (void)fclose(self->file);
    EVP_MD_CTX_free(self->digest);
    sh_buffer_free(&self->line);
    free(self->raw); /* getline's */
    *self = (struct source){0};
}

bool source_rewind(void *arg)
{
    struct source *self = arg;
    sh_buffer_clear(&self->line);
    self->line_at = 0;
    return fseeko(self->file, 0, SEEK_SET) == 0 &&
           EVP_DigestInit_ex(self->digest, EVP_sha256(), NULL) == 1;
}

/* --- lines ------------------------------------------------------------------------ */

static void fill(json_t *document, const json_t *defaults)
{
    json_t *collection = json_object_get(defaults, "collection");
    json_t *given = json_object_get(defaults, "metadata");
    json_t *metadata = json_object_get(document, "metadata");
    if (collection && !json_object_get(document, "collection"))
        json_object_set(document, "collection", collection);
    if (json_object_size(given) == 0)
        return;
    if (!metadata)
        json_object_set_new(document, "metadata", json_deep_copy(given));
    else if (json_is_object(metadata))
        json_object_update_missing(metadata, given);
}

static void name(json_t *document, struct sh_bytes line, const char *file)
{
    char digest[DIGEST_TEXT];
    char id[LINE_ID];
    const char *given = json_string_value(json_object_get(document, "id"));
    if ((given && *given) || !digest_text(line.data, line.len, digest))
        return;
    (void)snprintf(id, sizeof(id), "%.*s-%.*s", FILE_ID, file, ID_DIGITS, digest);
    json_object_set_new(document, "id", json_string(id));
}

void source_fill(struct sh_buffer *out, struct sh_bytes line,
                 const struct source_lines *lines)
{
    json_t *document = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    char *text = NULL;
    if (json_is_object(document)) {
        name(document, line, lines->file);
        fill(document, lines->defaults);
        text = json_dumps(document, JSON_COMPACT);
    }
    if (text)
        sh_buffer_text(out, text);
    else if (line.len > 0)
        sh_buffer_append(out, line.data, line.len);
    free(text); /* jansson's */
    json_decref(document);
}

/* False: the end, or it cannot be read. */
static bool next_line(struct source *self)
{
    ssize_t len = getline(&self->raw, &self->raw_room, self->file);
    if (len <= 0)
        return false;
    (void)EVP_DigestUpdate(self->digest, self->raw, (size_t)len);
    sh_buffer_clear(&self->line);
    self->line_at = 0;
    bool ended = self->raw[len - 1] == '\n';
    source_fill(&self->line, (struct sh_bytes){self->raw, (size_t)len - (ended ? 1 : 0)},
                &self->lines);
    sh_buffer_text(&self->line, "\n");
    return self->line.err == SH_OK;
}

static size_t read_lines(struct source *self, char *into, size_t most)
{
    if (self->line_at == self->line.len && !next_line(self))
        return self->line.err != SH_OK || ferror(self->file) ? API_BROKEN : 0;
    size_t left = self->line.len - self->line_at;
    size_t len = left < most ? left : most;
    memcpy(into, self->line.data + self->line_at, len);
    self->line_at += len;
    return len;
}

size_t source_read(void *arg, char *into, size_t most)
{
    struct source *self = arg;
    if (self->lines.file)
        return read_lines(self, into, most);
    size_t len = fread(into, 1, most, self->file);
    if (ferror(self->file) || EVP_DigestUpdate(self->digest, into, len) != 1)
        return API_BROKEN;
    return len;
}

bool source_end(struct source *self, char sha256[static DIGEST_TEXT])
{
    uint64_t size = 0;
    int64_t mtime_ns = 0;
    return digest_end(self->digest, sha256) && look(self, &size, &mtime_ns) &&
           size == self->size && mtime_ns == self->mtime_ns;
}
