/* backend_pgvector: searches answered by PostgreSQL with pgvector: its HNSW index and its
 * full-text search, fused as those of the view are. Reads go to DB_READ_HOSTS where there
 * are any. Needs no memory for the record, and no search without the database. Loop
 * thread only. */
#ifndef SEARCH_BACKEND_PGVECTOR_H
#define SEARCH_BACKEND_PGVECTOR_H

#include "services/search/ingest/model.h"
#include "services/search/query/backend.h"

struct backend_pgvector {
    struct sh_pg *pg; /* NULL when it is closed: searches under way end */
    struct sh_workers *workers;
    const struct model *model;
    const char *type;      /* "vector" or "halfvec": of the index */
    const char *iterative; /* "relaxed_order" or "strict_order" */
    uint32_t ef_search;
    uint32_t scan_max; /* passages that are compared without the index */
    bool ready;        /* tables and index are there */
};

/* Longer vectors than an index of this type takes are always compared one by one. */
uint32_t backend_pgvector_dimensions(const char *type);

/* `self` must live as long as its searches do. Searches before it is ready are refused
 * with SH_DRAINING, so that another replica is asked. */
struct search_backend backend_pgvector(struct backend_pgvector *self);

#endif
