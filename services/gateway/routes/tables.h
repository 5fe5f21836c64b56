/* tables: the routes, by subject; each table stands in the file of its name. */
#ifndef GATEWAY_ROUTE_TABLES_H
#define GATEWAY_ROUTE_TABLES_H

#include "services/gateway/router.h"

struct route_table {
    const struct route *routes;
    size_t count;
};

extern const struct route_table routes_of_operations;
extern const struct route_table routes_of_documents;
extern const struct route_table routes_of_jobs;
extern const struct route_table routes_of_generations;
extern const struct route_table routes_of_embeddings;
extern const struct route_table routes_of_glossary;
extern const struct route_table routes_of_graph;
extern const struct route_table routes_of_backups;
extern const struct route_table routes_of_identity;

#endif
