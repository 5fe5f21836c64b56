/* How long questions take inside the graph service, and a recursive query on PostgreSQL
 * beside them:
 *   bench_graph SNAPSHOT_DIRECTORY DATABASE_URL
 * The graph is read from the service's own snapshot; the database holds the same. Prints
 * one JSON object; times are microseconds, p50 and p99 of as many runs as it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include "services/graph/ask/asked.h"
#include "services/graph/snapshot/snapshot.h"
#include "shared/clock.h"

enum { RUNS = 2000, SLOW_RUNS = 15, DEPTH = 30, PAGE = 20 };

static const struct caller caller = {.role = {"student", 7}, .clearance = 2};

struct bench {
    struct graph *graph;
    struct finder *finder;
    PGconn *db;
    struct sh_bytes *nouns; /* ids */
    uint32_t noun_count;
};

static uint64_t dice = 88172645463325252U;

static uint32_t roll(uint32_t below)
{
    dice ^= dice << 13; /* xorshift64 (Marsaglia 2003) */
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)(dice >> 33) % below;
}

static void need(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "bench_graph: %s\n", what);
    exit(1);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double nanoseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* `times` in microseconds; sorted by this. */
static double report(const char *name, double *times, size_t count)
{
    qsort(times, count, sizeof(*times), compare);
    double median = times[count / 2];
    (void)printf("\"%s\":{\"p50_us\":%.2f,\"p99_us\":%.2f,\"runs\":%zu},", name, median,
                 times[count * 99 / 100], count);
    return median;
}

/* As a worker does: enter, answer, leave; without decoding and sending. */
static double ask(struct bench *bench, const struct question_kind *kind, void *request)
{
    struct question question = {.request = request, .finder = bench->finder};
    double began = nanoseconds();
    question.deadline_ms = sh_now_ms() + 10000;
    question.reply = sh_arena_alloc(&question.arena, kind->reply_size);
    need(question.reply != NULL &&
             graph_enter(bench->graph, &caller, &question.reader) == SH_OK,
         "out of memory");
    need(kind->answer(&question) == SH_OK, kind->name);
    graph_leave(&question.reader);
    sh_arena_free(&question.arena);
    return (nanoseconds() - began) / 1000;
}

static struct sh_bytes noun(const struct bench *bench)
{
    return bench->nouns[roll(bench->noun_count)];
}

static double neighbours(struct bench *bench)
{
    static double times[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        struct graph_neighbours_query query = {.id = noun(bench), .limit = PAGE};
        times[i] = ask(bench, &neighbours_question, &query);
    }
    return report("neighbours", times, RUNS);
}

static double paths(struct bench *bench)
{
    static double times[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        struct graph_path_query query = {
            .from = noun(bench), .to = noun(bench), .max_depth = DEPTH};
        times[i] = ask(bench, &path_question, &query);
    }
    return report("shortest_path", times, RUNS);
}

static void schema(struct bench *bench)
{
    static double times[RUNS];
    for (size_t i = 0; i < RUNS; i++)
        times[i] = ask(bench, &schema_question, NULL);
    (void)report("schema", times, RUNS);
}

static void search(struct bench *bench, const char *name, const char *text)
{
    static double times[RUNS / 20];
    for (size_t i = 0; i < SH_COUNT(times); i++) {
        struct graph_search_query query = {
            .q = sh_bytes_of(text), .page = 1, .limit = PAGE};
        times[i] = ask(bench, &search_question, &query);
        if (i == 0) /* the index was made by it */
            (void)printf("\"%s_first_us\":%.2f,", name, times[0]);
    }
    (void)report(name, times, SH_COUNT(times));
}

/* --- the same by PostgreSQL ------------------------------------------------------- */

static double sql(struct bench *bench, const char *statement, struct sh_bytes from,
                  struct sh_bytes to)
{
    char texts[2][64];
    const char *values[] = {texts[0], texts[1]};
    (void)snprintf(texts[0], sizeof(texts[0]), "%.*s", (int)from.len,
                   (const char *)from.data);
    (void)snprintf(texts[1], sizeof(texts[1]), "%.*s", (int)to.len,
                   (const char *)to.data);
    double began = nanoseconds();
    PGresult *rows =
        PQexecPrepared(bench->db, statement, to.len > 0 ? 2 : 1, values, NULL, NULL, 0);
    double took = (nanoseconds() - began) / 1000;
    const char *state = PQresultErrorField(rows, PG_DIAG_SQLSTATE);
    need(PQresultStatus(rows) == PGRES_TUPLES_OK ||
             (state != NULL && strcmp(state, "57014") == 0), /* it took too long */
         PQerrorMessage(bench->db));
    PQclear(rows);
    return took;
}

