#include <stdio.h>

#include "services/graph/store/store.h"
#include "shared/trace.h"

struct store_fault store_fault(enum store_verdict verdict, bool edge)
{
    static const struct store_fault of_nodes[STORE_VERDICTS] = {
        [STORE_MISSING] = {SH_NOTFOUND, "node_not_found", "",
                           "there is no such node, or it is not to be seen"},
        [STORE_EXISTS] = {SH_CONFLICT, "node_exists", "id",
                          "there is a node with this id already"},
        [STORE_FORBIDDEN] = {SH_FORBIDDEN, "forbidden", "",
                             "that is out of your reach, or would be afterwards"},
        [STORE_CHANGED] = {SH_CONFLICT, "version_conflict", "version",
                           "it is of another version: somebody has changed it"},
        [STORE_HAS_EDGES] = {SH_CONFLICT, "node_has_edges", "detach",
                             "it has relationships: delete them first, or detach"},
        [STORE_CONFLICT] = {SH_CONFLICT, "conflict", "",
                            "somebody else is changing it at this moment"},
    };
    static const struct store_fault of_edges[STORE_VERDICTS] = {
        [STORE_MISSING] = {SH_NOTFOUND, "edge_not_found", "",
                           "there is no such relationship, or it is not to be seen"},
        [STORE_EXISTS] = {SH_CONFLICT, "edge_exists", "id",
                          "there is a relationship with this id already"},
        [STORE_NO_TYPE] = {SH_INVALID, "invalid_request", "type",
                           "a new relationship must have a type"},
        [STORE_NO_FROM] = {SH_NOTFOUND, "node_not_found", "from",
                           "there is no such node to begin at, or it is not to be seen"},
        [STORE_NO_TO] = {SH_NOTFOUND, "node_not_found", "to",
                         "there is no such node to lead to, or it is not to be seen"},
    };

    return edge && of_edges[verdict].code != NULL ? of_edges[verdict] : of_nodes[verdict];
}

void store_new_id(char prefix, char out[static STORE_NEW_ID])
{
    unsigned char bytes[16];

    sh_random(bytes, sizeof(bytes));
    int len = snprintf(out, STORE_NEW_ID, "%c_", prefix);
    for (size_t i = 0; i < sizeof(bytes); i++)
        len += snprintf(out + len, STORE_NEW_ID - (size_t)len, "%02x", bytes[i]);
}
