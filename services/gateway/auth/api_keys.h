/* api_keys: keys for programs. A key is "cairn_", 12 hex digits by which it is found, "_"
 * and 256 random bits; the database has the SHA-256 of the whole and never the key. One
 * that was checked is known to the loop for API_KEY_CACHE_SECONDS at most, and until any
 * key is revoked: every gateway hears of that by NOTIFY. Loop thread but where said. */
#ifndef GATEWAY_API_KEYS_H
#define GATEWAY_API_KEYS_H

#include "services/gateway/auth/auth.h"

enum { KEY_TEXT = 62, KEY_HASH = 32 };

struct api_key {
    char text[KEY_TEXT + 1]; /* shown once */
    char id[KEY_ID + 1];
    unsigned char hash[KEY_HASH];
};

/* A new one. Any thread. Errors: SH_INTERNAL (no randomness). */
SH_CHECK enum sh_err api_key_make(struct api_key *out);
/* False when the text is not of that form; else id and hash are filled. Any thread. */
bool api_key_parse(struct sh_bytes text, struct api_key *out);
/* It begins like one of ours, well formed or not. */
bool api_key_looks_like_one(struct sh_bytes text);

/* A look-up under way. Cancelling it drops `done`. */
struct api_key_call;
void api_key_cancel(struct api_key_call **call);

/* The principal is borrowed; NULL unless err is SH_OK. */
typedef void api_key_found_fn(void *arg, enum sh_err err, struct principal *principal);
/* Whose key it is. When the loop knows it `done` is called at once, from inside, and
 * *out is NULL. Errors, to `done` too: SH_NOTFOUND (no such key, revoked, expired);
 * SH_UNAVAILABLE, SH_BUSY, SH_TIMEOUT, SH_NOMEM: nobody knows. */
void api_key_find(struct edge *edge, struct sh_bytes text, api_key_found_fn *done,
                  void *arg, struct api_key_call **out);

#endif
