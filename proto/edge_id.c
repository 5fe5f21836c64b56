#include "proto/edge_id.h"

#include <openssl/evp.h>

static bool add(EVP_MD_CTX *hash, struct sh_bytes part)
{
    uint64_t len = part.len;

    return EVP_DigestUpdate(hash, &len, sizeof(len)) == 1 &&
           (part.len == 0 || EVP_DigestUpdate(hash, part.data, part.len) == 1);
}

void edge_id(const struct graph_edge_put *edge, char out[static EDGE_ID_TEXT])
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
