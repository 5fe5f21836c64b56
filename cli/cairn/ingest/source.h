/* source: the bytes of a file as a request takes them, with their digest. Of documents by
 * line, what a line leaves open is filled in on the way, its id too: so the same line
 * sent again is the same document. One thread at a time. */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "cli/cairn/ingest/digest.h"
#include "shared/buffer.h"

/* What documents by line get that they do not say. */
struct source_lines {
    const char *file;       /* the id of the file: ids begin with it; NULL: no lines */
    const json_t *defaults; /* {"collection"?, "metadata"?}, or NULL */
};

struct source {
    FILE *file;
    EVP_MD_CTX *digest; /* of the bytes of the file, not of what they became */
    struct source_lines lines;
    struct sh_buffer line; /* what of it was not taken yet begins at line_at */
    size_t line_at;
    char *raw; /* getline's */
    size_t raw_room;
    uint64_t size;
    int64_t mtime_ns;
};

/* `lines` is NULL for a file that is sent as it is. False: errno says why. source_close()
 * in any case. */
bool source_open(struct source *self, const char *path, const struct source_lines *lines);
void source_close(struct source *self);

/* As struct api_source has them; `arg` is the source. */
size_t source_read(void *arg, char *into, size_t most);
bool source_rewind(void *arg);

/* After all was read: the digest. False when the file changed meanwhile. */
bool source_end(struct source *self, char sha256[static DIGEST_TEXT]);

/* A line, without its end, with what it leaves open filled in; what is no JSON object
 * stays as it is. */
void source_fill(struct sh_buffer *out, struct sh_bytes line,
                 const struct source_lines *lines);

#endif
