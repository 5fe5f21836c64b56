#include "services/backup/pipeline/digest.h"

#include <sodium.h>

enum sh_err digest_begin(struct digest *digest)
{
    if (digest->state == NULL)
        digest->state = EVP_MD_CTX_new();
    if (digest->state == NULL)
        return SH_NOMEM;
    return EVP_DigestInit_ex(digest->state, EVP_sha256(), NULL) == 1 ? SH_OK : SH_NOMEM;
}

void digest_add(struct digest *digest, struct sh_bytes bytes)
{
    if (bytes.len > 0)
        (void)EVP_DigestUpdate(digest->state, bytes.data, bytes.len); /* cannot fail */
}

void digest_end(struct digest *digest, char out[static DIGEST_TEXT])
{
    unsigned char raw[DIGEST_BYTES] = {0};

    (void)EVP_DigestFinal_ex(digest->state, raw, NULL); /* cannot fail */
    (void)sodium_bin2hex(out, DIGEST_TEXT, raw, sizeof(raw));
}

void digest_free(struct digest *digest)
{
    EVP_MD_CTX_free(digest->state);
    digest->state = NULL;
}
