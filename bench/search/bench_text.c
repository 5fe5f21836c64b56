/* bench_text: the text index by itself; see bench/text_search.py.
 *
 *     bench_text cut DOCUMENTS.ndjson COUNT   passages as PostgreSQL's COPY takes them
 *     bench_text invent COUNT                 the same, of invented words
 *     bench_text run PASSAGES.tsv QUERIES.txt every query, then the snapshot
 *     bench_text race PASSAGES.tsv QUERIES.txt all queries one after the other
 *
 * What is measured is printed as JSON, one object a line. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "services/search/chunk/chunk.h"
#include "services/search/text/text_index.h"
#include "services/search/text/text_snapshot.h"
#include "shared/clock.h"

enum { LINE = 1 << 20, RUNS = 9, PASSES = 3, HYBRID = 256 };

static void must(enum sh_err err, const char *what)
{
    if (err == SH_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, sh_err_text(err));
    exit(1);
}

/* CPU time of this thread: a busy machine changes it little. */
static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* --- passages --------------------------------------------------------------------- */

static void put_column(struct sh_bytes text, char end)
{
    const char *data = text.data;
    for (size_t i = 0; i < text.len; i++) {
        char c = data[i];
        (void)putchar(c == '\t' || c == '\n' || c == '\r' || c == '\\' ? ' ' : c);
    }
    (void)putchar(end);
}

static struct sh_bytes member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return (struct sh_bytes){json_string_value(value), json_string_length(value)};
}

static size_t cut_document(const json_t *document, struct sh_arena *arena)
{
    const json_t *listed = json_object_get(document, "sections");
    size_t count = json_array_size(listed);
    struct chunk_section *sections = sh_arena_array(arena, count + 1, sizeof(*sections));
    const struct chunk_options options = {0, UINT32_MAX};
    struct chunk *chunks = NULL;
    size_t chunk_count = 0;
    for (size_t i = 0; sections && i < count; i++) {
        const json_t *section = json_array_get(listed, i);
        sections[i].title = member(section, "title");
        sections[i].text = member(section, "text");
    }
    must(chunk_document(member(document, "title"), sections, count, &options, arena,
                        &chunks, &chunk_count),
         "chunk_document");
    for (size_t i = 0; i < chunk_count; i++) {
        put_column(member(document, "title"), '\t');
        put_column(chunks[i].section_title, '\t');
        put_column(chunks[i].text, '\n');
    }
    return chunk_count;
}

static void cut(const char *path, size_t wanted)
{
    FILE *file = fopen(path, "re");
    struct sh_arena arena = {0};
    while (file && wanted > 0) {
        json_t *document = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        if (!document)
            break;
        size_t count = cut_document(document, &arena);
        wanted -= count < wanted ? count : wanted;
        json_decref(document);
        sh_arena_free(&arena);
    }
    if (file)
        (void)fclose(file);
}

/* Words as frequent as in a language (Zipf), some 80 a passage; the first is in all. */
static void invent(size_t count)
{
    enum { VOCABULARY = 300000 };
    double all = log(VOCABULARY);
    srand(1);
    for (size_t i = 0; i < count; i++) {
        printf("t%u\th%u\tword0x", (unsigned)rand() % 20000, (unsigned)rand() % 5000);
        for (int words = 40 + rand() % 80; words > 0; words--)
            printf(" word%ux", (unsigned)exp(all * rand() / RAND_MAX) - 1);
        (void)putchar('\n');
    }
}

/* --- the index -------------------------------------------------------------------- */

struct bench {
    struct text_index *index;
    struct analyzer *analyzer;
    struct bitmap allowed;
    uint32_t count;
    char *line;
};

static void add_line(struct bench *bench, char *line)
{
    struct sh_bytes fields[TEXT_FIELDS];
    struct sh_arena arena = {0};
    struct entry entry;
    for (int field = 0; field < TEXT_FIELDS; field++)
        fields[field] = sh_bytes_of(strsep(&line, "\t\n"));
    must(entry_make(bench->analyzer, fields, &arena, &entry), "entry_make");
    must(text_index_add(bench->index, bench->count++, &entry), "text_index_add");
    sh_arena_free(&arena);
}

