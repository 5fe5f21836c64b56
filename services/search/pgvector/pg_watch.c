#include "services/search/pgvector/pg_watch.h"

#include <inttypes.h>
#include <stdio.h>

/* What PostgreSQL's full-text search and the backend cannot do, for /health. */
#define LACKS "[\"bm25\",\"spelling\",\"word_weights\"]"

static const struct sh_pg_statement figures = {
    "pgvector_figures",
    "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM search_words), "
    "(SELECT count(*) FROM search_vectors WHERE fingerprint = $1), "
    "(SELECT count(*) FROM pending_embeddings), "
    "coalesce((SELECT title FROM documents WHERE title <> '' AND chunk_count > 0 LIMIT "
    "1), '')"};
enum { DOCUMENTS, CHUNKS, VECTORS, PENDING, SAMPLE };

static unsigned ask(void *arg, struct sh_pg_param params[WATCH_PARAMETERS])
{
    const struct pg_watch *self = arg;

    if (!self->backend->ready)
        return 0; /* its tables may not be there */
    params[0].value = sh_bytes_of(self->backend->model->fingerprint);
    return 1;
}

static void read_figures(void *arg, const PGresult *rows)
{
    struct pg_watch *self = arg;

    self->documents = sh_pg_u64(rows, 0, DOCUMENTS);
    self->chunks = sh_pg_u64(rows, 0, CHUNKS);
    self->vectors = sh_pg_u64(rows, 0, VECTORS);
    self->pending = sh_pg_u64(rows, 0, PENDING);
    (void)snprintf(self->sample, sizeof(self->sample), "%s", PQgetvalue(rows, 0, SAMPLE));
}

static void look(void *arg, struct watch_index *out)
{
    const struct pg_watch *self = arg;
    const struct backend_pgvector *backend = self->backend;
    bool indexed =
        backend->model->dimension <= backend_pgvector_dimensions(backend->type);

    out->why = pg_keeper_problem(self->keeper);
    if (backend->ready)
        out->state = *out->why == '\0' ? SH_HEALTHY : SH_DEGRADED;
    else
        out->state = SH_UNHEALTHY;
    out->documents = self->documents;
    out->chunks = self->chunks;
    out->vectors = self->vectors;
    out->pending = self->pending;
    (void)snprintf(out->detail, sizeof(out->detail),
                   "{\"backend\":\"pgvector\",\"version\":\"%s\",\"type\":\"%s\","
                   "\"indexed\":%s,\"loaded\":%s,\"current\":%s,\"documents\":%" PRIu64
                   ",\"chunks\":%" PRIu64 ",\"vectors\":%" PRIu64 ",\"pending\":%" PRIu64
                   ",\"lacks\":" LACKS "}",
                   pg_keeper_version(self->keeper), backend->type,
                   indexed ? "true" : "false", backend->ready ? "true" : "false",
                   *out->why == '\0' ? "true" : "false", self->documents, self->chunks,
                   self->vectors, self->pending);
}

static const char *sample(void *arg)
{
    const struct pg_watch *self = arg;

    return self->sample;
}

static enum sh_health_state refused(enum sh_err err, const char **why)
{
    *why = sh_err_text(err);
    return err == SH_BUSY ? SH_DEGRADED : SH_UNHEALTHY;
}

struct watch_source pg_watch(struct pg_watch *self)
{
    return (struct watch_source){.self = self,
                                 .figures = &figures,
                                 .ask = ask,
                                 .read = read_figures,
                                 .look = look,
                                 .sample = sample,
                                 .refused = refused};
}
