/* bench_hnsw: our graph over a file of float32 rows; see bench/bench_search.py. One JSON
 * object a line. */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "services/search/vector/hnsw.h"
#include "shared/clock.h"

struct set {
    const float *base;
    const float *queries;
    const uint32_t *truth; /* `depth` slots a query */
    uint32_t dimension;
    uint32_t count;
    uint32_t query_count;
    uint32_t depth;
};

static const void *map_file(const char *path, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    close(fd);
    return at;
}

/* CPU time of this thread: a busy machine changes it little. */
static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void must(enum sh_err err, const char *what)
{
    if (err == SH_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, sh_err_text(err));
    exit(1);
}

static const float *row_of(const void *arg, uint32_t slot)
{
    const struct set *set = arg;
    return set->base + (size_t)slot * set->dimension;
}

static long rss_kb(const char *what)
{
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, what, strlen(what)) == 0)
            kb = strtol(line + strlen(what) + 1, NULL, 10);
    }
    if (file)
        (void)fclose(file);
    return kb;
}

static size_t overlap(const struct hnsw_result *result, const uint32_t *truth, size_t k)
{
    size_t found = 0;
    for (size_t i = 0; i < result->count && i < k; i++) {
        for (size_t j = 0; j < k; j++)
            found += result->hits[i].slot == truth[j];
    }
    return found;
}

/* Every query once; recall@10 against `truth`, which may hold fewer. */
static void measure(struct hnsw *index, const struct set *set, uint32_t ef,
                    const struct bitmap *allowed, const uint32_t *truth)
{
    const struct hnsw_rows rows = {row_of, set};
    struct hnsw_query query = {.k = 10,
                               .ef = ef,
                               .allowed = allowed,
                               .rows = &rows,
                               .deadline_ms = SH_NO_DEADLINE};
    struct hnsw_result result = {0};
    struct sh_arena arena = {0};
    size_t found = 0;
    uint64_t scanned = 0;
    size_t existing = 0;
    uint64_t best_ns = UINT64_MAX;
    query.allowed_count = allowed ? bitmap_count(allowed) : set->count;
    for (size_t i = 0; i < (size_t)set->query_count * set->depth; i++)
        existing += truth[i] != UINT32_MAX; /* a filter may leave fewer than are asked */
    for (int run = 0; run < 3; run++) {
        uint64_t used_ns = 0;
        found = 0;
        scanned = 0;
        for (uint32_t q = 0; q < set->query_count; q++) {
            query.vector = set->queries + (size_t)q * set->dimension;
            uint64_t start = now_ns();
            must(hnsw_search(index, &query, &arena, &result), "search");
            used_ns += now_ns() - start;
            found += overlap(&result, truth + (size_t)q * set->depth, 10);
            scanned += result.scanned;
            if (q % 16 == 0)
                sh_arena_free(&arena);
        }
        best_ns = used_ns < best_ns ? used_ns : best_ns;
    }
    sh_arena_free(&arena);
    printf("{\"ef\":%u,\"recall\":%.4f,\"qps\":%.0f,\"strategy\":\"%s\",\"allowed\":%u,"
           "\"scanned\":%" PRIu64 "}\n",
           ef, (double)found / (double)existing, 1e9 * set->query_count / (double)best_ns,
           hnsw_strategy_name(result.strategy), query.allowed_count,
           set->query_count ? scanned / set->query_count : 0);
    (void)fflush(stdout);
}

/* The same slots as the other driver lets through: a hash below a bound. */
static bool passes(uint32_t slot, uint32_t per_mille)
{
    uint64_t z = (slot + UINT64_C(1)) * 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    return (z >> 32) % 1000 < per_mille;
}

static void exact(struct hnsw *index, const struct set *set, const struct bitmap *allowed,
                  uint32_t *truth)
{
    const struct hnsw_rows rows = {row_of, set};
    struct hnsw_result result = {0};
    struct sh_arena arena = {0};
    for (uint32_t q = 0; q < set->query_count; q++) {
        struct hnsw_query query = {.vector = set->queries + (size_t)q * set->dimension,
                                   .k = set->depth,
                                   .allowed = allowed,
                                   .rows = &rows,
                                   .deadline_ms = SH_NO_DEADLINE};
        must(hnsw_scan(index, &query, &arena, &result), "scan");
        for (uint32_t i = 0; i < set->depth; i++)
            truth[(size_t)q * set->depth + i] =
                i < result.count ? result.hits[i].slot : UINT32_MAX;
        sh_arena_free(&arena);
    }
}

static void measure_filtered(struct hnsw *index, const struct set *set,
                             uint32_t per_mille)
{
    struct bitmap allowed = {calloc(bitmap_words(set->count), 8), set->count};
    uint32_t *truth = calloc((size_t)set->query_count * set->depth, sizeof(*truth));
    for (uint32_t slot = 0; slot < set->count; slot++) {
        if (passes(slot, per_mille))
            bitmap_add(&allowed, slot);
    }
    exact(index, set, &allowed, truth);
    for (uint32_t ef = 16; ef <= 256; ef *= 2)
        measure(index, set, ef, &allowed, truth);
    free(truth);
    free(allowed.words);
}

static void build(const struct set *set, const struct hnsw_options *options,
                  struct hnsw **index)
{
    long before = rss_kb("RssAnon");
    uint64_t start = now_ns();
    must(hnsw_create(options, index), "create");
    for (uint32_t slot = 0; slot < set->count; slot++)
        must(hnsw_set(*index, slot, row_of(set, slot)), "set");
    printf("{\"build_s\":%.2f,\"memory_mb\":%.1f,\"held_mb\":%.1f}\n",
           (double)(now_ns() - start) / 1e9, (double)(rss_kb("RssAnon") - before) / 1024,
           (double)hnsw_bytes(*index) / 1048576);
    (void)fflush(stdout);
}

