#include "services/backup/pipeline/seal.h"

static const char magic[SEAL_MAGIC + 1] = "CAIRNBK1";

bool seal_key_parse(const char *hex, unsigned char out[static 32])
{
    size_t len = 0;
    const char *end = NULL;

    return strlen(hex) == 64 && sodium_hex2bin(out, 32, hex, 64, NULL, &len, &end) == 0 &&
           len == 32;
}

enum sh_err seal_begin(struct seal *seal, const unsigned char public_key[32],
                       unsigned char head[static SEAL_HEAD])
{
    unsigned char key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    int rc;

    crypto_secretstream_xchacha20poly1305_keygen(key);
    memcpy(head, magic, SEAL_MAGIC);
    rc = crypto_box_seal(head + SEAL_MAGIC, key, sizeof(key), public_key);
    (void)crypto_secretstream_xchacha20poly1305_init_push(
        &seal->state, head + SEAL_MAGIC + SEAL_KEY, key); /* cannot fail */
    sodium_memzero(key, sizeof(key));
    return rc == 0 ? SH_OK : SH_INVALID;
}

size_t seal_piece(struct seal *seal, struct sh_bytes plain, bool last, unsigned char *out)
{
    unsigned char tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
    unsigned long long len = 0;

    (void)crypto_secretstream_xchacha20poly1305_push(
        &seal->state, out, &len, plain.data, plain.len, NULL, 0, tag); /* cannot fail */
    return (size_t)len;
}

enum sh_err seal_open(struct seal *seal, const unsigned char private_key[32],
                      const unsigned char head[static SEAL_HEAD])
{
    unsigned char key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    unsigned char public_key[crypto_box_PUBLICKEYBYTES];
    enum sh_err err = SH_OK;

    if (memcmp(head, magic, SEAL_MAGIC) != 0)
        return SH_MALFORMED;
    if (crypto_scalarmult_base(public_key, private_key) != 0 ||
        crypto_box_seal_open(key, head + SEAL_MAGIC, SEAL_KEY, public_key, private_key) !=
            0)
        return SH_FORBIDDEN;
    if (crypto_secretstream_xchacha20poly1305_init_pull(
            &seal->state, head + SEAL_MAGIC + SEAL_KEY, key) != 0)
        err = SH_MALFORMED;
    sodium_memzero(key, sizeof(key));
    return err;
}

enum sh_err seal_open_piece(struct seal *seal, struct sh_bytes sealed, unsigned char *out,
                            size_t *len, bool *last)
{
    unsigned long long plain = 0;
    unsigned char tag = 0;

    if (sealed.len < crypto_secretstream_xchacha20poly1305_ABYTES ||
        sealed.len > SEAL_PIECE_MAX ||
        crypto_secretstream_xchacha20poly1305_pull(&seal->state, out, &plain, &tag,
                                                   sealed.data, sealed.len, NULL, 0) != 0)
        return SH_MALFORMED;
    *len = (size_t)plain;
    *last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return SH_OK;
}
