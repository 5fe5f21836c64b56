#include "services/gateway/routes/routes.h"

#include <string.h>

#include "services/gateway/routes/tables.h"
#include "shared/mem.h"

static const struct route_table *const tables[] = {
    &routes_of_operations,  &routes_of_documents,  &routes_of_jobs,
    &routes_of_generations, &routes_of_embeddings, &routes_of_graph,
    &routes_of_backups,     &routes_of_identity,   &routes_of_glossary,
};

struct route *routes_all(size_t *count)
{
    struct route *all;
    size_t sum = 0, at = 0;

    for (size_t i = 0; i < SH_COUNT(tables); i++)
        sum += tables[i]->count;
    all = sh_alloc(sum * sizeof *all);
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < SH_COUNT(tables); i++) {
        memcpy(all + at, tables[i]->routes, tables[i]->count * sizeof *all);
        at += tables[i]->count;
    }
    *count = sum;
    return all;
}
