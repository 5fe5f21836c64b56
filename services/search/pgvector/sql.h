/* sql: a statement in the making. Its text is made of constants and whole numbers only;
 * every value that came from outside becomes an element of one of two array parameters
 * ($1: texts, $2: numbers) and the text names its place. Pure: any thread. */
#ifndef SEARCH_SQL_H
#define SEARCH_SQL_H

#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/mem.h"

struct sql {
    struct sh_arena *arena; /* of the lists of values */
    struct sh_buffer text;
    struct sh_bytes *texts; /* borrowed */
    size_t text_count;
    size_t text_room;
    double *numbers;
    size_t number_count;
    size_t number_room;
    enum sh_err err; /* of the values; the first one stays */
};

/* The constant `text`, as it is. */
void sql_add(struct sql *sql, const char *text);
/* A whole number that is part of the structure: a count, a size. */
void sql_add_count(struct sql *sql, uint64_t count);
/* A value: the place of `text` in $1, as text. */
void sql_add_text(struct sql *sql, struct sh_bytes text);
/* A value: the place of `number` in $2, as double precision. */
void sql_add_number(struct sql *sql, double number);
/* Ends the text with NUL and writes the parameters in binary form; all three buffers stay
 * the caller's. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err sql_end(struct sql *sql, struct sh_buffer *texts,
                             struct sh_buffer *numbers);
/* The text; the lists go with their arena. */
void sql_free(struct sql *sql);

#endif
