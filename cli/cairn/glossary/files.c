/* cairn glossary import, export, relations, relate, unrelate. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/download.h"
#include "cli/cairn/follow.h"
#include "cli/cairn/glossary/glossary.h"

/* --- files ------------------------------------------------------------------------ */

static const struct {
    const char *ending;
    const char *format;
} endings[] = {{".csv", "csv"},  {".tsv", "csv"},   {".xlsx", "xlsx"},
               {".tbx", "tbx"},  {".json", "json"}, {".ndjson", "json"},
               {".rdf", "skos"}, {".skos", "skos"}};

/* NULL: a message is on stderr. */
static const char *format_of(const struct args *args, const char *name)
{
    const char *given = args_text(args, "format");
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; !given && dot && i < SH_COUNT(endings); i++) {
        if (strcasecmp(dot, endings[i].ending) == 0)
            given = endings[i].format;
    }
    if (!given)
        cli_say("%s: --format must say what it is: csv, xlsx, json, tbx or skos", name);
    return given;
}

static size_t on_read(void *arg, char *into, size_t most)
{
    FILE *file = arg;
    size_t len = fread(into, 1, most, file);
    return ferror(file) ? API_BROKEN : len;
}

static bool on_rewind(void *arg)
{
    return fseeko(arg, 0, SEEK_SET) == 0;
}

int glossary_run_import(struct cli *cli)
{
    struct sh_buffer path = {0};
    const char *name = cli->args.words[0];
    const char *format = format_of(&cli->args, name);
    if (!format)
        return CLI_USAGE;
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (!file) {
        cli_say("%s: %s", name, strerror(errno));
        return CLI_FAILED;
    }
    struct api_source source = {
        .read = on_read, .rewind = on_rewind, .arg = file, .size = -1};
    sh_buffer_text(&path, "/api/glossary/import");
    api_query(&path, "format", format);
    api_query_file(&path, name);
    sh_buffer_append(&path, "", 1);
    int code = CLI_FAILED;
    if (path.err == SH_OK)
        code = cli_ask(cli, &(struct api_request){.method = "POST",
                                                  .path = path.data,
                                                  .type = "application/octet-stream",
                                                  .source = &source,
                                                  .patient = true});
    sh_buffer_free(&path);
    if (file != stdin)
        (void)fclose(file); /* only read */
    return code == CLI_OK ? follow_begun(cli) : code;
}

int glossary_run_export(struct cli *cli)
{
    static const char *const names[] = {"format", "language", "domain", "status"};
    const char *format = args_text(&cli->args, "format");
    struct sh_buffer path = {0};
    int code = CLI_FAILED;
    sh_buffer_text(&path, "/api/glossary/export");
    for (size_t i = 0; i < SH_COUNT(names); i++)
        api_query(&path, names[i], args_text(&cli->args, names[i]));
    sh_buffer_append(&path, "", 1);
    if (path.err == SH_OK)
        code = format && strcmp(format, "xlsx") == 0 ? download(cli, path.data)
                                                     : download_text(cli, path.data);
    sh_buffer_free(&path);
    return code;
}

/* --- relations -------------------------------------------------------------------- */

static int print_relations(const struct cli *cli, const json_t *relations)
{
    static const struct table_column columns[] = {
        {"TYPE", "type", false}, {"DIRECTION", "direction", false}, {"ID", "to", true},
        {"TERM", "term", true},  {"LANGUAGE", "language", false},   {0}};
    return answer_rows(cli, relations, columns);
}

static json_t *relation_page(struct cli *cli, const json_t *before, int *code)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/glossary/");
    api_segment(&path, cli->args.words[0]);
    sh_buffer_text(&path, "/relations");
    api_query(&path, "type", args_text(&cli->args, "type"));
    api_query(&path, "cursor", json_string_value(json_object_get(before, "next_cursor")));
    sh_buffer_append(&path, "", 1);
    *code = CLI_FAILED;
    json_t *page = path.err == SH_OK ? cli_get(cli, path.data, code) : NULL;
    sh_buffer_free(&path);
    return page;
}

int glossary_run_relations(struct cli *cli)
{
    json_t *all = json_array();
    json_t *page = NULL;
    int code = CLI_OK;
    do {
        json_t *next = relation_page(cli, page, &code);
        json_decref(page);
        page = next;
        json_array_extend(all, json_object_get(page, "relations"));
    } while (page && json_is_string(json_object_get(page, "next_cursor")));
    if (code == CLI_OK)
        code = print_relations(cli, all);
    json_decref(page);
    json_decref(all);
    return code;
}

int glossary_run_relate(struct cli *cli)
{
    char **words = cli->args.words;
    char *path = cli_path("/api/glossary/", words[0], "/relations");
    json_t *body = json_pack("{s:s, s:s}", "type", words[1], "to", words[2]);
    int code = path ? cli_send(cli, "POST", path, body) : CLI_FAILED;
    free(path);
    json_t *answer = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (answer)
        code = cli_print_members(answer, args_given(&cli->args, "json"));
    json_decref(answer);
    return code;
}

int glossary_run_unrelate(struct cli *cli)
{
    char **words = cli->args.words;
    struct sh_buffer path = {0};
    int code = CLI_FAILED;
    sh_buffer_text(&path, "/api/glossary/");
    api_segment(&path, words[0]);
    sh_buffer_text(&path, "/relations");
    api_query(&path, "type", words[1]);
    api_query(&path, "to", words[2]);
    sh_buffer_append(&path, "", 1);
    if (path.err == SH_OK)
        code =
            cli_ask(cli, &(struct api_request){
                             .method = "DELETE", .path = path.data, .repeatable = true});
    sh_buffer_free(&path);
    return code;
}
