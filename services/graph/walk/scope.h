/* scope: whether a link belongs to a walk. */
#ifndef GRAPH_SCOPE_H
#define GRAPH_SCOPE_H

#include "services/graph/walk/walk.h"

/* The type is looked at by whoever goes through the groups. */
static inline bool scope_follows(const struct graph_reader *reader,
                                 const struct walk_scope *scope, const struct link *link)
{
    const struct node *peer = graph_node(reader, link->peer);
    if (peer == NULL || !graph_permits(reader, link->access))
        return false;
    bool found = scope->label == WALK_ANY;
    for (uint32_t i = 0; i < peer->body->label_count && !found; i++)
        found = peer->body->labels[i] == scope->label;
    return found;
}

#endif
