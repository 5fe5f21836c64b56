#include "cli/cairn/ingest/digest.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SHA256_BYTES = 32, PIECE = 65536 };

bool digest_end(EVP_MD_CTX *context, char into[static DIGEST_TEXT])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_DigestFinal_ex(context, bytes, &len) != 1 || len != SHA256_BYTES)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++)
        (void)snprintf(into + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

bool digest_text(const void *data, size_t len, char into[static DIGEST_TEXT])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(context, data, len) == 1 && digest_end(context, into);
    EVP_MD_CTX_free(context);
    return good;
}

static bool add_file(EVP_MD_CTX *context, int fd)
{
    unsigned char piece[PIECE];
    ssize_t n = 0;
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        if (EVP_DigestUpdate(context, piece, (size_t)n) != 1)
            return false;
    }
    return n == 0;
}

bool digest_file(const char *path, char into[static DIGEST_TEXT])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && context &&
                EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                add_file(context, fd) && digest_end(context, into);
    if (fd >= 0)
        close(fd);
    EVP_MD_CTX_free(context);
    return good;
}