static void load(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "re");
    struct text_upkeep *upkeep = NULL;
    size_t bytes = 0;
    double start = now_us();
    while (file && fgets(bench->line, LINE, file)) {
        bytes += strlen(bench->line);
        add_line(bench, bench->line);
    }
    must(text_upkeep_make(bench->index, &upkeep), "text_upkeep_make");
    if (upkeep)
        text_upkeep_apply(upkeep, bench->index);
    text_upkeep_free(&upkeep);
    if (file)
        (void)fclose(file);
    printf("{\"passages\":%u,\"text_bytes\":%zu,\"build_s\":%.2f,\"bytes\":%zu}\n",
           bench->count, bytes, (now_us() - start) / 1e6, text_index_bytes(bench->index));
}

static void allow_all(struct bench *bench)
{
    bench->allowed.bits = bench->count;
    bench->allowed.words = sh_alloc_array(bitmap_words(bench->count) + 1, 8);
    if (!bench->allowed.words)
        must(SH_NOMEM, "bitmap");
    for (uint32_t slot = 0; slot < bench->count; slot++)
        bitmap_add(&bench->allowed, slot);
}

/* --- queries ---------------------------------------------------------------------- */

struct figures {
    double all;
    double top;
    double hybrid;
    size_t total;
};

static void best_of(double *best, double start)
{
    double used = now_us() - start;
    if (*best <= 0 || used < *best)
        *best = used;
}

static double top(const struct bench *bench, const struct text_query *query,
                  uint32_t most, double *best, struct sh_arena *arena)
{
    const struct text_depth depth = {most, 0, SH_NO_DEADLINE};
    struct text_best found;
    double start = now_us();
    must(text_index_top(bench->index, query, &bench->allowed, &depth, arena, &found),
         "text_index_top");
    best_of(best, start);
    return (double)found.total;
}

static void ask_once(const struct bench *bench, const char *text, struct figures *figures)
{
    struct sh_arena arena = {0};
    struct text_query query;
    struct leg leg;
    struct bitmap allowed = {.bits = bench->count};
    double start = now_us();
    must(text_query_make(&bench->analyzer, 1, sh_bytes_of(text), &arena, &query),
         "query");
    must(text_index_expand(bench->index, &bench->allowed, &query, &arena), "expand");
    allowed.words = sh_arena_array(&arena, bitmap_words(allowed.bits) + 1, 8);
    memcpy(allowed.words, bench->allowed.words, bitmap_words(allowed.bits) * 8);
    must(text_index_restrict(bench->index, &query, &allowed, SH_NO_DEADLINE), "restrict");
    double prepared = now_us() - start;
    struct bench same = *bench;
    same.allowed = allowed;
    start = now_us();
    must(text_index_search(bench->index, &query, &allowed, SH_NO_DEADLINE, &arena, &leg),
         "search");
    best_of(&figures->all, start - prepared);
    figures->total = leg.count;
    double best = 0;
    if ((size_t)top(&same, &query, 10, &best, &arena) != leg.count)
        must(SH_INTERNAL, "total");
    if (figures->top <= 0 || best + prepared < figures->top)
        figures->top = best + prepared;
    best = 0;
    (void)top(&same, &query, HYBRID, &best, &arena);
    if (figures->hybrid <= 0 || best + prepared < figures->hybrid)
        figures->hybrid = best + prepared;
    sh_arena_free(&arena);
}

static void ask(const struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "re");
    while (file && fgets(bench->line, LINE, file)) {
        struct figures figures = {0};
        bench->line[strcspn(bench->line, "\n")] = 0;
        for (int run = 0; run < RUNS; run++)
            ask_once(bench, bench->line, &figures);
        json_t *text = json_string(bench->line);
        char *quoted = json_dumps(text, JSON_ENCODE_ANY);
        printf("{\"query\":%s,\"hits\":%zu,\"all_us\":%.0f,\"top10_us\":%.0f,"
               "\"top256_us\":%.0f}\n",
               quoted, figures.total, figures.all, figures.top, figures.hybrid);
        free(quoted);
        json_decref(text);
        (void)fflush(stdout);
    }
    if (file)
        (void)fclose(file);
}

