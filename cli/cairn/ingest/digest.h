/* digest: SHA-256 in hexadecimal. */
#ifndef INGEST_DIGEST_H
#define INGEST_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

enum { DIGEST_TEXT = 65 };

bool digest_text(const void *data, size_t len, char into[static DIGEST_TEXT]);
/* Ends the digest under way; the context can be initialised again. */
bool digest_end(EVP_MD_CTX *context, char into[static DIGEST_TEXT]);
/* Of a file's bytes. */
bool digest_file(const char *path, char into[static DIGEST_TEXT]);

#endif
