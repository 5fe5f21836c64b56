#include "services/search/pgvector/sql.h"

#include <inttypes.h>

#include "shared/pg_array.h"

enum { FIRST_ROOM = 32 };

void sql_add(struct sql *sql, const char *text)
{
    sh_buffer_text(&sql->text, text);
}

void sql_add_count(struct sql *sql, uint64_t count)
{
    sh_buffer_printf(&sql->text, "%" PRIu64, count);
}

/* A list twice as long, with the old one's items; NULL when out of memory. */
static void *longer(struct sql *sql, const void *old, size_t *room, size_t size)
{
    size_t wanted = *room > 0 ? 2 * *room : FIRST_ROOM;
    void *grown = sh_arena_array(sql->arena, wanted, size);

    if (!grown) {
        sql->err = SH_NOMEM;
        return NULL;
    }
    if (*room > 0)
        memcpy(grown, old, *room * size);
    *room = wanted;
    return grown;
}

void sql_add_text(struct sql *sql, struct sh_bytes text)
{
    if (sql->err == SH_OK && sql->text_count == sql->text_room) {
        void *grown = longer(sql, sql->texts, &sql->text_room, sizeof(*sql->texts));
        sql->texts = grown ? grown : sql->texts;
    }
    if (sql->err != SH_OK)
        return;
    sql->texts[sql->text_count++] = text;
    sh_buffer_printf(&sql->text, "($1::text[])[%zu]", sql->text_count);
}

void sql_add_number(struct sql *sql, double number)
{
    if (sql->err == SH_OK && sql->number_count == sql->number_room) {
        void *grown = longer(sql, sql->numbers, &sql->number_room, sizeof(*sql->numbers));
        sql->numbers = grown ? grown : sql->numbers;
    }
    if (sql->err != SH_OK)
        return;
    sql->numbers[sql->number_count++] = number;
    sh_buffer_printf(&sql->text, "($2::float8[])[%zu]", sql->number_count);
}

enum sh_err sql_end(struct sql *sql, struct sh_buffer *texts, struct sh_buffer *numbers)
{
    sh_buffer_append(&sql->text, "", 1);
    sh_pg_array_begin(texts, SH_PG_ARRAY_TEXT, sql->text_count);
    for (size_t i = 0; i < sql->text_count; i++)
        sh_pg_array_bytes(texts, sql->texts[i]);
    sh_pg_array_begin(numbers, SH_PG_ARRAY_DOUBLE, sql->number_count);
    for (size_t i = 0; i < sql->number_count; i++)
        sh_pg_array_double(numbers, sql->numbers[i]);
    if (sql->err == SH_OK)
        sql->err = sql->text.err != SH_OK ? sql->text.err : texts->err;
    return sql->err != SH_OK ? sql->err : numbers->err;
}

void sql_free(struct sql *sql)
{
    sh_buffer_free(&sql->text);
}
