/* cairn-eval: how good the rankings of a running Cairn are, by judged queries, and which
 * weight of the vector leg is best. Its corpus must have been loaded under the ids that
 * the judgements name. */
#include <curl/curl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/eval/collection.h"
#include "cli/eval/figures.h"
#include "cli/eval/searcher.h"

enum { BOUNDS_MOST = 8, STEPS = 20, FOLDS = 2, EXIT_USAGE = 2, EXIT_UNDER = 3 };

static const char usage[] =
    "usage: cairn-eval [OPTION]... DIRECTORY\n"
    "\n"
    "Asks the judged queries of DIRECTORY (queries.jsonl, qrels.tsv) and prints "
    "nDCG@10,\n"
    "MRR and recall@100 of each mode: text, vector, hybrid, rrf.\n"
    "\n"
    "  -u, --url URL              the gateway (default http://127.0.0.1:8080)\n"
    "  -p, --page N               results a request (default 200, what an admin may "
    "have)\n"
    "  -t, --tune                 also every weight of the vector leg from 0 to 1 by "
    "0.05;\n"
    "                             the best one, and what it is worth on the half of the\n"
    "                             queries that it was not chosen by\n"
    "  -f, --fail-under MODE=NDCG exit with 3 when the mode is worse; may be repeated;\n"
    "                             MODE tuned is the best weight's\n"
    "  -h, --help\n"
    "\n"
    "CAIRN_TOKEN in the environment is sent as the bearer token. Without it the caller\n"
    "is an admin by the request's body, which a gateway on loopback believes.\n"
    "Exit status: 0 done, 1 it could not be done, 2 wrong usage, 3 under the bound.\n";

struct bound {
    const char *mode;
    size_t mode_len;
    double least;
};

struct arguments {
    struct searcher_options server;
    const char *directory;
    bool tune;
    struct bound bounds[BOUNDS_MOST];
    size_t bound_count;
};

/* What a mode came to, over all queries and over every other one. */
struct outcome {
    struct figures all;
    struct figures fold[FOLDS];
};

/* --- arguments -------------------------------------------------------------------- */

static bool read_bound(const char *text, struct arguments *into)
{
    const char *equals = strchr(text, '=');
    char *end = NULL;
    if (!equals || into->bound_count == BOUNDS_MOST)
        return false;
    struct bound *bound = &into->bounds[into->bound_count++];
    *bound = (struct bound){text, (size_t)(equals - text), strtod(equals + 1, &end)};
    return equals[1] && !*end && bound->least >= 0 && bound->least <= 1;
}

static bool read_page(const char *text, int *into)
{
    char *end = NULL;
    long page = strtol(text, &end, 10);
    *into = (int)page;
    return *text && !*end && page >= 1 && page <= 1000;
}

static bool read_option(int c, struct arguments *into)
{
    switch (c) {
    case 'u':
        into->server.url = optarg;
        return true;
    case 'p':
        return read_page(optarg, &into->server.page);
    case 't':
        into->tune = true;
        return true;
    case 'f':
        return read_bound(optarg, into);
    case 'h':
        (void)fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    default:
        return false;
    }
}

