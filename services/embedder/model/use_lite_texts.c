#include <math.h>

#include "services/embedder/model/use_lite.h"
#include "shared/mem.h"

struct plan {
    struct pieces *pieces; /* by text */
    struct use_lite_window *windows;
    size_t count;
    float *vectors; /* by window */
};

static enum sh_err tokenise(const struct use_lite *model, struct use_lite_text *text,
                            struct pieces *pieces)
{
    enum sh_err err = tokenizer_encode(use_lite_tokenizer(model), text->text,
                                       USE_LITE_PIECES_MAX, pieces);
    text->tokens = pieces->count;
    if (err != SH_OK)
        return err;
    if (pieces->cut && text->refuse_long)
        return SH_TOOBIG;
    return pieces->count == 0 ? SH_INVALID : SH_OK;
}

static size_t windows_of(const struct use_lite_text *text)
{
    if (text->err != SH_OK)
        return 0;
    return (text->tokens + USE_LITE_WINDOW - 1) / USE_LITE_WINDOW;
}

/* Equal windows: a last one of a few pieces would weigh as much as a full one. */
static void cut_windows(const struct pieces *pieces, size_t count,
                        struct use_lite_window *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t first = pieces->count * i / count;
        size_t end = pieces->count * (i + 1) / count;
        out[i] = (struct use_lite_window){pieces->ids + first, end - first};
    }
}

static enum sh_err make_plan(const struct use_lite *model, struct use_lite_text *texts,
                             size_t count, struct plan *plan)
{
    plan->pieces = sh_alloc_array(count, sizeof(*plan->pieces));
    if (!plan->pieces)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        texts[i].err = tokenise(model, &texts[i], &plan->pieces[i]);
        plan->count += windows_of(&texts[i]);
    }
    plan->windows = sh_alloc_array(plan->count + 1, sizeof(*plan->windows));
    plan->vectors = sh_alloc_array(plan->count + 1, USE_LITE_DIMENSION * sizeof(float));
    if (!plan->windows || !plan->vectors)
        return SH_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        cut_windows(&plan->pieces[i], windows_of(&texts[i]), plan->windows + at);
        at += windows_of(&texts[i]);
    }
    return SH_OK;
}

static void free_plan(struct plan *plan, size_t count)
{
    for (size_t i = 0; plan->pieces && i < count; i++)
        pieces_free(&plan->pieces[i]);
    sh_free(plan->pieces);
    sh_free(plan->windows);
    sh_free(plan->vectors);
}

/* The sum of unit vectors has the direction of their mean. */
static void combine(const float *vectors, size_t count, float *out)
{
    double squares = 0;
    for (size_t j = 0; j < USE_LITE_DIMENSION; j++) {
        float sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += vectors[i * USE_LITE_DIMENSION + j];
        out[j] = sum;
        squares += (double)sum * (double)sum;
    }
    float inverse = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (size_t j = 0; j < USE_LITE_DIMENSION; j++)
        out[j] *= inverse;
}

enum sh_err use_lite_texts(const struct use_lite *model, struct use_lite_work *work,
                           struct use_lite_text *texts, size_t count,
                           const struct use_lite_stop *stop)
{
    struct plan plan = {0};
    enum sh_err err = make_plan(model, texts, count, &plan);
    if (err == SH_OK)
        err = use_lite_windows(model, work, plan.windows, plan.count, stop, plan.vectors);
    const float *vectors = plan.vectors;
    for (size_t i = 0; err == SH_OK && i < count; i++) {
        size_t windows = windows_of(&texts[i]);
        combine(vectors, windows, texts[i].vector);
        vectors += windows * USE_LITE_DIMENSION;
    }
    free_plan(&plan, count);
    return err;
}
