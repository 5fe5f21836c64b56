/* cairn documents: what is stored. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cairn/browse.h"
#include "cli/cairn/cli.h"
#include "cli/cairn/download.h"
#include "cli/cairn/pages.h"
#include "cli/cairn/table.h"
#include "cli/cairn/text.h"

/* --- list, get, delete ------------------------------------------------------------ */

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"ID", "id", true},
                                                  {"TITLE", "title", true},
                                                  {"COLLECTION", "collection", true},
                                                  {"CHUNKS", "chunks", false},
                                                  {"UPDATED", "updated_at", false},
                                                  {0}};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/documents");
    api_query(&path, "collection", args_text(&cli->args, "collection"));
    api_query(&path, "title", args_text(&cli->args, "title"));
    return pages_print(cli, &path, "documents", columns);
}

static void print_sections(const json_t *document)
{
    size_t i = 0;
    const json_t *section = NULL;
    json_t *sections = json_object_get(document, "sections");
    json_array_foreach(sections, i, section)
    {
        static const char *const names[] = {"title", "text"};
        for (size_t part = 0; part < SH_COUNT(names); part++) {
            struct sh_buffer raw = {0};
            struct sh_buffer text = {0};
            table_value(&raw, section, names[part]);
            text_clean(&text, sh_buffer_bytes(&raw), TEXT_LINES);
            if (text.len > 0)
                (void)printf("\n%.*s\n", (int)text.len, text.data);
            sh_buffer_free(&raw);
            sh_buffer_free(&text);
        }
    }
}

static int run_get(struct cli *cli)
{
    static const struct table_column columns[] = {{"id", "id", false},
                                                  {"title", "title", false},
                                                  {"collection", "collection", false},
                                                  {"file", "file.name", false},
                                                  {"metadata", "metadata", false},
                                                  {"chunks", "chunks", false},
                                                  {"created", "created_at", false},
                                                  {"updated", "updated_at", false},
                                                  {0}};
    int code = CLI_OK;
    char *path = cli_path("/api/documents/", cli->args.words[0], "");
    json_t *document = path ? cli_get(cli, path, &code) : NULL;
    free(path);
    if (!document)
        return code != CLI_OK ? code : CLI_FAILED;
    if (args_given(&cli->args, "json")) {
        code = cli_print_json(document);
    } else {
        table_print_one(columns, document);
        print_sections(document);
    }
    json_decref(document);
    return code;
}

/* The worst of the codes; none stops the rest but what would stop them all. */
static int run_delete(struct cli *cli)
{
    int worst = CLI_OK;
    for (int i = 0; i < cli->args.word_count; i++) {
        char *path = cli_path("/api/documents/", cli->args.words[i], "");
        int code = cli_ask(cli, &(struct api_request){.method = "DELETE",
                                                      .path = path ? path : "",
                                                      .repeatable = true});
        free(path);
        if (code != CLI_OK)
            cli_say("%s was not deleted", cli->args.words[i]);
        worst = code > worst ? code : worst;
        if (code == CLI_INTERRUPTED || (code == CLI_REFUSED && cli->reply.status != 403))
            return code;
    }
    return worst;
}

/* --- file ------------------------------------------------------------------------- */

static int run_file(struct cli *cli)
{
    char *path = cli_path("/api/documents/", cli->args.words[0], "/file");
    int code = path ? download(cli, path) : CLI_FAILED;
    free(path);
    return code;
}

/* --- passages --------------------------------------------------------------------- */

static int run_passages(struct cli *cli)
{
    static const struct table_column columns[] = {{"ID", "chunk_id", false},
                                                  {"PAGE", "page_number", false},
                                                  {"SECTION", "section_title", true},
                                                  {"TEXT", "text", true},
                                                  {0}};
    struct sh_buffer address = {0};
    char *path = cli_path("/api/documents/", cli->args.words[0], "/passages");
    sh_buffer_text(&address, path ? path : "");
    free(path);
    return pages_print(cli, &address, "passages", columns);
}

/* --- access, report --------------------------------------------------------------- */

