/* bench_kernels PACK: CPU time of the built-in model by kernel, as lines of JSON: of
 * texts of so many pieces, so many at once, and how far (1 - cosine) the vectors are from
 * those of the plain kernel. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "services/embedder/model/kernel.h"
#include "services/embedder/model/use_lite.h"

enum { TEXTS = 16, ROUNDS = 31, KNOWN = 8000, WIDTH = USE_LITE_DIMENSION };

struct batch {
    size_t pieces;
    size_t count;
    uint32_t ids[TEXTS * USE_LITE_WINDOW];
    struct use_lite_window windows[TEXTS];
    float plain[TEXTS * WIDTH];
};

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Any pieces: which they are costs nothing. */
static void fill(struct batch *batch)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < batch->count * batch->pieces; i++) {
        seed = seed * 1664525u + 1013904223u;
        batch->ids[i] = (seed >> 8) % KNOWN;
    }
    for (size_t i = 0; i < batch->count; i++)
        batch->windows[i] =
            (struct use_lite_window){batch->ids + i * batch->pieces, batch->pieces};
}

/* The least µs of all rounds, for the whole batch. */
static double embed(const struct kernel *kernel, const char *pack,
                    const struct batch *batch, float *out)
{
    struct use_lite_work *work = use_lite_work_create();
    struct use_lite *model = NULL;
    double least = INFINITY;
    if (!work || use_lite_open(pack, kernel, &model, NULL))
        exit(EXIT_FAILURE);
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_us();
        if (use_lite_windows(model, work, batch->windows, batch->count, NULL, out))
            exit(EXIT_FAILURE);
        least = fmin(least, cpu_us() - start);
    }
    use_lite_close(&model);
    use_lite_work_free(work);
    return least;
}

static double farthest(const struct batch *batch, const float *vectors)
{
    double far = 0;
    for (size_t at = 0; at < batch->count * WIDTH; at += WIDTH) {
        double cosine = 0;
        for (size_t j = at; j < at + WIDTH; j++)
            cosine += (double)vectors[j] * (double)batch->plain[j];
        far = fmax(far, 1 - cosine);
    }
    return far;
}

static void run(struct batch *batch, const char *pack)
{
    static float vectors[TEXTS * WIDTH];
    fill(batch);
    embed(&kernel_generic, pack, batch, batch->plain);
    for (const struct kernel *const *k = kernel_all(); *k; k++) {
        if (!(*k)->supported())
            continue;
        double us = embed(*k, pack, batch, vectors) / (double)batch->count;
        printf("{\"kernel\": \"%s\", \"pieces\": %zu, \"texts\": %zu, \"us\": %.0f, "
               "\"off\": %.1e}\n",
               (*k)->name, batch->pieces, batch->count, us, farthest(batch, vectors));
    }
}

int main(int argc, char **argv)
{
    static struct batch batches[] = {{8, 1}, {8, 8}, {USE_LITE_WINDOW, 1}};
    if (argc != 2)
        return EXIT_FAILURE;
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
        run(&batches[i], argv[1]);
    return EXIT_SUCCESS;
}
