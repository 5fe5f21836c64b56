/* migration: the numbered SQL files of a folder: NNNN_name.sql and, where the way back
 * is known, NNNN_name.down.sql. */
#ifndef MIGRATE_MIGRATION_H
#define MIGRATE_MIGRATION_H

#include <stddef.h>

#include "shared/buffer.h"
#include "shared/err.h"

struct migration {
    unsigned version;
    char name[128];  /* without number and suffix */
    char sha256[65]; /* of the file, hexadecimal */
    char *path;
    char *down_path; /* NULL when there is no way back */
};

struct migrations { /* ascending by version */
    struct migration *items;
    size_t count;
};

/* Reads names and checksums; complains on stderr. Free with migrations_free() whatever it
 * returns. Errors: SH_IO, SH_INVALID (two files of one number), SH_NOMEM. */
SH_CHECK enum sh_err migrations_read(const char *folder, struct migrations *out);
void migrations_free(struct migrations *migrations);
/* NULL when there is none of that version. */
const struct migration *migrations_find(const struct migrations *migrations,
                                        unsigned version);
/* A whole file, ending in NUL; complains on stderr. */
SH_CHECK enum sh_err migration_text(const char *path, struct sh_buffer *out);

#endif
