/* lsa_fit: a model of latent semantic analysis fitted to texts: S. Deerwester, S. Dumais,
 * G. Furnas, T. Landauer, R. Harshman, "Indexing by latent semantic analysis", JASIS 41
 * (1990). Texts are added one by one and only counts are kept of them. Terms are folded,
 * stemmed words (no stop words, no single characters) in at least two texts and at most
 * half of them; weights (1 + ln tf) ·
 * ln((N + 1)/(df + 1)), rows of unit length; the first right singular vectors of that
 * matrix are the model. Any thread, one at a time per object. */
#ifndef EMBEDDER_LSA_FIT_H
#define EMBEDDER_LSA_FIT_H

#include <stdatomic.h>
#include <stdint.h>

#include "shared/buffer.h"

enum {
    LSA_RANK = 256,
    LSA_RANK_MIN = 16,
    LSA_RANK_MAX = 1024,
    LSA_TEXTS_PER_DIMENSION = 7, /* fewer texts make fewer dimensions */
    LSA_VOCABULARY_MAX = 200000
};

struct lsa_fit;

struct lsa_fit_options {
    uint32_t rank;    /* most dimensions; 0: LSA_RANK */
    size_t bytes_max; /* of all that a fit takes; 0: no limit */
    unsigned threads;
};

/* Errors: SH_NOMEM, SH_INVALID (a rank over LSA_RANK_MAX). */
SH_CHECK enum sh_err lsa_fit_create(const struct lsa_fit_options *options,
                                    struct lsa_fit **out);
void lsa_fit_free(struct lsa_fit **fit);

/* Errors: SH_MALFORMED (not UTF-8: it is left out, the fit goes on), SH_TOOBIG (over
 * bytes_max: the fit is lost), SH_NOMEM (likewise). */
SH_CHECK enum sh_err lsa_fit_add(struct lsa_fit *self, struct sh_bytes text);
size_t lsa_fit_texts(const struct lsa_fit *self);
/* Of the vocabulary, after lsa_fit_finish(). */
size_t lsa_fit_terms(const struct lsa_fit *self);

/* Seen by other threads while lsa_fit_finish() runs. */
struct lsa_fit_watch {
    atomic_bool stop;       /* set it: SH_CANCELED soon */
    _Atomic uint32_t steps; /* of LSA_FIT_STEPS */
};
enum { LSA_FIT_STEPS = 6 };

/* The model's file, for lsa_open(). The counts are used up: free it next, whatever this
 * says. The caller ends *file with sh_buffer_free(). Errors: SH_INVALID (too little text
 * to fit anything to), SH_TOOBIG, SH_CANCELED, SH_NOMEM, SH_INTERNAL. */
SH_CHECK enum sh_err lsa_fit_finish(struct lsa_fit *self, struct lsa_fit_watch *watch,
                                    struct sh_buffer *file);

#endif
