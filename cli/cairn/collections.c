/* cairn collections: what collections say for their documents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/pages.h"
#include "cli/cairn/table.h"

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"NAME", "name", true},
                                                  {"TITLE", "title", true},
                                                  {"DOCUMENTS", "documents", false},
                                                  {"CLEARANCE", "clearance_level", false},
                                                  {"DEPARTMENT", "department", true},
                                                  {"LANGUAGE", "language", false},
                                                  {0}};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/collections");
    return pages_print(cli, &path, "collections", columns);
}

static int show(struct cli *cli, json_t *collection)
{
    return cli_print_members(collection, args_given(&cli->args, "json"));
}

static int run_get(struct cli *cli)
{
    int code = CLI_FAILED;
    char *path = cli_path("/api/collections/", cli->args.words[0], "");
    json_t *collection = path ? cli_get(cli, path, &code) : NULL;
    free(path);
    if (collection)
        code = show(cli, collection);
    json_decref(collection);
    return code;
}

/* --- set -------------------------------------------------------------------------- */

static const struct {
    const char *option;
    const char *member;
    bool number;
} said[] = {{"title", "title", false},
            {"description", "description", false},
            {"language", "language", false},
            {"department", "department", false},
            {"campus", "campus", false},
            {"clearance", "clearance_level", true},
            {"priority", "priority", true},
            {"chunk-tokens", "chunk_tokens", true},
            {"chunk-overlap", "chunk_overlap_percent", true}};

/* What the collection says so far; an empty object when there is none. NULL: an error. */
static json_t *current(struct cli *cli, const char *path, int *code)
{
    json_t *kept = json_object();
    *code = cli_connect(cli);
    if (*code != CLI_OK || !kept) {
        json_decref(kept);
        return NULL;
    }
    enum api_end end =
        api_call(cli->api, &(struct api_request){.path = path}, &cli->reply);
    if (end == API_ANSWERED && cli->reply.status == 404)
        return kept;
    *code = cli_judge(end, &cli->reply);
    json_t *now = *code == CLI_OK ? api_json(&cli->reply) : NULL;
    for (size_t i = 0; now && i < SH_COUNT(said); i++) {
        json_t *value = json_object_get(now, said[i].member);
        if (value && !json_is_null(value))
            json_object_set(kept, said[i].member, value);
    }
    if (!now)
        json_decref(kept);
    json_decref(now);
    return now ? kept : NULL;
}

/* An empty text takes back what was said. */
static void change(const struct args *args, json_t *collection)
{
    for (size_t i = 0; i < SH_COUNT(said); i++) {
        const char *text = args_text(args, said[i].option);
        if (!text)
            continue;
        if (!*text)
            json_object_del(collection, said[i].member);
        else
            json_object_set_new(collection, said[i].member,
                                said[i].number ? json_integer(strtol(text, NULL, 10))
                                               : json_string(text));
    }
}

static int put(struct cli *cli, const char *path)
{
    int code = CLI_OK;
    json_t *collection = current(cli, path, &code);
    if (!collection)
        return code != CLI_OK ? code : CLI_FAILED;
    change(&cli->args, collection);
    char *body = json_dumps(collection, JSON_COMPACT);
    json_decref(collection);
    code = cli_ask(cli, &(struct api_request){.method = "PUT",
                                              .path = path,
                                              .body = sh_bytes_of(body),
                                              .repeatable = true});
    free(body); /* jansson's */
    return code;
}

static int run_set(struct cli *cli)
{
    char *path = cli_path("/api/collections/", cli->args.words[0], "");
    int code = path ? put(cli, path) : CLI_FAILED;
    json_t *stored = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (stored)
        code = show(cli, stored);
    json_decref(stored);
    free(path);
    return code;
}

/* Of many documents the server deletes as many as it has time for, and says so. */
static int delete_all(struct cli *cli, const char *path)
{
    json_int_t deleted = 0;
    for (;;) {
        int code = cli_ask(
            cli,
            &(struct api_request){.method = "DELETE", .path = path, .repeatable = true});
        json_t *gone = code == CLI_OK ? api_json(&cli->reply) : NULL;
        if (!gone)
            return code != CLI_OK ? code : CLI_FAILED;
        deleted += json_integer_value(json_object_get(gone, "documents_deleted"));
        bool over = json_integer_value(json_object_get(gone, "documents_left")) <= 0 ||
                    json_integer_value(json_object_get(gone, "documents_deleted")) <= 0;
        json_object_set_new(gone, "documents_deleted", json_integer(deleted));
        if (over)
            code = show(cli, gone);
        json_decref(gone);
        if (over)
            return code;
    }
}

static int run_delete(struct cli *cli)
{
    const char *rest = args_given(&cli->args, "documents") ? "?documents=true" : "";
    char *path = cli_path("/api/collections/", cli->args.words[0], rest);
    int code = path ? delete_all(cli, path) : CLI_FAILED;
    free(path);
    return code;
}

/* clang-format off */
static const struct option_row list_options[] = {
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: all)"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row json_options[] = {
    {.name = "json", .help = "the answer as it is"},
    {0}};
static const struct option_row set_options[] = {
    {.name = "title", .type = OPTION_TEXT, .value = "TEXT", .help = "what people call it"},
    {.name = "description", .type = OPTION_TEXT, .value = "TEXT", .help = "what is in it"},
    {.name = "language", .type = OPTION_TEXT, .value = "CODE",
     .help = "of its documents: en, de, ..."},
    {.name = "department", .letter = 'd', .type = OPTION_TEXT, .value = "NAME",
     .help = "of documents that name none"},
    {.name = "campus", .type = OPTION_TEXT, .value = "NAME",
     .help = "of documents that name none"},
    {.name = "clearance", .letter = 'l', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 5, .help = "the least that its documents need"},
    {.name = "priority", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 5,
     .help = "of documents that name none"},
    {.name = "chunk-tokens", .type = OPTION_NUMBER, .value = "N", .least = 32,
     .most = 8192, .help = "how long passages are, in words or so"},
    {.name = "chunk-overlap", .type = OPTION_NUMBER, .value = "PERCENT", .most = 50,
     .help = "how much of a passage the next repeats"},
    {.name = "json", .help = "the answer as it is"},
    {0}};
static const struct option_row delete_options[] = {
    {.name = "documents", .help = "its documents, too"},
    {.name = "json", .help = "the answer as it is"},
    {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List collections", .options = list_options,
     .run = run_list},
    {.name = "get", .arguments = "NAME", .summary = "Show what a collection says",
     .options = json_options, .run = run_get, .least = 1, .most = 1},
    {.name = "set", .arguments = "NAME", .summary = "Say what holds for its documents",
     .details = "What is not named stays as it is; an empty text takes it back. It holds "
                "for documents that are stored from now on.",
     .options = set_options, .run = run_set, .least = 1, .most = 1},
    {.name = "delete", .arguments = "NAME", .summary = "Forget what a collection says",
     .options = delete_options, .run = run_delete, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command collections_command = {
    .name = "collections",
    .summary = "See and set what holds for the documents of a collection",
    .subs = subs};
