/* graphml_keys: the declarations of properties in GraphML. */
#ifndef GATEWAY_GRAPHS_GRAPHML_KEYS_H
#define GATEWAY_GRAPHS_GRAPHML_KEYS_H

#include "services/gateway/graphs/reader_internal.h"

struct graphml_key {
    char *name;
    enum reader_type type;
    bool of_nodes;
    bool of_edges;
    json_t *fallback; /* NULL: none */
};

struct graphml_keys {
    struct graphml_key *items;
    size_t count;
    json_t *places;  /* by id; made by whoever has this */
    size_t defaults; /* keys that have one */
};

/* The value of an attribute in expat's list; NULL: it is not there. */
const char *graphml_attribute(const char **list, const char *name);
/* Errors: SH_NOMEM; SH_INVALID: without an id, of an unknown type, one too many. */
SH_CHECK enum sh_err graphml_key_add(struct graphml_keys *keys, const char **list);
/* Valid until one is added. NULL: there is none. */
struct graphml_key *graphml_key_find(struct graphml_keys *keys, const char *id);
void graphml_keys_free(struct graphml_keys *keys);

#endif
