#include "services/embedder/model/use_lite.h"

#include <math.h>
#include <sys/mman.h>

#include "services/embedder/model/use_lite_format.h"
#include "shared/mem.h"

enum {
    INPUT = 256, /* width of layer 0 */
    PART =
        512, /* of the feed-forward part's 1,536: what is in between stays in the cache */
    WIDTH = USE_LITE_DIMENSION,
    WIDE = 1536,
    HEADS = 4,
    STACK = 256, /* rows multiplied together: the weights are read once for all */
};

struct layer {
    size_t width;
    const float *scale_a, *bias_a; /* before attention */
    struct q16 qkv, join;
    const float *qkv_bias, *join_bias;
    const float *scale_f, *bias_f; /* before the feed-forward part */
    struct q16 widen, narrow;
    const float *widen_bias, *narrow_bias;
};

struct use_lite {
    struct pack *pack;
    const struct kernel *kernel;
    struct tokenizer tokenizer;
    const int16_t *embeddings;
    const float *embedding_scale;
    struct q16 dense, head;
    const float *dense_bias, *head_bias;
    struct layer layers[2];
    float timing[USE_LITE_WINDOW][INPUT];
};

struct use_lite_work {
    void *map;
    size_t bytes;
    float *x;       /* STACK × WIDTH: what flows through the layers */
    float *y;       /* STACK × WIDTH */
    float *context; /* STACK × WIDTH */
    float *wide;    /* STACK × WIDE */
    void *scratch;
};

/* --- opening ---------------------------------------------------------------------- */

static bool want_matrix(const struct pack *pack, const char *name, size_t rows,
                        size_t columns, struct q16 *out)
{
    const void *data = pack_tensor(pack, name, PACK_Q16, rows, columns);
    if (data)
        q16_view(out, data, rows, columns);
    return data != NULL;
}

static bool want_row(const struct pack *pack, const char *name, size_t columns,
                     const float **out)
{
    *out = pack_tensor(pack, name, PACK_F32, 1, columns);
    return *out != NULL;
}

#define MATRIX(member, name, rows, columns)                                              \
    want_matrix(pack, name, rows, columns, &layer->member)
