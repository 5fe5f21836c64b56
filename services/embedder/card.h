/* card: what is known of a model, and the fingerprint that its vectors bear. */
#ifndef EMBEDDER_CARD_H
#define EMBEDDER_CARD_H

#include "shared/buffer.h"
#include "shared/err.h"

enum { CARD_HASH_CHARS = 64 };

struct card {
    char name[257];
    char provider[65];
    uint32_t dimension;
    uint32_t context_length; /* pieces; 0: unknown */
    double alpha;            /* weight of its vectors in hybrid search */
    char query_prefix[1025];
    char document_prefix[1025];
    char digest[129];                      /* of the weights, "" when unknown */
    char probe_hash[CARD_HASH_CHARS + 1];  /* "" for built-in models */
    char fingerprint[CARD_HASH_CHARS + 1]; /* by card_seal() */
    uint64_t size_bytes;
    /* told to people, "" or 0 when unknown; no part of the fingerprint */
    char format[33];
    char family[65];
    char parameter_size[33]; /* "137M" */
    char quantization[33];
    double modified_at; /* Unix seconds */
};

/* Hash what determines the vectors. Errors: SH_NOMEM, SH_INTERNAL. */
SH_CHECK enum sh_err card_seal(struct card *card);
/* A hash of a vector that survives another processor's rounding: two decimals. */
SH_CHECK enum sh_err card_probe_hash(const float *vector, size_t dimension,
                                     char out[static CARD_HASH_CHARS + 1]);
/* The prefix for a purpose of proto/messages.h: 0 none, 1 query, 2 document. */
const char *card_prefix(const struct card *card, uint32_t purpose);
/* The name, with or without the tag ":latest" that means the same. */
bool card_is(const struct card *card, struct sh_bytes name);
/* Unix seconds of an RFC 3339 time; 0 when it is none. */
double card_time(const char *text);
/* Lower-case hex of `len` bytes and a NUL. */
void card_hex(const uint8_t *bytes, size_t len, char *out);

#endif
