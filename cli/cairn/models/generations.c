/* cairn generations: the vectors of one model, beside those of another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/follow.h"
#include "cli/cairn/models/models.h"

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"FINGERPRINT", "fingerprint", true},
                                                  {"MODEL", "model", true},
                                                  {"STATE", "state", false},
                                                  {"DIMENSION", "dimension", false},
                                                  {"VECTORS", "vectors", false},
                                                  {"PENDING", "pending", false},
                                                  {"REFUSED", "refused", false},
                                                  {"BUILT", "built_at", false},
                                                  {0}};
    return answer_list(cli, "/api/generations", "generations", columns);
}

/* Sends `body`, which it lets go, and follows the job that is begun. */
static int begin(struct cli *cli, const char *path, json_t *body)
{
    int code = cli_send(cli, "POST", path, body);
    return code == CLI_OK ? follow_begun(cli) : code;
}

static int run_build(struct cli *cli)
{
    json_t *body = json_pack("{s:s, s:b}", "model", cli->args.words[0], "activate",
                             args_given(&cli->args, "activate"));
    return begin(cli, "/api/reindex", body);
}

static int run_activate(struct cli *cli)
{
    int code = CLI_FAILED;
    char *whole = models_fingerprint(cli, cli->args.words[0], &code);
    char *path = whole ? cli_path("/api/generations/", whole, "/activate") : NULL;
    if (path)
        code = answer_to(cli, "POST", path, NULL, NULL);
    free(path);
    free(whole);
    return code;
}

static int run_rollback(struct cli *cli)
{
    return answer_to(cli, "POST", "/api/generations/rollback", NULL, NULL);
}

static int run_delete(struct cli *cli)
{
    int code = CLI_FAILED;
    char *whole = models_fingerprint(cli, cli->args.words[0], &code);
    char *path = whole ? cli_path("/api/generations/", whole, "") : NULL;
    if (path)
        code = cli_ask(cli, &(struct api_request){.method = "DELETE", .path = path});
    free(path);
    free(whole);
    return code == CLI_OK && whole ? follow_begun(cli) : code;
}

/* --- compare ---------------------------------------------------------------------- */

/* A file of questions that somebody judged: a list of {"query","relevant"}. */
static bool tell_judged(const char *file, json_t *body)
{
    json_error_t error;
    json_t *judged = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_array(judged)) {
        cli_say("%s: %s", file, judged ? "no list of questions" : error.text);
        json_decref(judged);
        return false;
    }
    return json_object_set_new(body, "judged", judged) == 0;
}

static json_t *comparison(struct cli *cli, int *code)
{
    const char *file = args_text(&cli->args, "judged");
    char *from = models_fingerprint(cli, cli->args.words[0], code);
    char *to = from ? models_fingerprint(cli, cli->args.words[1], code) : NULL;
    json_t *body = to ? json_pack("{s:s, s:s}", "from", from, "to", to) : NULL;
    json_t *queries = answer_texts(cli, "query");
    free(from);
    free(to);
    if (body && queries)
        json_object_set(body, "queries", queries);
    json_decref(queries);
    if (body && file && !tell_judged(file, body)) {
        json_decref(body);
        *code = CLI_USAGE;
        return NULL;
    }
    return body;
}

static int run_compare(struct cli *cli)
{
    int code = CLI_FAILED;
    json_t *body = comparison(cli, &code);
    return body ? begin(cli, "/api/generations/compare", body) : code;
}

/* clang-format off */
#define JOB_OPTIONS                                                                      \
    {.name = "no-wait", .help = "only start it, and say which job it is"},               \
    {.name = "json", .help = "JSON: the job as it ended"}
static const struct option_row list_options[] = {
    {.name = "json", .help = "an object a line"}, {0}};
static const struct option_row json_options[] = {
    {.name = "json", .help = "the answer as it is"}, {0}};
static const struct option_row build_options[] = {
    {.name = "activate", .help = "make it live as soon as it is complete"},
    JOB_OPTIONS, {0}};
static const struct option_row delete_options[] = {JOB_OPTIONS, {0}};
static const struct option_row compare_options[] = {
    {.name = "query", .letter = 'q', .type = OPTION_TEXT, .value = "TEXT", .repeated = true,
     .help = "a question for both; without any, those that were asked lately"},
    {.name = "judged", .type = OPTION_FILE, .value = "FILE",
     .help = "questions with their right answers, JSON: [{\"query\", \"relevant\"}]"},
    JOB_OPTIONS, {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List generations, the live one first",
     .options = list_options, .run = run_list},
    {.name = "build", .arguments = "MODEL", .summary = "Make the vectors of another model",
     .details = "Beside the live ones, which are searched meanwhile. MODEL is one of the "
                "embedder's: use-lite, builtin:hashing, ollama:nomic-embed-text.",
     .options = build_options, .run = run_build, .least = 1, .most = 1},
    {.name = "compare", .arguments = "FROM TO", .summary = "Ask two the same questions",
     .options = compare_options, .run = run_compare, .least = 2, .most = 2},
    {.name = "activate", .arguments = "FINGERPRINT", .summary = "Make one live",
     .options = json_options, .run = run_activate, .least = 1, .most = 1},
    {.name = "rollback", .summary = "Make the one live that was so before",
     .options = json_options, .run = run_rollback},
    {.name = "delete", .arguments = "FINGERPRINT", .summary = "Remove the vectors of one",
     .options = delete_options, .run = run_delete, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command generations_command = {
    .name = "generations",
    .summary = "See, build, compare and switch the vectors of models",
    .details = "A fingerprint may be cut short where it is the only one that begins so.",
    .subs = subs};