static void prepare(struct bench *bench)
{
    /* The answer of the service: relationships and what they lead to, in its order, one
     * more than a page; the right to read on each of them. */
    static const char neighbours_sql[] =
        "WITH RECURSIVE near AS (SELECT $1::text AS node, 0 AS depth, false AS back, "
        "''::text AS id, ''::text AS type, ''::text AS from_id, ''::text AS to_id, "
        "'{}'::jsonb AS properties, 0::bigint AS number "
        "UNION ALL SELECT x.node, n.depth + 1, x.back, x.id, x.type, x.from_id, x.to_id, "
        "x.properties, x.number FROM near n CROSS JOIN LATERAL (SELECT to_id AS node, "
        "false AS back, e.* FROM graph_edges e WHERE from_id = n.node AND "
        "clearance_level <= 2 UNION ALL SELECT from_id, true, e.* FROM graph_edges e "
        "WHERE to_id = n.node AND clearance_level <= 2) x WHERE n.depth < 1) "
        "SELECT near.id, near.type, near.from_id, near.to_id, near.properties, "
        "near.number, g.id, g.labels, g.properties, g.number FROM near JOIN graph_nodes "
        "g ON g.id = near.node WHERE depth = 1 AND g.clearance_level <= 2 AND EXISTS "
        "(SELECT FROM graph_nodes r WHERE r.id = $1::text AND r.clearance_level <= 2) "
        "ORDER BY near.back, near.type, g.number, near.number LIMIT 21";
    static const char path_sql[] =
        "WITH RECURSIVE walk AS (SELECT $1::text AS id, 0 AS depth UNION SELECT "
        "x.id, w.depth + 1 FROM walk w CROSS JOIN LATERAL (SELECT to_id AS id FROM "
        "graph_edges WHERE from_id = w.id AND clearance_level <= 2 UNION SELECT from_id "
        "FROM graph_edges WHERE to_id = w.id AND clearance_level <= 2) x "
        "WHERE w.depth < 6) SELECT depth FROM walk WHERE id = $2::text LIMIT 1";
    PQclear(PQexec(bench->db, "SET statement_timeout = '10s'"));
    PGresult *done = PQprepare(bench->db, "neighbours", neighbours_sql, 1, NULL);
    need(PQresultStatus(done) == PGRES_COMMAND_OK, PQerrorMessage(bench->db));
    PQclear(done);
    done = PQprepare(bench->db, "path", path_sql, 2, NULL);
    need(PQresultStatus(done) == PGRES_COMMAND_OK, PQerrorMessage(bench->db));
    PQclear(done);
}

static double sql_neighbours(struct bench *bench)
{
    static double times[RUNS / 10];
    for (size_t i = 0; i < SH_COUNT(times); i++)
        times[i] = sql(bench, "neighbours", noun(bench), (struct sh_bytes){"", 0});
    return report("sql_neighbours", times, SH_COUNT(times));
}

static double sql_paths(struct bench *bench)
{
    static double times[SLOW_RUNS];
    for (size_t i = 0; i < SLOW_RUNS; i++)
        times[i] = sql(bench, "path", noun(bench), noun(bench));
    return report("sql_shortest_path", times, SLOW_RUNS);
}

/* --- the whole -------------------------------------------------------------------- */

static void pick_nouns(struct bench *bench, struct sh_arena *arena)
{
    struct graph_reader reader;
    uint32_t label;
    need(graph_enter(bench->graph, &caller, &reader) == SH_OK, "out of memory");
    need(symbols_find(graph_labels(bench->graph), sh_bytes_of("Noun"), &label),
         "there are no nouns");
    bench->nouns =
        sh_arena_array(arena, reader.version->node_count + 1, sizeof(*bench->nouns));
    for (uint32_t i = 0; i < reader.version->node_end; i++) {
        const struct node *node = graph_node(&reader, i);
        for (uint32_t l = 0; node != NULL && l < node->body->label_count; l++)
            if (node->body->labels[l] == label)
                bench->nouns[bench->noun_count++] = node->body->id;
    }
    graph_leave(&reader);
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct sh_arena arena = {0};
    need(argc == 3, "SNAPSHOT_DIRECTORY DATABASE_URL");
    need(graph_create(&bench.graph) == SH_OK &&
             finder_create("name", &bench.finder) == SH_OK,
         "out of memory");
    double began = nanoseconds();
    need(snapshot_load(bench.graph, argv[1]) == SH_OK, "the snapshot cannot be read");
    (void)printf("{\"snapshot_load_ms\":%.1f,", (nanoseconds() - began) / 1e6);
    pick_nouns(&bench, &arena);
    bench.db = PQconnectdb(argv[2]);
    need(PQstatus(bench.db) == CONNECTION_OK, PQerrorMessage(bench.db));
    prepare(&bench);
    schema(&bench);
    double near = neighbours(&bench);
    double path = paths(&bench);
    search(&bench, "search_word", "dog");
    search(&bench, "search_letter", "a");
    search(&bench, "search_fuzzy", "mediteranean");
    double sql_near = sql_neighbours(&bench);
    double sql_path = sql_paths(&bench);
    (void)printf("\"neighbours_times\":%.0f,\"shortest_path_times\":%.0f}\n",
                 sql_near / near, sql_path / path);
    PQfinish(bench.db);
    finder_free(&bench.finder);
    graph_free(&bench.graph);
    sh_arena_free(&arena);
    return 0;
}
