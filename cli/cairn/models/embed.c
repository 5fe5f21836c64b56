/* cairn embed: texts into vectors; cairn models: what does it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/answer.h"

/* --- embed ------------------------------------------------------------------------ */

static bool add_lines(json_t *texts)
{
    char *line = NULL;
    size_t size = 0;
    bool good = true;
    for (ssize_t len; good && (len = getline(&line, &size, stdin)) > 0;) {
        size_t whole = (size_t)len - (line[len - 1] == '\n');
        good = json_array_append_new(texts, json_stringn(line, whole)) == 0;
    }
    free(line); /* the C library's */
    if (!good)
        cli_say("that is no text in UTF-8");
    return good;
}

static json_t *texts_of(const struct args *args)
{
    json_t *texts = json_array();
    bool good = texts != NULL;
    for (int i = 0; good && i < args->word_count; i++)
        good = json_array_append_new(texts, json_string(args->words[i])) == 0;
    if (good && args->word_count == 0)
        good = add_lines(texts);
    if (good && json_array_size(texts) > 0)
        return texts;
    json_decref(texts);
    return NULL;
}

/* A vector a line. */
static void print_vectors(const json_t *answer)
{
    size_t i = 0;
    size_t n = 0;
    const json_t *vector = NULL;
    const json_t *number = NULL;
    json_array_foreach(json_object_get(answer, "embeddings"), i, vector)
    {
        json_array_foreach(vector, n, number)(void)
            printf("%s%.9g", n > 0 ? "\t" : "", json_number_value(number));
        (void)putchar('\n');
    }
}

static int run_embed(struct cli *cli)
{
    static const char *const said[] = {"model", NULL};
    json_t *texts = texts_of(&cli->args);
    json_t *body = texts ? json_pack("{s:o}", "input", texts) : NULL;
    if (!body) {
        cli_say("no text: as arguments, or as lines of standard input");
        return CLI_USAGE;
    }
    answer_tell(cli, body, said);
    if (args_given(&cli->args, "dimensions"))
        json_object_set_new(body, "dimensions",
                            json_integer(args_number(&cli->args, "dimensions", 0)));
    if (args_given(&cli->args, "whole"))
        json_object_set_new(body, "truncate", json_false());
    int code = cli_send(cli, "POST", "/api/embed", body);
    if (code != CLI_OK || args_given(&cli->args, "json"))
        return code == CLI_OK ? answer_print(cli, NULL) : code;
    json_t *answer = api_json(&cli->reply);
    print_vectors(answer);
    json_decref(answer);
    return answer ? CLI_OK : CLI_FAILED;
}

/* --- models ----------------------------------------------------------------------- */

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"MODEL", "name", true},
                                                  {"FAMILY", "details.family", true},
                                                  {"BYTES", "size", false},
                                                  {"FINGERPRINT", "digest", true},
                                                  {0}};
    return answer_list(cli, "/api/tags", "models", columns);
}

static int run_show(struct cli *cli)
{
    json_t *body = json_pack("{s:s}", "model", cli->args.words[0]);
    return answer_to(cli, "POST", "/api/show", body, NULL);
}

/* clang-format off */
static const struct option_row embed_options[] = {
    {.name = "model", .letter = 'm', .type = OPTION_TEXT, .value = "NAME",
     .help = "which one (default: the embedder's)"},
    {.name = "dimensions", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 65536,
     .help = "shorten the vectors to as many numbers"},
    {.name = "whole", .help = "refuse what is too long for the model, do not cut it"},
    {.name = "json", .help = "the answer as it is"},
    {0}};
static const struct option_row list_options[] = {
    {.name = "json", .help = "an object a line"}, {0}};
static const struct option_row show_options[] = {
    {.name = "json", .help = "the answer as it is"}, {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List the models of the embedder", .options = list_options,
     .run = run_list},
    {.name = "show", .arguments = "NAME", .summary = "Show one", .options = show_options,
     .run = run_show, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command embed_command = {
    .name = "embed",
    .arguments = "[TEXT...]",
    .summary = "Turn texts into vectors",
    .details =
        "Each argument, or without any each line of standard input, is a text; each "
        "becomes a line of numbers, separated by tabs.",
    .options = embed_options,
    .run = run_embed,
    .most = -1};

const struct command models_command = {
    .name = "models", .summary = "See the models that embed", .subs = subs};
