/* bench_lsa: the fitted model by itself; see bench/lsa.py.
 *
 *     bench_lsa fit PASSAGES.tsv COUNT RANK   fit to the first COUNT passages
 *     bench_lsa judge DIRECTORY RANK          nDCG@10 of its vectors alone on a judged
 *                                             collection, whole documents
 *
 * What is measured is printed as JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "services/embedder/lsa/lsa.h"
#include "services/embedder/lsa/lsa_fit.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { DEPTH = 10 };

static void must(enum sh_err err, const char *what)
{
    if (err == SH_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, sh_err_text(err));
    exit(1);
}

static double cpu_s(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static struct lsa_fit *begin(const char *rank)
{
    struct lsa_fit *fit = NULL;
    struct lsa_fit_options options = {.rank = (uint32_t)strtoul(rank, NULL, 10),
                                      .threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    must(lsa_fit_create(&options, &fit), "lsa_fit_create");
    return fit;
}

static void fit_lines(const char *path, size_t count, const char *rank)
{
    struct sh_buffer file = {0};
    struct rusage usage;
    char *line = NULL;
    size_t room = 0;
    struct lsa_fit *fit = begin(rank);
    FILE *passages = fopen(path, "re");
    double started = (double)sh_now_us() / 1e6;
    for (ssize_t len; passages && lsa_fit_texts(fit) < count &&
                      (len = getline(&line, &room, passages)) > 0;)
        must(lsa_fit_add(fit, (struct sh_bytes){line, (size_t)len}), "lsa_fit_add");
    double counted = (double)sh_now_us() / 1e6;
    must(lsa_fit_finish(fit, NULL, &file), "lsa_fit_finish");
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"passages\": %zu, \"counting_s\": %.2f, \"svd_s\": %.2f, \"cpu_s\": %.2f, "
           "\"peak_mb\": %.0f, \"file_mb\": %.1f}\n",
           lsa_fit_texts(fit), counted - started, (double)sh_now_us() / 1e6 - counted,
           cpu_s(&usage), (double)usage.ru_maxrss / 1024, (double)file.len / (1 << 20));
    sh_buffer_free(&file);
    lsa_fit_free(&fit);
    free(line); /* getline's */
    if (passages)
        (void)fclose(passages);
}

/* --- a judged collection ---------------------------------------------------------- */

static json_t *read_jsonl(const char *directory, const char *name)
{
    char path[4096];
    char *line = NULL;
    size_t room = 0;
    json_t *list = json_array();
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    while (file && getline(&line, &room, file) > 0)
        json_array_append_new(list, json_loads(line, 0, NULL));
    free(line); /* getline's */
    if (file)
        (void)fclose(file);
    return list;
}

static json_t *read_qrels(const char *directory)
{
    char path[4096], query[256], document[256], grade[16];
    json_t *qrels = json_object();
    (void)snprintf(path, sizeof(path), "%s/qrels.tsv", directory);
    FILE *file = fopen(path, "re");
    while (file && fscanf(file, "%255s %255s %15s", query, document, grade) == 3) {
        json_t *grades = json_object_get(qrels, query);
        if (!grades) {
            grades = json_object();
            json_object_set_new(qrels, query, grades);
        }
        if (strtol(grade, NULL, 10) > 0)
            json_object_set_new(grades, document, json_integer(strtol(grade, NULL, 10)));
    }
    if (file)
        (void)fclose(file);
    return qrels;
}

static void text_of(json_t *document, char *out, size_t room)
{
    const char *title = json_string_value(json_object_get(document, "title"));
    const char *text = json_string_value(json_object_get(document, "text"));
    (void)snprintf(out, room, "%s\n%s", title ? title : "", text ? text : "");
}

static int descending(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

static double gain(const int *grades, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count && i < DEPTH; i++)
        sum += grades[i] / log2((double)i + 2);
    return sum;
}

static double ideal(json_t *grades)
{
    int best[2048];
    size_t count = 0;
    const char *id;
    json_t *grade;
    json_object_foreach(grades, id, grade) if (count < SH_COUNT(best)) best[count++] =
        (int)json_integer_value(grade);
    qsort(best, count, sizeof(best[0]), descending);
    return gain(best, count);
}

