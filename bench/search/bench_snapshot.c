/* How long a view's snapshot takes to write and to load:
 *   bench_snapshot DIR DOCUMENTS DIMENSION CHANGED
 * A second run in the same directory only loads.
 * Documents are synthetic: four passages of some 200 words of a Zipf-like vocabulary
 * each, metadata of eight members, random vectors. Prints one JSON object. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "services/search/view/view_snapshot.h"
#include "shared/buffer.h"
#include "shared/clock.h"

enum { PASSAGES = 4, WORDS = 200, VOCABULARY = 100000 };

static uint64_t dice = 42;

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static double cpu(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(void)
{
    return (double)sh_now_us() / 1e6;
}

static void must(enum sh_err err, const char *what)
{
    if (err == SH_OK)
        return;
    (void)fprintf(stderr, "bench_snapshot: %s: %s\n", what, sh_err_text(err));
    exit(EXIT_FAILURE);
}

static void text_of(struct sh_buffer *text)
{
    sh_buffer_clear(text);
    for (int i = 0; i < WORDS; i++) {
        double x = (double)(roll() % 1000000 + 1) / 1e6;
        sh_buffer_printf(text, "w%u ", (unsigned)(VOCABULARY * pow(x, 6)));
    }
}

static void put(struct view *view, unsigned n, unsigned dimension, float *vectors)
{
    static struct sh_buffer texts[PASSAGES];
    struct view_chunk chunks[PASSAGES] = {0};
    char id[32], chunk_ids[PASSAGES][40], title[64], metadata[320];
    (void)snprintf(id, sizeof(id), "document-%u", n);
    (void)snprintf(title, sizeof(title), "A title of document %u", n);
    (void)snprintf(metadata, sizeof(metadata),
                   "{\"campus\":\"Central\",\"priority\":2,\"department\":null,"
                   "\"year\":%u,\"tags\":[\"t%u\",\"t%u\"],\"author\":\"a%u\","
                   "\"last_reviewed\":\"2024-08-%02u\",\"clearance_level\":1}",
                   1990 + n % 30, n % 50, n % 7, n % 1000, 1 + n % 28);
    for (unsigned i = 0; i < PASSAGES; i++) {
        float *vector = vectors + (size_t)i * dimension;
        for (unsigned d = 0; d < dimension; d++)
            vector[d] = (float)(roll() % 2001) - 1000;
        text_of(&texts[i]);
        (void)snprintf(chunk_ids[i], sizeof(chunk_ids[i]), "%s#%u", id, i);
        chunks[i] = (struct view_chunk){.chunk_id = sh_bytes_of(chunk_ids[i]),
                                        .section_title = sh_bytes_of("Section"),
                                        .text = sh_buffer_bytes(&texts[i]),
                                        .ordinal = i,
                                        .vector = dimension ? vector : NULL};
    }
    const struct view_document document = {.id = sh_bytes_of(id),
                                           .title = sh_bytes_of(title),
                                           .collection = sh_bytes_of("default"),
                                           .campus = sh_bytes_of("Central"),
                                           .priority = 2,
                                           .clearance_level = 1,
                                           .metadata = sh_bytes_of(metadata),
                                           .chunks = chunks,
                                           .chunk_count = PASSAGES};
    must(view_put(view, &document), "put");
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: bench_snapshot DIR DOCUMENTS DIMENSION CHANGED\n");
        return EXIT_FAILURE;
    }
    unsigned documents = (unsigned)strtoul(argv[2], NULL, 10);
    unsigned dimension = (unsigned)strtoul(argv[3], NULL, 10);
    unsigned changed = (unsigned)strtoul(argv[4], NULL, 10);
    const struct view_model model = {"bench", dimension, 0.3};
    struct view_options options = view_defaults();
    struct view *view = NULL;
    char dir[4096];
    float *vectors = sh_alloc(((size_t)PASSAGES * dimension + 1) * sizeof(float));
    options.vectors.rows = argv[1];
    options.vectors.ef_construction = 40; /* the build is not what is measured */
    (void)snprintf(dir, sizeof(dir), "%s/snapshot", argv[1]);
    double built = 0;
    double saved = 0;
    struct view_snapshot_about about;
    if (view_snapshot_peek(dir, &about) != SH_OK) {
        (void)mkdir(dir, 0700);
        must(vectors ? view_create(&options, &view) : SH_NOMEM, "create");
        must(view_set_model(view, model.fingerprint, dimension, model.alpha), "model");
        double start = seconds();
        for (unsigned n = 0; n < documents; n++)
            put(view, n, dimension, vectors);
        built = seconds() - start;
        must(view_snapshot_save(view, "bench", dir), "save");
        saved = seconds() - start - built;
        view_free(&view);
    }
    double start = seconds();
    double start_cpu = cpu();
    options.vectors.ef_construction = vector_defaults().ef_construction;
    must(view_create(&options, &view), "create");
    must(view_snapshot_load(view, &model, dir), "load");
    double loaded = seconds() - start;
    double loaded_cpu = cpu() - start_cpu;
    start = seconds();
    start_cpu = cpu();
    for (unsigned n = 0; n < changed; n++)
        put(view, n, dimension, vectors);
    double taken = seconds() - start;
    double taken_cpu = cpu() - start_cpu;
    struct view_stats stats;
    view_stats(view, &stats);
    (void)printf("{\"passages\":%zu,\"vectors\":%zu,\"dimension\":%u,\"build_s\":%.1f,"
                 "\"save_s\":%.3f,\"load_s\":%.3f,\"load_cpu_s\":%.3f,\"changed\":%u,"
                 "\"change_s\":%.3f,\"change_cpu_s\":%.3f,\"view_mb\":%.0f}\n",
                 stats.chunks, stats.vectors, dimension, built, saved, loaded, loaded_cpu,
                 changed, taken, taken_cpu, (double)stats.bytes / 1e6);
    view_free(&view);
    sh_free(vectors);
    return EXIT_SUCCESS;
}
