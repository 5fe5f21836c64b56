#include "services/gateway/auth/base64url.h"

#include <openssl/evp.h>

/* OpenSSL has the other alphabet, and padding. */
static bool to_base64(struct sh_bytes text, char *into)
{
    const char *from = text.data;
    for (size_t i = 0; i < text.len; i++) {
        char c = from[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
        into[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    for (size_t i = text.len; i % 4 != 0; i++)
        into[i] = '=';
    return true;
}

/* Bits of the last letter that no byte has must be 0, else two texts say the same. */
static bool is_only_text(struct sh_bytes text, struct sh_bytes bytes,
                         struct sh_arena *arena)
{
    return sh_bytes_equal(base64url_encode(bytes, arena), text);
}

bool base64url_decode(struct sh_bytes text, struct sh_arena *arena, struct sh_bytes *out)
{
    size_t padded = (text.len + 3) / 4 * 4;
    *out = (struct sh_bytes){"", 0};
    if (text.len == 0)
        return true;
    if (text.len % 4 == 1 || text.len > INT32_MAX / 2)
        return false;
    char *base64 = sh_arena_alloc(arena, padded);
    unsigned char *bytes = sh_arena_alloc(arena, padded / 4 * 3);
    if (!base64 || !bytes || !to_base64(text, base64) ||
        EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)padded) < 0)
        return false;
    *out = (struct sh_bytes){bytes, text.len * 3 / 4};
    return is_only_text(text, *out, arena);
}

struct sh_bytes base64url_encode(struct sh_bytes bytes, struct sh_arena *arena)
{
    if (bytes.len > INT32_MAX / 2)
        return (struct sh_bytes){NULL, 0};
    char *text = sh_arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
    if (!text)
        return (struct sh_bytes){NULL, 0};
    int len = EVP_EncodeBlock((unsigned char *)text, bytes.data, (int)bytes.len);
    while (len > 0 && text[len - 1] == '=')
        text[--len] = '\0';
    for (int i = 0; i < len; i++)
        text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
    return (struct sh_bytes){text, (size_t)len};
}