static int print_answer(struct cli *cli, const char *path)
{
    int code = CLI_OK;
    json_t *answer = cli_get(cli, path, &code);
    if (answer)
        code = cli_print_members(answer, args_given(&cli->args, "json"));
    json_decref(answer);
    return code;
}

static int run_access(struct cli *cli)
{
    static const char *const asked[] = {"user", "role", "department"};
    struct sh_buffer query = {0};
    char *path = cli_path("/api/documents/", cli->args.words[0], "/access");
    int code = CLI_FAILED;
    sh_buffer_text(&query, path ? path : "");
    for (size_t i = 0; i < SH_COUNT(asked); i++)
        api_query(&query, asked[i], args_text(&cli->args, asked[i]));
    sh_buffer_append(&query, "", 1);
    if (query.err == SH_OK)
        code = print_answer(cli, query.data);
    sh_buffer_free(&query);
    free(path);
    return code;
}

static int run_report(struct cli *cli)
{
    char *path = cli_path("/api/documents/", cli->args.words[0], "/report");
    int code = path ? print_answer(cli, path) : CLI_FAILED;
    free(path);
    return code;
}

/* clang-format off */
#define JSON_OPTION {.name = "json", .help = "the answer as it is"}
static const struct option_row list_options[] = {
    {.name = "collection", .letter = 'c', .type = OPTION_TEXT, .value = "NAME",
     .help = "only of this collection"},
    {.name = "title", .letter = 't', .type = OPTION_TEXT, .value = "WORDS",
     .help = "these stand in the title or the id; in the order of titles then"},
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: all)"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row passages_options[] = {
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: all)"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row query_options[] = {
    {.name = "collection", .letter = 'c', .type = OPTION_TEXT, .value = "NAME",
     .help = "only of this collection"},
    {.name = "filter", .letter = 'f', .type = OPTION_TEXT, .value = "JSON",
     .help = "as `filters` of the API: {\"department\":\"IT\",\"min_priority\":3}"},
    {.name = "title", .letter = 't', .type = OPTION_TEXT, .value = "WORDS",
     .help = "these stand in the title or the id"},
    {.name = "sort", .letter = 's', .type = OPTION_TEXT, .value = "NAME", .repeated = true,
     .help = "id, title, or a name of the metadata; -NAME, as --sort=-NAME, for descending"},
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000, .help = "so many at most (default: 100)"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row get_options[] = {JSON_OPTION, {0}};
static const struct option_row file_options[] = {
    {.name = "output", .letter = 'o', .type = OPTION_FILE, .value = "PATH",
     .help = "where to; - or absent: standard output"},
    {0}};
static const struct option_row access_options[] = {
    {.name = "user", .type = OPTION_TEXT, .value = "NAME", .help = "may this user see it?"},
    {.name = "role", .type = OPTION_TEXT, .value = "ROLE", .help = "may who has this role?"},
    {.name = "department", .type = OPTION_TEXT, .value = "NAME",
     .help = "the department of who has that role"},
    JSON_OPTION,
    {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List documents, newest first", .options = list_options,
     .run = run_list},
    {.name = "query", .summary = "List documents by what is said of them, in an order",
     .options = query_options, .run = browse},
    {.name = "get", .arguments = "ID", .summary = "Show a document whole",
     .options = get_options, .run = run_get, .least = 1, .most = 1},
    {.name = "passages", .arguments = "ID", .summary = "Show its passages, as searches find them",
     .options = passages_options, .run = run_passages, .least = 1, .most = 1},
    {.name = "delete", .arguments = "ID...", .summary = "Delete documents",
     .run = run_delete, .least = 1, .most = -1},
    {.name = "file", .arguments = "ID", .summary = "Fetch the file that was uploaded",
     .options = file_options, .run = run_file, .least = 1, .most = 1},
    {.name = "access", .arguments = "ID", .summary = "Tell who may see it, and why",
     .options = access_options, .run = run_access, .least = 1, .most = 1},
    {.name = "report", .arguments = "ID", .summary = "Tell what was kept of it, and what not",
     .options = get_options, .run = run_report, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command documents_command = {
    .name = "documents", .summary = "See, fetch and delete documents", .subs = subs};
