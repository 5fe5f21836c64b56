/* digest: SHA-256 while bytes go by, by OpenSSL. One thread at a time. */
#ifndef BACKUP_DIGEST_H
#define BACKUP_DIGEST_H

#include <openssl/evp.h>

#include "shared/bytes.h"
#include "shared/err.h"

enum { DIGEST_BYTES = 32, DIGEST_TEXT = 65 };

struct digest {
    EVP_MD_CTX *state; /* NULL: not begun */
};

/* Also begins one anew. Errors: SH_NOMEM. */
SH_CHECK enum sh_err digest_begin(struct digest *digest);
void digest_add(struct digest *digest, struct sh_bytes bytes);
/* Lower-case hex. */
void digest_end(struct digest *digest, char out[static DIGEST_TEXT]);
void digest_free(struct digest *digest);

#endif
