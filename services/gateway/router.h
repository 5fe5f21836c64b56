/* router: from method and path to the row of the table that answers. The table is the
 * only place where a route is declared: lookup, metrics and /openapi.json come from it.
 * Paths without parameters are found by a hash; those with one are few and tried in turn.
 * Built once, then read by every loop. */
#ifndef GATEWAY_ROUTER_H
#define GATEWAY_ROUTER_H

#include "services/gateway/schema.h"
#include "shared/bytes.h"
#include "shared/err.h"

struct exchange;

enum route_method { ROUTE_GET, ROUTE_POST, ROUTE_PUT, ROUTE_DELETE, ROUTE_METHODS };

/* What a caller needs to be allowed to do: the enumerator, and its name in a file of
 * roles and in the scopes of an API key. */
/* clang-format off */
#define PERMISSIONS(P)                                                                   \
    P(UNSET, "")                 /* forgotten: no table is made with such a route */     \
    P(PUBLIC, "public")          /* probes, documentation, login: everybody */           \
    P(SESSION, "session")        /* what concerns only oneself: whoever is known */      \
    P(SEARCH, "search")                                                                  \
    P(READ_DOCUMENTS, "read_documents")                                                  \
    P(WRITE_DOCUMENTS, "write_documents")                                                \
    P(MANAGE_DOCUMENTS, "manage_documents") /* collections, who may read what */         \
    P(EMBED, "embed")                                                                    \
    P(READ_GLOSSARY, "read_glossary")                                                    \
    P(WRITE_GLOSSARY, "write_glossary")                                                  \
    P(READ_GRAPH, "read_graph")                                                          \
    P(WRITE_GRAPH, "write_graph")                                                        \
    P(BACKUPS, "backups")                                                                \
    P(OPERATE, "operate")        /* figures of the inside */                             \
    P(ADMIN_USERS, "admin_users")                                                        \
    P(ADMIN_KEYS, "admin_keys")                                                          \
    P(ADMIN_CACHE, "admin_cache")                                                        \
    P(ADMIN_MODELS, "admin_models") /* generations of vectors */                         \
    P(READ_AUDIT, "read_audit")                                                          \
    P(IMPERSONATE, "impersonate") /* search on behalf of somebody with less rights */    \
    P(VALIDATE_GLOSSARY, "validate_glossary") /* terms that are no drafts */
/* clang-format on */
#define PERMISSION_ENUM(name, text) PERMIT_##name,
enum permission { PERMISSIONS(PERMISSION_ENUM) PERMIT_COUNT };
#undef PERMISSION_ENUM

enum {                       /* flags of a route */
       ROUTE_QUIET = 1,      /* a probe: not in the access log */
       ROUTE_OPERATOR = 2,   /* closed to the outside with METRICS_PUBLIC=false */
       ROUTE_DOCS = 4,       /* there with DOCS_ENABLED=true */
       ROUTE_LARGE_BODY = 8, /* MAX_DOCUMENT_BYTES instead of MAX_BODY_BYTES */
       ROUTE_HIDDEN = 16,    /* a further name of another route: not in /openapi.json */
       ROUTE_AS_OLLAMA = 32, /* errors in the shape that clients of Ollama read */
       ROUTE_AS_OPENAI = 64, /* or those of OpenAI; see dialect.h */
       ROUTE_REPEATED = 128, /* the same bodies come often: see bodies.h */
       ROUTE_UPLOAD = 256,   /* counts as an upload */
       ROUTE_LOGIN = 512,    /* counts as an attempt to log in */
       ROUTE_EMBEDS = 1024,  /* counted as a request for vectors */
       ROUTE_FORM = 2048,  /* a multipart/form-data body is the handler's to read: it gets
                              NULL then */
       ROUTE_LINES = 4096, /* answers lines, each of the shape `answer` */
       ROUTE_AS_SEARCH = 8192, /* counts as a search, is recorded as a read */
       ROUTE_ENTRY = 16384,    /* begins, prolongs or ends being logged in */
};

/* For /openapi.json. */
struct route_param {
    const char *name;
    const char *type; /* "string", "integer", "number", "boolean" */
    const char *help;
};

/* `body` is the struct that the schema filled, NULL for routes without one. The exchange
 * must be answered, now or later. */
typedef void route_fn(struct exchange *x, void *body);

struct route {
    enum route_method method;
    int success; /* the usual status, for /openapi.json */
    /* "/api/documents/{id}", "/api/jobs/{id}/retry": at most one parameter, a segment.
     * The text must outlive the router. */
    const char *path;
    const char *operation; /* "search_documents": label `endpoint` and operationId */
    route_fn *handle;
    const struct schema *body; /* NULL: none is read before the handler runs */
    enum permission permission;
    unsigned flags;
    const char *tag;
    const char *summary;
    const struct route_param *params; /* of the query; ended by a NULL name */
    /* Name of its shape in /openapi.json; "text/plain": what is not JSON, in and out.
     * NULL: not described. */
    const char *answer;
};

struct router;

/* Every "/api/…" path is also found below "/api/v1/…". Errors: SH_NOMEM, SH_INVALID (a
 * method and path stand twice, or a route has no permission). */
SH_CHECK enum sh_err router_create(const struct route *routes, size_t count,
                                   struct router **out);
void router_free(struct router **router);

struct router_match {
    const struct route *route; /* NULL: unknown path, or `allow` is set */
    const char *allow;         /* what the path answers to; NULL when it is unknown */
    unsigned flags;            /* of the route, or of another one at the path */
    struct sh_bytes param;     /* raw segment, of a path with a parameter */
};

/* HEAD is looked up as GET. */
struct router_match router_find(const struct router *router, struct sh_bytes method,
                                struct sh_bytes path);

const char *route_method_name(enum route_method method);
/* "search"; "" for PERMIT_UNSET and other numbers. */
const char *permission_name(enum permission permission);

#endif
