#include <openssl/evp.h>
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

static bool add(EVP_MD_CTX *hash, struct sh_bytes part)
{
    uint64_t len = part.len;

    return EVP_DigestUpdate(hash, &len, sizeof(len)) == 1 &&
           (part.len == 0 || EVP_DigestUpdate(hash, part.data, part.len) == 1);
}

void store_edge_id(const struct graph_edge_put *edge, char out[static STORE_EDGE_ID])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool good = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
                add(hash, edge->type) && add(hash, edge->from) && add(hash, edge->to) &&
                add(hash, edge->properties) &&
                EVP_DigestFinal_ex(hash, digest, NULL) == 1;

    EVP_MD_CTX_free(hash);
    out[0] = '\0';
    if (!good)
        return;
    static const char digits[] = "0123456789abcdef";
    out[0] = 'e';
    out[1] = ':';
    for (size_t i = 0; i < 16; i++) {
        out[2 + 2 * i] = digits[digest[i] >> 4];
        out[3 + 2 * i] = digits[digest[i] & 15];
    }
    out[34] = '\0';
}

void store_new_id(char prefix, char out[static STORE_NEW_ID])
{
    unsigned char bytes[16];

    sh_random(bytes, sizeof(bytes));
    int len = snprintf(out, STORE_NEW_ID, "%c_", prefix);
    for (size_t i = 0; i < sizeof(bytes); i++)
        len += snprintf(out + len, STORE_NEW_ID - (size_t)len, "%02x", bytes[i]);
}
