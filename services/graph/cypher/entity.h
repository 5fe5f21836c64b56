/* entity: what nodes, relationships and paths are made of, as values. The places are ones
 * that the reader may see. Functions that return bool fail as env.h says. */
#ifndef CYPHER_ENTITY_H
#define CYPHER_ENTITY_H

#include "services/graph/cypher/env.h"
#include "services/graph/cypher/value.h"

/* Of a node or a relationship; `key` is a symbol of the graph or CY_NONE. Null when there
 * is no such property. */
bool cy_entity_property(struct cy_env *env, struct cy_value entity, uint32_t key,
                        struct cy_value *out);
/* The same by the name of the key. */
bool cy_entity_named(struct cy_env *env, struct cy_value entity, struct sh_bytes key,
                     struct cy_value *out);
/* A map of all of them. */
bool cy_entity_properties(struct cy_env *env, struct cy_value entity,
                          struct cy_value *out);
/* A list of their names. */
bool cy_entity_keys(struct cy_env *env, struct cy_value entity, struct cy_value *out);
bool cy_node_labels(struct cy_env *env, struct cy_value node, struct cy_value *out);
struct cy_value cy_relationship_type(struct cy_env *env, struct cy_value relationship);
struct cy_value cy_relationship_start(struct cy_env *env, struct cy_value relationship);
struct cy_value cy_relationship_end(struct cy_env *env, struct cy_value relationship);
/* The number that stays the same for as long as it lives: id(). */
int64_t cy_entity_number(struct cy_env *env, struct cy_value entity);
/* Its text id: elementId(). */
struct sh_bytes cy_entity_id(struct cy_env *env, struct cy_value entity);
/* All labels of a node, or the type of a relationship. */
bool cy_entity_has(struct cy_env *env, struct cy_value entity,
                   const struct cy_symbols *symbols);
bool cy_path_nodes(struct cy_env *env, const struct cyv_path *path, struct cy_value *out);
bool cy_path_relationships(struct cy_env *env, const struct cyv_path *path,
                           struct cy_value *out);

#endif