struct judging {
    struct lsa *model;
    struct lsa_area *area;
    json_t *corpus;
    float *vectors;
    size_t dimension;
};

static void embed(const struct judging *self, json_t *document, float *vector)
{
    static char text[1 << 20];
    size_t words = 0;
    text_of(document, text, sizeof(text));
    enum sh_err err =
        lsa_embed(self->model, self->area, sh_bytes_of(text), false, vector, &words);
    if (err != SH_INVALID)
        must(err, "lsa_embed");
}

static double judge_query(const struct judging *self, json_t *query, json_t *grades)
{
    float vector[LSA_RANK_MAX];
    double best[DEPTH];
    int got[DEPTH] = {0};
    for (size_t i = 0; i < DEPTH; i++)
        best[i] = -2;
    embed(self, query, vector);
    for (size_t d = 0; d < json_array_size(self->corpus); d++) {
        json_t *id = json_object_get(json_array_get(self->corpus, d), "id");
        double dot = 0;
        for (size_t j = 0; j < self->dimension; j++)
            dot += (double)(vector[j] * self->vectors[d * self->dimension + j]);
        size_t at = DEPTH;
        for (; at > 0 && dot > best[at - 1]; at--) {
            if (at == DEPTH)
                continue;
            best[at] = best[at - 1];
            got[at] = got[at - 1];
        }
        if (at == DEPTH)
            continue;
        best[at] = dot;
        got[at] = (int)json_integer_value(json_object_get(grades, json_string_value(id)));
    }
    return gain(got, DEPTH) / ideal(grades);
}

static void open_file(struct judging *self, struct sh_bytes file)
{
    char path[] = "/tmp/bench_lsa.XXXXXX";
    const char *why = "";
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        must(SH_IO, path);
    must(pack_store(path, file), path);
    must(lsa_open(path, &self->model, &why), why);
    unlink(path);
}

static void judge(const char *directory, const char *rank)
{
    static char text[1 << 20];
    struct sh_buffer file = {0};
    struct judging self = {.corpus = read_jsonl(directory, "corpus.jsonl")};
    json_t *queries = read_jsonl(directory, "queries.jsonl");
    json_t *qrels = read_qrels(directory);
    size_t count = json_array_size(self.corpus), judged = 0;
    double sum = 0;
    struct lsa_fit *fit = begin(rank);
    for (size_t i = 0; i < count; i++) {
        text_of(json_array_get(self.corpus, i), text, sizeof(text));
        must(lsa_fit_add(fit, sh_bytes_of(text)), "lsa_fit_add");
    }
    must(lsa_fit_finish(fit, NULL, &file), "lsa_fit_finish");
    lsa_fit_free(&fit);
    open_file(&self, sh_buffer_bytes(&file));
    must(lsa_area_create(&self.area), "lsa_area_create");
    self.dimension = lsa_dimension(self.model);
    self.vectors = sh_alloc_array(count, self.dimension * sizeof(float));
    for (size_t i = 0; i < count; i++)
        embed(&self, json_array_get(self.corpus, i), self.vectors + i * self.dimension);
    for (size_t i = 0; i < json_array_size(queries); i++) {
        json_t *query = json_array_get(queries, i);
        json_t *grades =
            json_object_get(qrels, json_string_value(json_object_get(query, "id")));
        if (json_object_size(grades) == 0)
            continue;
        sum += judge_query(&self, query, grades);
        judged++;
    }
    printf("{\"documents\": %zu, \"terms\": %zu, \"dimension\": %zu, \"queries\": %zu, "
           "\"ndcg10\": %.4f}\n",
           count, lsa_terms(self.model), self.dimension, judged, sum / (double)judged);
    lsa_area_free(&self.area);
    lsa_close(&self.model);
    sh_free(self.vectors);
    sh_buffer_free(&file);
    json_decref(self.corpus);
    json_decref(queries);
    json_decref(qrels);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "fit") == 0)
        fit_lines(argv[2], strtoul(argv[3], NULL, 10), argv[4]);
    else if (argc == 4 && strcmp(argv[1], "judge") == 0)
        judge(argv[2], argv[3]);
    else
        return 2;
    return 0;
}