static bool read_arguments(int argc, char **argv, struct arguments *into)
{
    static const struct option known[] = {{"url", required_argument, NULL, 'u'},
                                          {"page", required_argument, NULL, 'p'},
                                          {"tune", no_argument, NULL, 't'},
                                          {"fail-under", required_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    *into = (struct arguments){
        .server = {"http://127.0.0.1:8080", getenv("CAIRN_TOKEN"), 200}};
    for (int c = 0; (c = getopt_long(argc, argv, "u:p:tf:h", known, NULL)) != -1;) {
        if (!read_option(c, into))
            return false;
    }
    if (optind + 1 != argc)
        return false;
    into->directory = argv[optind];
    return true;
}

/* --- one mode --------------------------------------------------------------------- */

static bool judge(struct searcher *searcher, const struct judged_query *query,
                  json_t *config, struct figures *figures)
{
    int grades[FIGURES_RECALL_DEPTH];
    json_t *ranking = searcher_rank(searcher, query->text, config, FIGURES_RECALL_DEPTH);
    if (!ranking)
        return false;
    for (size_t i = 0; i < json_array_size(ranking); i++) {
        const char *document = json_string_value(json_array_get(ranking, i));
        grades[i] = (int)json_integer_value(json_object_get(query->grades, document));
    }
    *figures = figures_of(grades, json_array_size(ranking), query->best, query->count);
    json_decref(ranking);
    return true;
}

static bool evaluate(struct searcher *searcher, const struct collection *collection,
                     json_t *config, struct outcome *outcome)
{
    bool good = config != NULL;
    size_t count[FOLDS] = {0};
    *outcome = (struct outcome){0};
    for (size_t i = 0; good && i < collection->count; i++) {
        struct figures figures;
        good = judge(searcher, &collection->queries[i], config, &figures);
        if (!good)
            break;
        figures_add(&outcome->all, &figures);
        figures_add(&outcome->fold[i % FOLDS], &figures);
        count[i % FOLDS]++;
    }
    outcome->all = figures_mean(&outcome->all, collection->count);
    for (size_t i = 0; i < FOLDS; i++)
        outcome->fold[i] = figures_mean(&outcome->fold[i], count[i]);
    json_decref(config);
    return good;
}

static void print(const char *mode, const struct figures *figures)
{
    printf("| %s | %.4f | %.4f | %.4f |\n", mode, figures->ndcg, figures->mrr,
           figures->recall);
    (void)fflush(stdout);
}

/* False when a bound names the mode and it is under it. */
static bool is_within(const struct arguments *arguments, const char *mode, double ndcg)
{
    bool within = true;
    for (size_t i = 0; i < arguments->bound_count; i++) {
        const struct bound *bound = &arguments->bounds[i];
        if (strlen(mode) != bound->mode_len ||
            strncmp(mode, bound->mode, bound->mode_len) != 0 || ndcg >= bound->least)
            continue;
        (void)fprintf(stderr, "cairn-eval: %s: nDCG@10 %.4f is under %g\n", mode, ndcg,
                      bound->least);
        within = false;
    }
    return within;
}

/* --- the best weight -------------------------------------------------------------- */

static size_t best_step(const struct outcome *steps, size_t fold)
{
    size_t best = 0;
    for (size_t i = 1; i <= STEPS; i++) {
        double ndcg = fold < FOLDS ? steps[i].fold[fold].ndcg : steps[i].all.ndcg;
        double most = fold < FOLDS ? steps[best].fold[fold].ndcg : steps[best].all.ndcg;
        if (ndcg > most)
            best = i;
    }
    return best;
}

/* Chosen by one half, measured on the other: what the choice is worth. */
static double held_out(const struct outcome *steps)
{
    double sum = 0;
    for (size_t fold = 0; fold < FOLDS; fold++)
        sum += steps[best_step(steps, fold)].fold[1 - fold].ndcg;
    return sum / FOLDS;
}

static bool tune(struct searcher *searcher, const struct collection *collection,
                 double *best_ndcg)
{
    static struct outcome steps[STEPS + 1];
    for (size_t i = 0; i <= STEPS; i++) {
        char name[32];
        double weight = (double)i / STEPS;
        if (!evaluate(searcher, collection, json_pack("{s:f}", "vector_weight", weight),
                      &steps[i]))
            return false;
        (void)snprintf(name, sizeof(name), "hybrid, weight %.2f", weight);
        print(name, &steps[i].all);
    }
    size_t best = best_step(steps, FOLDS);
    *best_ndcg = steps[best].all.ndcg;
    printf(
        "\nbest weight of the vector leg: %.2f, nDCG@10 %.4f; chosen by one half of the "
        "queries,\nmeasured on the other: %.4f\n",
        (double)best / STEPS, *best_ndcg, held_out(steps));
    return true;
}

/* --- all of it -------------------------------------------------------------------- */

static int run(const struct arguments *arguments, struct searcher *searcher,
               const struct collection *collection)
{
    static const struct {
        const char *name;
        const char *config;
    } modes[] = {{"text", "{\"mode\":\"text\"}"},
                 {"vector", "{\"mode\":\"vector\"}"},
                 {"hybrid", "{}"},
                 {"rrf", "{\"fusion\":\"rrf\"}"}};
    bool within = true;
    printf("%zu queries\n\n| mode | nDCG@10 | MRR | recall@100 |\n"
           "| --- | --- | --- | --- |\n",
           collection->count);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct outcome outcome;
        if (!evaluate(searcher, collection, json_loads(modes[i].config, 0, NULL),
                      &outcome))
            return EXIT_FAILURE;
        print(modes[i].name, &outcome.all);
        within = is_within(arguments, modes[i].name, outcome.all.ndcg) && within;
    }
    if (arguments->tune) {
        double ndcg = 0;
        if (!tune(searcher, collection, &ndcg))
            return EXIT_FAILURE;
        within = is_within(arguments, "tuned", ndcg) && within;
    }
    return within ? EXIT_SUCCESS : EXIT_UNDER;
}

static bool names_a_mode(const struct arguments *arguments, const struct bound *bound)
{
    static const char *const modes[] = {"text", "vector", "hybrid", "rrf", "tuned"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strlen(modes[i]) == bound->mode_len &&
            strncmp(modes[i], bound->mode, bound->mode_len) == 0)
            return strcmp(modes[i], "tuned") != 0 || arguments->tune;
    }
    return false;
}

/* A misspelt mode must not pass for one that is good enough. */
static bool bounds_make_sense(const struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->bound_count; i++) {
        const struct bound *bound = &arguments->bounds[i];
        if (names_a_mode(arguments, bound))
            continue;
        (void)fprintf(stderr, "cairn-eval: no mode %.*s\n", (int)bound->mode_len,
                      bound->mode);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct collection collection;
    if (!read_arguments(argc, argv, &arguments) || !bounds_make_sense(&arguments)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!collection_read(arguments.directory, &collection))
        return EXIT_FAILURE;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct searcher *searcher = searcher_new(&arguments.server);
    int status = searcher ? run(&arguments, searcher, &collection) : EXIT_FAILURE;
    searcher_free(&searcher);
    curl_global_cleanup();
    collection_free(&collection);
    return status;
}
