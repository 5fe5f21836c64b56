#include <stdlib.h>

#include "shared/pg.h"

uint64_t sh_pg_u64(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return 0;
    return strtoull(PQgetvalue(result, row, column), NULL, 10);
}

struct sh_bytes sh_pg_text(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return (struct sh_bytes){NULL, 0};
    return (struct sh_bytes){PQgetvalue(result, row, column),
                             (size_t)PQgetlength(result, row, column)};
}
