/* What searches of a view cost, in CPU time of the one thread that answers:
 *   bench_view SNAPSHOT QUESTIONS VECTORS MODE ROUNDS [ANSWERS]
 * SNAPSHOT: a directory that view_snapshot_save() wrote. QUESTIONS: a line each. VECTORS:
 * their floats, in that order, of the snapshot's model. MODE: hybrid, vector or text.
 * Prints the least of the rounds of each question, the dearest first, and percentiles.
 * Built after `make BUILD=release` by
 *   gcc -O2 -std=c17 -D_GNU_SOURCE -I. -Ilibshared/include -o bench_view \
 *     bench/search/bench_view.c -Wl,--start-group \
 *     build/release/{search,libproto,libshared}.a -Wl,--end-group -ljansson -lutf8proc \
 *     -lxxhash -lcrypto -luv -lstemmer -lroaring -lzmq -lsodium -lm -lpthread
 * ANSWERS: a file that what was found is written to, so that two programs can be
 * compared. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "services/search/view/view_snapshot.h"
#include "shared/buffer.h"
#include "shared/clock.h"

enum { QUESTIONS_MOST = 10000, DEAREST = 20 };

struct question {
    char text[512];
    double least_us;
    size_t total;
};

static struct question questions[QUESTIONS_MOST];
static size_t question_count;

static void must(enum sh_err err, const char *what)
{
    if (err == SH_OK)
        return;
    (void)fprintf(stderr, "bench_view: %s: %s\n", what, sh_err_text(err));
    exit(EXIT_FAILURE);
}

static double cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static FILE *open_file(const char *path, const char *how)
{
    FILE *file = fopen(path, how);
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return file;
}

static void read_questions(const char *path)
{
    FILE *file = open_file(path, "r");
    struct question *next = questions;
    while (question_count < QUESTIONS_MOST &&
           fgets(next->text, sizeof(next->text), file)) {
        next->text[strcspn(next->text, "\n")] = '\0';
        next->least_us = 1e12;
        next = &questions[++question_count];
    }
    (void)fclose(file);
}

static float *read_vectors(const char *path, uint32_t dimension)
{
    FILE *file = open_file(path, "rb");
    float *vectors = sh_alloc_array(question_count * dimension, sizeof(float));
    if (!vectors ||
        fread(vectors, dimension * sizeof(float), question_count, file) != question_count)
        must(SH_MALFORMED, path);
    (void)fclose(file);
    return vectors;
}

static void write_answer(FILE *file, const char *text, const struct search_results *found)
{
    (void)fprintf(file, "%s: %zu\n", text, (size_t)found->total);
    for (size_t i = 0; i < found->hits_count; i++) {
        const struct search_hit *hit = &found->hits[i];
        (void)fprintf(file, "  %.*s %a %a %a %a %.*s\n", (int)hit->chunk_id.len,
                      (const char *)hit->chunk_id.data, hit->similarity, hit->text_score,
                      hit->combined_score, hit->boost, (int)hit->highlight.len,
                      (const char *)hit->highlight.data);
    }
}

static void ask(const struct view *view, struct question *question,
                const struct view_query *usual, FILE *answers)
{
    struct search_query query = *usual->query;
    struct view_query asked = *usual;
    struct search_results results;
    struct view_problem problem;
    struct sh_arena arena = {0};
    query.query = sh_bytes_of(question->text);
    asked.query = &query;
    double start = cpu_us();
    must(view_search(view, &asked, &arena, &results, &problem), question->text);
    double took = cpu_us() - start;
    question->least_us = took < question->least_us ? took : question->least_us;
    question->total = results.total;
    if (answers)
        write_answer(answers, question->text, &results);
    sh_arena_free(&arena);
}

static int dearest_first(const void *a, const void *b)
{
    double left = ((const struct question *)a)->least_us;
    double right = ((const struct question *)b)->least_us;
    return (left < right) - (left > right);
}

static void tell(const char *mode)
{
    double sum = 0;
    for (size_t i = 0; i < question_count; i++)
        sum += questions[i].least_us;
    qsort(questions, question_count, sizeof(*questions), dearest_first);
    for (size_t i = 0; i < DEAREST && i < question_count; i++)
        (void)printf("%8.0f us %7zu found: %s\n", questions[i].least_us,
                     questions[i].total, questions[i].text);
    (void)printf("%s: mean %.1f us, median %.0f, p90 %.0f, p99 %.0f\n", mode,
                 sum / (double)question_count, questions[question_count / 2].least_us,
                 questions[question_count / 10].least_us,
                 questions[question_count / 100].least_us);
}

static void run(const struct view *view, const struct view_snapshot_about *about,
                char **argv)
{
    const struct caller caller = {.clearance = 1};
    const char *mode = argv[4];
    int rounds = (int)strtol(argv[5], NULL, 10);
    struct search_query query = {.max_results = 10,
                                 .vector_weight = -1,
                                 .highlight = true,
                                 .mode = mode[0] == 'h'   ? 0
                                         : mode[0] == 'v' ? 1
                                                          : 2};
    read_questions(argv[2]);
    float *vectors = read_vectors(argv[3], about->dimension);
    FILE *answers = argv[6] ? open_file(argv[6], "w") : NULL;
    struct view_query asked = {.query = &query,
                               .caller = &caller,
                               .dimension = about->dimension,
                               .fingerprint = sh_bytes_of(about->fingerprint),
                               .deadline_ms = SH_NO_DEADLINE};
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < question_count; i++) {
            asked.vector = query.mode == 2 ? NULL : vectors + i * about->dimension;
            ask(view, &questions[i], &asked, round == 0 ? answers : NULL);
        }
    }
    if (answers)
        (void)fclose(answers);
    sh_free(vectors);
    tell(mode);
}

int main(int argc, char **argv)
{
    struct view_snapshot_about about;
    struct view_options options = view_defaults();
    struct view *view = NULL;
    if (argc != 6 && argc != 7) {
        (void)fprintf(stderr, "usage: bench_view SNAPSHOT QUESTIONS VECTORS MODE ROUNDS "
                              "[ANSWERS]\n");
        return EXIT_FAILURE;
    }
    options.vectors.rows = argv[1];
    must(view_snapshot_peek(argv[1], &about), "peek");
    const struct view_model model = {about.fingerprint, about.dimension, 0.3};
    must(view_create(&options, &view), "create");
    must(view_snapshot_load(view, &model, argv[1]), "load");
    run(view, &about, argv);
    view_free(&view);
    return EXIT_SUCCESS;
}
