/* seal: a stream that only the owner of a private key can read. A fresh key encrypts the
 * stream (libsodium's secretstream, XChaCha20-Poly1305: altered, reordered or cut-off
 * pieces are noticed), and is itself sealed to the public key (crypto_box_seal):
 *   "CAIRNBK1" | sealed key, 80 bytes | header, 24 bytes | pieces of 64 KiB + 17 bytes,
 * the last one shorter perhaps, and marked as the last. One thread at a time. */
#ifndef BACKUP_SEAL_H
#define BACKUP_SEAL_H

#include <sodium.h>

#include "shared/bytes.h"
#include "shared/err.h"

enum {
    SEAL_PIECE = 65536,
    SEAL_PIECE_MAX = SEAL_PIECE + crypto_secretstream_xchacha20poly1305_ABYTES,
    SEAL_MAGIC = 8,
    SEAL_KEY = crypto_box_SEALBYTES + crypto_secretstream_xchacha20poly1305_KEYBYTES,
    SEAL_HEAD = SEAL_MAGIC + SEAL_KEY + crypto_secretstream_xchacha20poly1305_HEADERBYTES,
};

struct seal {
    crypto_secretstream_xchacha20poly1305_state state;
};

/* 32 bytes from 64 digits of hex. False: they are not. */
SH_CHECK bool seal_key_parse(const char *hex, unsigned char out[static 32]);
/* To write: `head` goes first. Errors: SH_INVALID: the public key is none. */
SH_CHECK enum sh_err seal_begin(struct seal *seal, const unsigned char public_key[32],
                                unsigned char head[static SEAL_HEAD]);
/* At most SEAL_PIECE bytes in; `out` has room for SEAL_PIECE_MAX. */
size_t seal_piece(struct seal *seal, struct sh_bytes plain, bool last,
                  unsigned char *out);
/* To read. Errors: SH_MALFORMED: no such stream; SH_FORBIDDEN: another key's. */
SH_CHECK enum sh_err seal_open(struct seal *seal, const unsigned char private_key[32],
                               const unsigned char head[static SEAL_HEAD]);
/* Errors: SH_MALFORMED: it is not what was written. */
SH_CHECK enum sh_err seal_open_piece(struct seal *seal, struct sh_bytes sealed,
                                     unsigned char *out, size_t *len, bool *last);

#endif
