#include "services/graph/cypher/run_internal.h"

enum { ROOM_AT_FIRST = 64, ROWS_MAX = 1 << 28 };

static uint64_t hash_of(const struct cy_value *values, uint32_t width)
{
    uint64_t hash = 0x9e3779b97f4a7c15u;
    for (uint32_t i = 0; i < width; i++)
        hash = (hash ^ cyv_hash(values[i])) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 32;
}

static bool same(const struct cy_value *left, const struct cy_value *right,
                 uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        if (!cyv_equivalent(left[i], right[i]))
            return false;
    return true;
}

static void put(struct cy_table *table, uint32_t row)
{
    uint32_t cell = (uint32_t)table->hashes[row] & (table->room - 1);
    while (table->cells[cell] != 0)
        cell = (cell + 1) & (table->room - 1);
    table->cells[cell] = row + 1;
}

static bool grow(struct cy_env *env, struct cy_table *table)
{
    uint32_t room = table->room ? table->room * 2 : ROOM_AT_FIRST;
    uint32_t rows = room / 2;
    uint32_t *cells = cy_array(env, room, sizeof(*cells));
    uint64_t *hashes = cy_array(env, rows, sizeof(*hashes));
    struct cy_value *values =
        cy_array(env, (size_t)rows * table->width + 1, sizeof(*values));
    if (cells == NULL || hashes == NULL || values == NULL || rows > ROWS_MAX)
        return cy_fail_err(env, SH_NOMEM);
    if (table->count > 0) {
        memcpy(hashes, table->hashes, table->count * sizeof(*hashes));
        memcpy(values, table->values,
               (size_t)table->count * table->width * sizeof(*values));
    }
    table->cells = cells;
    table->hashes = hashes;
    table->values = values;
    table->room = room;
    table->value_room = rows;
    for (uint32_t i = 0; i < table->count; i++)
        put(table, i);
    return true;
}

bool cy_table_add(struct cy_env *env, struct cy_table *table,
                  const struct cy_value *values, uint32_t *row, bool *added)
{
    uint64_t hash = hash_of(values, table->width);
    *added = false;
    if (table->count == table->value_room && !grow(env, table))
        return false;
    uint32_t cell = (uint32_t)hash & (table->room - 1);
    for (; table->cells[cell] != 0; cell = (cell + 1) & (table->room - 1)) {
        *row = table->cells[cell] - 1;
        if (table->hashes[*row] == hash &&
            same(table->values + (size_t)*row * table->width, values, table->width))
            return true;
    }
    *row = table->count++;
    *added = true;
    table->hashes[*row] = hash;
    table->cells[cell] = *row + 1;
    if (table->width > 0)
        memcpy(table->values + (size_t)*row * table->width, values,
               table->width * sizeof(*values));
    return true;
}
