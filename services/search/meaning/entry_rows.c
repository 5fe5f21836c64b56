#include "services/search/meaning/entry_feed_internal.h"
#include "shared/pg_array.h"

struct sh_bytes entry_feed_cell(const PGresult *rows, int row, int column)
{
    return (struct sh_bytes){PQgetvalue(rows, row, column),
                             (size_t)PQgetlength(rows, row, column)};
}

void entry_feed_facts(const PGresult *rows, int row, struct entry_facts *out)
{
    *out = (struct entry_facts){
        .id = entry_feed_cell(rows, row, ENTRY_ID),
        .clearance_level = sh_pg_array_get_u32(PQgetvalue(rows, row, ENTRY_CLEARANCE)),
        .department = entry_feed_cell(rows, row, ENTRY_DEPARTMENT),
        .language = entry_feed_cell(rows, row, ENTRY_LANGUAGE),
        .domain = entry_feed_cell(rows, row, ENTRY_DOMAIN),
        .status = entry_feed_cell(rows, row, ENTRY_STATUS)};
}

bool entry_feed_put(struct entry_feed *self, const PGresult *rows, int row,
                    enum sh_err *err)
{
    uint32_t dimension = self->model.dimension;
    float *vector = sh_alloc_array(dimension, sizeof(*vector));
    struct entry_facts facts;
    bool there;

    entry_feed_facts(rows, row, &facts);
    there =
        vector != NULL && !PQgetisnull(rows, row, ENTRY_VECTOR) &&
        entry_vector_read(entry_feed_cell(rows, row, ENTRY_VECTOR), dimension, vector);
    if (vector == NULL)
        *err = SH_NOMEM;
    else if (there)
        *err = entry_set_put(self->held->set, &facts, vector);
    sh_free(vector);
    return there;
}