/* --- snapshot --------------------------------------------------------------------- */

static void snapshot(const struct bench *bench)
{
    const char *path = "var/bench/text.snapshot";
    const struct text_options options = text_defaults();
    struct text_index *read = NULL;
    struct sh_arena arena = {0};
    struct sh_bytes note;
    double start = now_us();
    must(text_snapshot_write(bench->index, sh_bytes_of("bench"), path), "write");
    double written = now_us() - start;
    start = now_us();
    must(text_snapshot_open(path, &options, &arena, &read, &note), "open");
    double opened = now_us() - start;
    FILE *file = fopen(path, "re");
    long bytes = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
    if (file)
        (void)fclose(file);
    printf("{\"snapshot_mb\":%.1f,\"write_ms\":%.0f,\"load_ms\":%.0f,\"loaded_bytes\":%"
           "zu}\n",
           (double)bytes / 1e6, written / 1e3, opened / 1e3, text_index_bytes(read));
    text_index_free(&read);
    sh_arena_free(&arena);
    (void)unlink(path);
}

/* As a user's search does it: ten hits and the exact total. */
static size_t answer(const struct bench *bench, const char *text)
{
    const struct text_depth depth = {10, 0, SH_NO_DEADLINE};
    struct sh_arena arena = {0};
    struct text_query query;
    struct text_best found;
    must(text_query_make(&bench->analyzer, 1, sh_bytes_of(text), &arena, &query),
         "query");
    must(text_index_expand(bench->index, &bench->allowed, &query, &arena), "expand");
    must(text_index_top(bench->index, &query, &bench->allowed, &depth, &arena, &found),
         "text_index_top");
    sh_arena_free(&arena);
    return found.total;
}

static void race(const struct bench *bench, const char *path)
{
    double best = 0;
    size_t queries = 0;
    size_t hits = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        FILE *file = fopen(path, "re");
        double used = 0;
        queries = 0;
        hits = 0;
        for (; file && fgets(bench->line, LINE, file); queries++) {
            bench->line[strcspn(bench->line, "\n")] = 0;
            double start = now_us();
            hits += answer(bench, bench->line);
            used += now_us() - start;
        }
        if (file)
            (void)fclose(file);
        best = best <= 0 || used < best ? used : best;
    }
    printf("{\"queries\":%zu,\"hits\":%zu,\"cpu_s\":%.6f}\n", queries, hits, best / 1e6);
}

static void with_index(const char *passages, const char *queries, bool racing)
{
    const struct text_options options = text_defaults();
    struct bench bench = {.line = sh_alloc(LINE)};
    if (!bench.line)
        must(SH_NOMEM, "line");
    must(text_index_create(&options, &bench.index), "text_index_create");
    must(analyzer_create("english", &bench.analyzer), "analyzer_create");
    load(&bench, passages);
    allow_all(&bench);
    if (racing) {
        race(&bench, queries);
    } else {
        ask(&bench, queries);
        snapshot(&bench);
    }
    analyzer_free(&bench.analyzer);
    text_index_free(&bench.index);
    sh_free(bench.allowed.words);
    sh_free(bench.line);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "cut") == 0)
        cut(argv[2], strtoul(argv[3], NULL, 10));
    else if (argc == 3 && strcmp(argv[1], "invent") == 0)
        invent(strtoul(argv[2], NULL, 10));
    else if (argc == 4 && strcmp(argv[1], "run") == 0)
        with_index(argv[2], argv[3], false);
    else if (argc == 4 && strcmp(argv[1], "race") == 0)
        with_index(argv[2], argv[3], true);
    else
        return 2;
    return 0;
}