static uint64_t process_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Wall time, as reading the file back is what a start waits for, and CPU time of all
 * threads. The file is in the page cache. */
static void measure_snapshot(struct hnsw *index, const char *base)
{
    char path[4096];
    struct stat info;
    struct hnsw *loaded = NULL;
    (void)snprintf(path, sizeof(path), "%s.hnsw", base);
    uint64_t start = sh_now_us();
    must(hnsw_save(index, path), "save");
    uint64_t saved = sh_now_us();
    uint64_t used = process_ns();
    must(hnsw_load(path, 1U << 24, &loaded), "load");
    uint64_t ready = sh_now_us();
    used = process_ns() - used;
    if (stat(path, &info) != 0 || hnsw_count(loaded) != hnsw_count(index))
        exit(1);
    printf("{\"vectors\":%u,\"file_mb\":%.1f,\"save_ms\":%.0f,\"load_ms\":%.0f,"
           "\"load_cpu_ms\":%.0f}\n",
           hnsw_count(index), (double)info.st_size / 1048576,
           (double)(saved - start) / 1e3, (double)(ready - saved) / 1e3,
           (double)used / 1e6);
    (void)fflush(stdout);
    hnsw_free(&loaded);
    unlink(path);
}

/* --- scale ------------------------------------------------------------------------ */

enum { CENTRES = 1000, BUILDERS = 2 };

struct builder {
    struct hnsw *index;
    const float *centres;
    uint32_t dimension;
    uint32_t count;
    uint32_t first; /* slots first, first + BUILDERS, … */
};

static float noise(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (float)(int32_t)(*state >> 32) / 2147483648.0F;
}

static void *build_clustered(void *arg)
{
    const struct builder *self = arg;
    float *vector = calloc(self->dimension, sizeof(*vector));
    for (uint32_t slot = self->first; slot < self->count; slot += BUILDERS) {
        const float *centre = self->centres + (size_t)(slot % CENTRES) * self->dimension;
        uint64_t state = slot + 1;
        float square = 0;
        for (uint32_t i = 0; i < self->dimension; i++) {
            vector[i] = centre[i] + noise(&state) / 2;
            square += vector[i] * vector[i];
        }
        for (uint32_t i = 0; i < self->dimension; i++)
            vector[i] /= sqrtf(square);
        must(hnsw_set(self->index, slot, vector), "set");
    }
    free(vector);
    return NULL;
}

/* The graph is only there to be loaded: it is built with few candidates. */
static void measure_scale(const char *base, uint32_t dimension, uint32_t count)
{
    struct hnsw_options options = hnsw_defaults(dimension);
    struct builder builders[BUILDERS];
    pthread_t threads[BUILDERS];
    struct hnsw *index = NULL;
    uint64_t state = 1;
    float *centres = calloc((size_t)CENTRES * dimension, sizeof(*centres));
    options.ef_construction = 16;
    for (size_t i = 0; i < (size_t)CENTRES * dimension; i++)
        centres[i] = noise(&state);
    must(hnsw_create(&options, &index), "create");
    for (uint32_t i = 0; i < BUILDERS; i++) {
        builders[i] = (struct builder){index, centres, dimension, count, i};
        if (pthread_create(&threads[i], NULL, build_clustered, &builders[i]) != 0)
            exit(1);
    }
    for (uint32_t i = 0; i < BUILDERS; i++)
        pthread_join(threads[i], NULL);
    measure_snapshot(index, base);
    hnsw_free(&index);
    free(centres);
}

/** A count of the command line; what is none is 0, and measures nothing. */
static uint32_t number(const char *word)
{
    return (uint32_t)strtoul(word, NULL, 10);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "scale") == 0) {
        measure_scale(argv[2], number(argv[3]), number(argv[4]));
        return 0;
    }
    if (argc < 8) {
        (void)fprintf(stderr,
                      "usage: bench_hnsw BASE QUERIES TRUTH DIMENSION COUNT QUERIES "
                      "DEPTH [M EF_CONSTRUCTION KIND]\n"
                      "       bench_hnsw scale PATH DIMENSION COUNT\n");
        return 2;
    }
    struct set set = {.dimension = number(argv[4]),
                      .count = number(argv[5]),
                      .query_count = number(argv[6]),
                      .depth = number(argv[7])};
    set.base = map_file(argv[1], (size_t)set.count * set.dimension * sizeof(float));
    set.queries =
        map_file(argv[2], (size_t)set.query_count * set.dimension * sizeof(float));
    set.truth = map_file(argv[3], (size_t)set.query_count * set.depth * sizeof(uint32_t));
    struct hnsw_options options = hnsw_defaults(set.dimension);
    if (argc > 9) {
        options.links = number(argv[8]);
        options.ef_construction = number(argv[9]);
    }
    if (argc > 10)
        options.kind = (enum code_kind)number(argv[10]);
    struct hnsw *index = NULL;
    build(&set, &options, &index);
    measure_snapshot(index, argv[1]);
    static const uint32_t efs[] = {10,  16,  24,  32,  48,  64,  96,
                                   128, 192, 256, 384, 512, 768, 1024};
    for (size_t i = 0; i < SH_COUNT(efs); i++)
        measure(index, &set, efs[i], NULL, set.truth);
    static const uint32_t shares[] = {500, 100, 10, 1};
    for (size_t i = 0; i < SH_COUNT(shares); i++)
        measure_filtered(index, &set, shares[i]);
    hnsw_free(&index);
    return 0;
}