#define ROW(member, name, columns) want_row(pack, name, columns, &layer->member)
#define LAYER_READER(l)                                                                  \
    static bool read_layer_##l(const struct pack *pack, size_t width,                    \
                               struct layer *layer)                                      \
    {                                                                                    \
        layer->width = width;                                                            \
        return ROW(scale_a, "scale_a" #l, width) && ROW(bias_a, "bias_a" #l, width) &&   \
               MATRIX(qkv, "qkv" #l, width, 3 * width) &&                                \
               ROW(qkv_bias, "qkv_bias" #l, 3 * width) &&                                \
               MATRIX(join, "join" #l, width, WIDTH) &&                                  \
               ROW(join_bias, "join_bias" #l, WIDTH) &&                                  \
               ROW(scale_f, "scale_f" #l, WIDTH) && ROW(bias_f, "bias_f" #l, WIDTH) &&   \
               MATRIX(widen, "widen" #l, WIDTH, WIDE) &&                                 \
               ROW(widen_bias, "widen_bias" #l, WIDE) &&                                 \
               MATRIX(narrow, "narrow" #l, WIDE, WIDTH) &&                               \
               ROW(narrow_bias, "narrow_bias" #l, WIDTH);                                \
    }
LAYER_READER(0)
LAYER_READER(1)

static bool read_vocabulary(const struct pack *pack, struct tokenizer *tokenizer)
{
    size_t bytes = pack_rows(pack, "trie");
    *tokenizer = (struct tokenizer){
        .trie = {pack_tensor(pack, "trie", PACK_RAW, 0, 1),
                 (uint32_t)(bytes / sizeof(struct trie_unit))},
        .scores = pack_tensor(pack, "scores", PACK_F64, USE_LITE_PIECES, 1),
        .count = USE_LITE_PIECES,
    };
    return tokenizer->trie.units && tokenizer->trie.count > 0 && tokenizer->scores;
}

static bool read_pack(struct use_lite *model)
{
    const struct pack *pack = model->pack;
    model->embeddings = pack_tensor(pack, "embeddings", PACK_ROWS, USE_LITE_ROWS, INPUT);
    const float *frequency = NULL;
    bool complete = model->embeddings && read_vocabulary(pack, &model->tokenizer) &&
                    want_row(pack, "frequency", INPUT / 2, &frequency) &&
                    want_matrix(pack, "dense", INPUT, WIDTH, &model->dense) &&
                    want_row(pack, "dense_bias", WIDTH, &model->dense_bias) &&
                    want_matrix(pack, "head", WIDTH, WIDTH, &model->head) &&
                    want_row(pack, "head_bias", WIDTH, &model->head_bias) &&
                    read_layer_0(pack, INPUT, &model->layers[0]) &&
                    read_layer_1(pack, WIDTH, &model->layers[1]);
    if (!complete)
        return false;
    model->embedding_scale =
        (const float *)(const void *)(model->embeddings + (size_t)USE_LITE_ROWS * INPUT);
    for (size_t at = 0; at < USE_LITE_WINDOW; at++) {
        for (size_t j = 0; j < INPUT / 2; j++) {
            model->timing[at][j] = sinf((float)at * frequency[j]);
            model->timing[at][j + INPUT / 2] = cosf((float)at * frequency[j]);
        }
    }
    return true;
}

enum sh_err use_lite_open(const char *path, const struct kernel *kernel,
                          struct use_lite **out, const char **why)
{
    *out = NULL;
    struct use_lite *model = sh_alloc(sizeof(*model));
    if (!model)
        return SH_NOMEM;
    model->kernel = kernel;
    enum sh_err err = pack_open(path, &model->pack, why);
    if (err == SH_OK && !read_pack(model)) {
        if (why)
            *why = "not a pack of this model";
        err = SH_MALFORMED;
    }
    if (err != SH_OK)
        use_lite_close(&model);
    *out = model;
    return err;
}

void use_lite_close(struct use_lite **model)
{
    if (!*model)
        return;
    pack_close(&(*model)->pack);
    sh_free(*model);
    *model = NULL;
}

const struct tokenizer *use_lite_tokenizer(const struct use_lite *model)
{
    return &model->tokenizer;
}

const struct pack *use_lite_pack(const struct use_lite *model)
{
    return model->pack;
}

const struct kernel *use_lite_kernel(const struct use_lite *model)
{
    return model->kernel;
}

/* --- work area: mapped, so that it leaves the process when it is freed ------------ */

struct use_lite_work *use_lite_work_create(void)
{
    struct use_lite_work *work = sh_alloc(sizeof(*work));
    if (!work)
        return NULL;
    size_t rows = (size_t)STACK * sizeof(float);
    work->bytes = rows * (3 * WIDTH + WIDE) + kernel_scratch_bytes(STACK);
    work->map = mmap(NULL, work->bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (work->map == MAP_FAILED) {
        sh_free(work);
        return NULL;
    }
    work->x = work->map;
    work->y = work->x + (size_t)STACK * WIDTH;
    work->context = work->y + (size_t)STACK * WIDTH;
    work->wide = work->context + (size_t)STACK * WIDTH;
    work->scratch = work->wide + (size_t)STACK * WIDE;
    return work;
}

void use_lite_work_free(struct use_lite_work *work)
{
    if (!work)
        return;
    munmap(work->map, work->bytes);
    sh_free(work);
}

/* --- the forward pass ------------------------------------------------------------- */

/* Windows stacked in the work area: `rows` is the sum of their lengths. */
struct stack {
    const struct use_lite *model;
    struct use_lite_work *work;
    const struct use_lite_window *windows;
    size_t count;
    size_t rows;
};

static void multiply(const struct stack *s, const struct q16 *w, const float *bias,
                     const float *a, float *c, enum kernel_op op)
{
    s->model->kernel->product(&(struct kernel_product){
        .w = w,
        .bias = bias,
        .a = a,
        .lda = w->rows,
        .m = s->rows,
        .c = c,
        .ldc = w->columns,
        .op = op,
        .scratch = s->work->scratch,
    });
}

static void embed_window(const struct use_lite *model,
                         const struct use_lite_window *window, float *out)
{
    for (size_t i = 0; i < window->count; i++) {
        size_t id = window->ids[i] < USE_LITE_PIECES ? window->ids[i] : 0;
        const int16_t *row = model->embeddings + id * INPUT;
        float scale = 2 * model->embedding_scale[id];
        for (size_t j = 0; j < INPUT; j++)
            out[i * INPUT + j] = (float)row[j] * scale + model->timing[i][j];
    }
}

static void attend(const struct stack *s, size_t width)
{
    size_t at = 0;
    for (size_t i = 0; i < s->count; i++) {
        s->model->kernel->attention(&(struct kernel_attention){
            .qkv = s->work->wide + at * 3 * width,
            .n = s->windows[i].count,
            .heads = HEADS,
            .width = width / HEADS,
            .out = s->work->context + at * width,
            .scratch = s->work->scratch,
        });
        at += s->windows[i].count;
    }
}

/* `in` → attention over it in work->context. */
static void run_attention(const struct stack *s, const struct layer *layer,
                          const float *in)
{
    struct use_lite_work *work = s->work;
    s->model->kernel->normalise(in, layer->scale_a, layer->bias_a, work->context, s->rows,
                                layer->width);
    multiply(s, &layer->qkv, layer->qkv_bias, work->context, work->wide, KERNEL_SET);
    attend(s, layer->width);
}

/* The wide half of the feed-forward part, in work->wide. */
static void widen(const struct stack *s, const struct layer *layer)
{
    struct use_lite_work *work = s->work;
    s->model->kernel->normalise(work->x, layer->scale_f, layer->bias_f, work->y, s->rows,
                                WIDTH);
    multiply(s, &layer->widen, layer->widen_bias, work->y, work->wide, KERNEL_RELU);
}

/* Of the last layer only the mean over a window's pieces is wanted, and the narrow half
 * is linear: it is applied to the means, once per window instead of once per piece. */
static void run_layers(const struct stack *s)
{
    const struct use_lite *model = s->model;
    struct use_lite_work *work = s->work;
    const struct layer *first = &model->layers[0];
    const struct layer *second = &model->layers[1];

    run_attention(s, first, work->y);
    multiply(s, &first->join, first->join_bias, work->context, work->x, KERNEL_SET);
    multiply(s, &model->dense, model->dense_bias, work->y, work->x, KERNEL_ADD);
    widen(s, first);
    multiply(s, &first->narrow, first->narrow_bias, work->wide, work->x, KERNEL_ADD);
    run_attention(s, second, work->x);
    multiply(s, &second->join, second->join_bias, work->context, work->x, KERNEL_ADD);
    widen(s, second);
}

static void unit(float *vector)
{
    double squares = 0;
    for (size_t j = 0; j < WIDTH; j++)
        squares += (double)vector[j] * (double)vector[j];
    float inverse = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (size_t j = 0; j < WIDTH; j++)
        vector[j] *= inverse;
}

static void average(const float *rows, size_t count, size_t width, float *out)
{
    for (size_t j = 0; j < width; j++)
        out[j] = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < width; j++)
            out[j] += rows[i * width + j];
    }
    float inverse = 1 / (float)count;
    for (size_t j = 0; j < width; j++)
        out[j] *= inverse;
}

/* One row per window, made of its rows; `to` may be `from`. */
static void average_windows(const struct stack *s, const float *from, size_t width,
                            float *to)
{
    float mean[WIDE];
    size_t at = 0;
    for (size_t i = 0; i < s->count; i++) {
        average(from + at * width, s->windows[i].count, width, mean);
        memcpy(to + i * width, mean, width * sizeof(float));
        at += s->windows[i].count;
    }
}

static void run_stack(struct stack *s, float *vectors)
{
    struct use_lite_work *work = s->work;
    const struct use_lite *model = s->model;
    const struct layer *last = &model->layers[1];
    size_t at = 0;
    for (size_t i = 0; i < s->count; i++) {
        embed_window(model, &s->windows[i], work->y + at * INPUT);
        at += s->windows[i].count;
    }
    run_layers(s);
    average_windows(s, work->x, WIDTH, work->x);
    average_windows(s, work->wide, WIDE, work->wide);
    s->rows = s->count; /* one row per window from here on */
    multiply(s, &last->narrow, last->narrow_bias, work->wide, work->x, KERNEL_ADD);
    multiply(s, &model->head, model->head_bias, work->x, vectors, KERNEL_SET);
    for (size_t i = 0; i < s->count; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            vectors[i * WIDTH + j] = tanhf(vectors[i * WIDTH + j]);
        unit(vectors + i * WIDTH);
    }
}

enum sh_err use_lite_windows(const struct use_lite *model, struct use_lite_work *work,
                             const struct use_lite_window *windows, size_t count,
                             const struct use_lite_stop *stop, float *vectors)
{
    for (size_t done = 0; done < count;) {
        if (stop && !stop->wanted(stop->arg))
            return SH_CANCELED;
        struct stack s = {model, work, windows + done, 0, 0};
        while (done + s.count < count && s.rows + s.windows[s.count].count <= STACK)
            s.rows += s.windows[s.count++].count;
        run_stack(&s, vectors + done * WIDTH);
        done += s.count;
    }
    return SH_OK;
}
