/* use_lite: Universal Sentence Encoder lite: two transformer layers over at most 128
 * pieces give 512 numbers. Longer texts are cut into windows of equal length whose
 * vectors are averaged. The model is shared by threads; a work area belongs to one. */
#ifndef EMBEDDER_USE_LITE_H
#define EMBEDDER_USE_LITE_H

#include "services/embedder/model/kernel.h"
#include "services/embedder/model/pack.h"
#include "services/embedder/model/tokenizer.h"

enum {
    USE_LITE_DIMENSION = 512,
    USE_LITE_WINDOW = 128,
    USE_LITE_WINDOWS_MAX = 64, /* of one text; what lies beyond is cut */
    USE_LITE_PIECES_MAX = USE_LITE_WINDOW * USE_LITE_WINDOWS_MAX,
};

struct use_lite;
struct use_lite_work;

/* `kernel` must outlive it. *why as pack_open() gives it. Errors: those, and SH_MALFORMED
 * (a pack of something else). */
SH_CHECK enum sh_err use_lite_open(const char *path, const struct kernel *kernel,
                                   struct use_lite **out, const char **why);
void use_lite_close(struct use_lite **model);
const struct tokenizer *use_lite_tokenizer(const struct use_lite *model);
const struct pack *use_lite_pack(const struct use_lite *model);
const struct kernel *use_lite_kernel(const struct use_lite *model);

/* About 4 MB; NULL when out of memory. */
struct use_lite_work *use_lite_work_create(void);
void use_lite_work_free(struct use_lite_work *work);

struct use_lite_window {
    const uint32_t *ids;
    size_t count; /* 1 … USE_LITE_WINDOW */
};

/* Asked between two stacks of windows whether the rest is still wanted. */
struct use_lite_stop {
    bool (*wanted)(void *arg);
    void *arg;
};

/* Unit vectors of `count` windows, stacked as far as the work area reaches. `stop` may be
 * NULL. Errors: SH_CANCELED. */
SH_CHECK enum sh_err use_lite_windows(const struct use_lite *model,
                                      struct use_lite_work *work,
                                      const struct use_lite_window *windows, size_t count,
                                      const struct use_lite_stop *stop, float *vectors);

struct use_lite_text {
    struct sh_bytes text;
    float *vector; /* USE_LITE_DIMENSION; zeros unless err is SH_OK */
    size_t tokens;
    bool refuse_long; /* SH_TOOBIG over USE_LITE_PIECES_MAX, rather than cut */
    enum sh_err err;  /* SH_INVALID: nothing in it; SH_MALFORMED; SH_TOOBIG; SH_NOMEM */
};

/* Fills in vector, tokens and err of each. Errors: SH_CANCELED, SH_NOMEM (of all). */
SH_CHECK enum sh_err use_lite_texts(const struct use_lite *model,
                                    struct use_lite_work *work,
                                    struct use_lite_text *texts, size_t count,
                                    const struct use_lite_stop *stop);

/* Make `out` from the unpacked package in `source` (model.json, its weights, vocab.json).
 * *why as above. */
SH_CHECK enum sh_err use_lite_convert(const char *source, const char *out,
                                      const char **why);

#endif
