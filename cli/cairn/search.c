/* cairn search: ask, and read what is found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/table.h"
#include "cli/cairn/terminal.h"
#include "cli/cairn/text.h"

enum { INDENT = 4, PASSAGE_BYTES = 600 };

/* --- the question ----------------------------------------------------------------- */

static json_t *config_of(const struct args *args)
{
    const char *mode = args_text(args, "mode");
    json_t *config = json_pack(
        "{s:I, s:I, s:b}", "max_results", (json_int_t)args_number(args, "max", 10),
        "offset", (json_int_t)args_number(args, "offset", 0), "highlight", 1);
    if (config && mode)
        json_object_set_new(config, "mode", json_string(mode));
    if (config && args_given(args, "explain"))
        json_object_set_new(config, "explain", json_true());
    return config;
}

/* One collection is a filter of its own; several are alternatives. */
static bool add_collections(const struct args *args, json_t *filters)
{
    json_t *any = json_array();
    size_t at = 0;
    for (const char *name; (name = args_next(args, "collection", &at)) != NULL;)
        json_array_append_new(any, json_pack("{s:s}", "collection", name));
    bool good = any != NULL;
    if (json_array_size(any) == 1)
        good = json_object_update(filters, json_array_get(any, 0)) == 0;
    else if (json_array_size(any) > 1 && json_object_get(filters, "any"))
        good = json_object_set_new(filters, "all", json_pack("[{s:O}]", "any", any)) == 0;
    else if (json_array_size(any) > 1)
        good = json_object_set(filters, "any", any) == 0;
    json_decref(any);
    return good;
}

/* NULL after a message. */
static json_t *filters_of(const struct args *args)
{
    const char *text = args_text(args, "filter");
    json_error_t error;
    json_t *filters = text ? json_loads(text, 0, &error) : json_object();
    if (!filters || !json_is_object(filters)) {
        cli_say("--filter is no JSON object: %s", filters ? text : error.text);
        json_decref(filters);
        return NULL;
    }
    if (json_object_get(filters, "all") && json_object_get(filters, "any") &&
        args_given(args, "collection")) {
        cli_say("--filter has any and all: name the collection there, too");
        json_decref(filters);
        return NULL;
    }
    if (!add_collections(args, filters)) {
        json_decref(filters);
        return NULL;
    }
    return filters;
}

/* The words are one query, as they would be typed. */
static char *query_of(const struct args *args)
{
    struct sh_buffer query = {0};
    args_phrase(args, &query);
    return query.data;
}

/* "staff" or "staff:IT Services", for a server that believes what it is told. */
static json_t *user_of(const struct args *args)
{
    const char *text = args_text(args, "as");
    if (!text)
        return NULL;
    size_t role = strcspn(text, ":");
    json_t *user = json_pack("{s:s, s:s%}", "user_id", "cairn", "role", text, role);
    if (user && text[role])
        json_object_set_new(user, "department", json_string(text + role + 1));
    return user;
}

/* "all": those that the server chooses. NULL: none are wanted. */
static json_t *facets_of(const struct args *args)
{
    if (!args_given(args, "facet"))
        return NULL;
    json_t *fields = json_array();
    size_t at = 0;
    bool all = false;
    for (const char *name; (name = args_next(args, "facet", &at)) != NULL;) {
        all = all || strcmp(name, "all") == 0;
        json_array_append_new(fields, json_string(name));
    }
    if (!all)
        return json_pack("{s:o}", "fields", fields);
    json_decref(fields);
    return json_object();
}

static char *body_of(const struct args *args)
{
    json_t *filters = filters_of(args);
    if (!filters)
        return NULL;
    char *query = query_of(args);
    json_t *body = json_pack("{s:s, s:o, s:o}", "query", query ? query : "", "filters",
                             filters, "config", config_of(args));
    json_t *user = user_of(args);
    if (body && user)
        json_object_set(body, "user", user);
    json_t *facets = facets_of(args);
    if (body && facets)
        json_object_set(body, "facets", facets);
    json_decref(facets);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (!text)
        cli_say("that is no text in UTF-8");
    json_decref(user);
    json_decref(body);
    free(query);
    return text;
}

/* --- the answer ------------------------------------------------------------------- */

static struct sh_bytes member(const json_t *hit, const char *name)
{
    const json_t *value = json_object_get(hit, name);
    return (struct sh_bytes){json_is_string(value) ? json_string_value(value) : "",
                             json_is_string(value) ? json_string_length(value) : 0};
}

static void add_title(struct sh_buffer *out, const json_t *hit, size_t number,
                      const struct terminal *terminal)
{
    struct sh_bytes section = member(hit, "section_title");
    json_int_t page = json_integer_value(json_object_get(hit, "page_number"));
    sh_buffer_printf(out, "%2zu. %s", number, terminal_bold(terminal));
    text_clean(out, member(hit, "document_title"), TEXT_ONE_LINE);
    sh_buffer_text(out, terminal_plain(terminal));
    if (section.len > 0) {
        sh_buffer_text(out, ": ");
        text_clean(out, section, TEXT_ONE_LINE);
    }
    if (page > 0)
        sh_buffer_printf(out, ", page %" JSON_INTEGER_FORMAT, page);
    sh_buffer_text(out, "\n");
}

static void add_passage(struct sh_buffer *out, const json_t *hit,
                        const struct terminal *terminal)
{
    struct sh_buffer text = {0};
    struct sh_bytes highlight = member(hit, "highlight");
    struct sh_bytes whole = member(hit, "text");
    if (highlight.len > 0)
        text_marked(&text, highlight, terminal_mark(terminal), terminal_plain(terminal));
    else
        text_fit(&text, whole, PASSAGE_BYTES, false);
    text_wrap(out, sh_buffer_bytes(&text), terminal->columns, INDENT);
    sh_buffer_free(&text);
}

static void add_source(struct sh_buffer *out, const json_t *hit,
                       const struct terminal *terminal)
{
    double score = json_number_value(json_object_get(hit, "combined_score"));
    sh_buffer_printf(out, "    %s%.3f  ", terminal_faint(terminal), score);
    text_clean(out, member(hit, "document_id"), TEXT_ONE_LINE);
    sh_buffer_printf(out, "%s\n", terminal_plain(terminal));
}

static void add_explanation(struct sh_buffer *out, const json_t *hit,
                            const struct terminal *terminal)
{
    struct sh_buffer text = {0};
    struct sh_buffer clean = {0};
    if (!json_object_get(hit, "explanation"))
        return;
    table_value(&text, hit, "explanation");
    text_clean(&clean, sh_buffer_bytes(&text), TEXT_ONE_LINE);
    text_wrap(out, sh_buffer_bytes(&clean), terminal->columns, INDENT);
    sh_buffer_free(&text);
    sh_buffer_free(&clean);
}

static void print_for_reading(const json_t *answer, size_t offset,
                              const struct terminal *terminal)
{
    const json_t *results = json_object_get(answer, "results");
    struct sh_buffer out = {0};
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *hit = json_array_get(results, i);
        add_title(&out, hit, offset + i + 1, terminal);
        add_passage(&out, hit, terminal);
        add_source(&out, hit, terminal);
        add_explanation(&out, hit, terminal);
        sh_buffer_text(&out, "\n");
    }
    if (out.err == SH_OK && out.len > 0)
        (void)fwrite(out.data, 1, out.len, stdout);
    sh_buffer_free(&out);
}

/* "department: IT Services 12, Library 3" */
static void print_facets(const json_t *answer)
{
    const json_t *fields = json_object_get(json_object_get(answer, "facets"), "fields");
    struct sh_buffer out = {0};
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const json_t *values = json_object_get(field, "values");
        text_clean(&out, member(field, "field"), TEXT_ONE_LINE);
        for (size_t v = 0; v < json_array_size(values); v++) {
            struct sh_buffer value = {0};
            table_value(&value, json_array_get(values, v), "value");
            sh_buffer_text(&out, v == 0 ? ": " : ", ");
            text_clean(&out, sh_buffer_bytes(&value), TEXT_ONE_LINE);
            sh_buffer_printf(
                &out, " %" JSON_INTEGER_FORMAT,
                json_integer_value(json_object_get(json_array_get(values, v), "count")));
            sh_buffer_free(&value);
        }
        sh_buffer_text(&out, "\n");
    }
    if (out.err == SH_OK && out.len > 0)
        (void)fwrite(out.data, 1, out.len, stdout);
    sh_buffer_free(&out);
}

/* A line a result: score, document, title, section, passage. */
static void print_plain(const json_t *answer)
{
    static const struct table_column columns[] = {{"score", "combined_score", false},
                                                  {"document", "document_id", false},
                                                  {"title", "document_title", false},
                                                  {"section", "section_title", false},
                                                  {"page", "page_number", false},
                                                  {"text", "text", false},
                                                  {0}};
    table_print(columns, json_object_get(answer, "results"));
}

static void say_what_is_missing(const json_t *answer, size_t offset)
{
    const json_t *degraded = json_object_get(answer, "degraded");
    json_int_t total = json_integer_value(json_object_get(answer, "total"));
    size_t shown = json_array_size(json_object_get(answer, "results"));
    for (size_t i = 0; i < json_array_size(degraded); i++)
        cli_say("without %s: it was out, or there was no time for it",
                json_string_value(json_array_get(degraded, i)));
    if (shown == 0)
        cli_say("nothing found");
    else if (terminal_of(stdout).is_one && total > 0 && offset + shown < (size_t)total)
        cli_say("%zu of %lld; go on with --offset %zu", shown, (long long)total,
                offset + shown);
}

static int show(struct cli *cli)
{
    struct terminal terminal = terminal_of(stdout);
    size_t offset = (size_t)args_number(&cli->args, "offset", 0);
    json_t *answer = api_json(&cli->reply);
    int code = CLI_OK;
    if (!answer) {
        cli_say("%s", cli->reply.error);
        return CLI_FAILED;
    }
    if (args_given(&cli->args, "json")) {
        code = cli_print_json(answer);
    } else {
        if (terminal.is_one)
            print_for_reading(answer, offset, &terminal);
        else
            print_plain(answer);
        if (terminal.is_one)
            print_facets(answer);
        (void)fflush(stdout);
        say_what_is_missing(answer, offset);
    }
    json_decref(answer);
    return code;
}

static int run_search(struct cli *cli)
{
    char *body = body_of(&cli->args);
    if (!body)
        return CLI_USAGE;
    int code = cli_ask(cli, &(struct api_request){.method = "POST",
                                                  .path = "/api/search",
                                                  .body = sh_bytes_of(body),
                                                  .repeatable = true});
    free(body); /* jansson's */
    return code == CLI_OK ? show(cli) : code;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "mode", .letter = 'm', .type = OPTION_CHOICE, .value = "MODE",
     .choices = "hybrid vector text", .help = "by words, by meaning, or both"},
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000, .help = "results, at most what one's role allows (default 10)"},
    {.name = "offset", .type = OPTION_NUMBER, .value = "N", .most = 1000000,
     .help = "results to skip"},
    {.name = "collection", .letter = 'c', .type = OPTION_TEXT, .value = "NAME",
     .repeated = true, .help = "only of this collection"},
    {.name = "filter", .type = OPTION_TEXT, .value = "JSON",
     .help = "as `filters` of the API: {\"department\":\"IT\",\"min_priority\":3}"},
    {.name = "facet", .type = OPTION_TEXT, .value = "NAME", .repeated = true,
     .help = "count what matches by this: collection, a name of the metadata, or all; on a "
             "terminal, or with --json"},
    {.name = "as", .type = OPTION_TEXT, .value = "ROLE[:DEPARTMENT]",
     .help = "with fewer rights; a server without login takes any"},
    {.name = "explain", .help = "how each result came to its score"},
    {.name = "json", .help = "the answer as it is"},
    {0}};
/* clang-format on */

const struct command search_command = {
    .name = "search",
    .arguments = "QUERY...",
    .summary = "Find passages",
    .details =
        "\"A phrase\" in quotes and +word must be in a result, -word must not, word* "
        "finds what begins so; put -- before a query that begins with a hyphen. Piped, "
        "each result is a line: score, document, title, section, page, text, separated "
        "by tabs.",
    .options = options,
    .run = run_search,
    .least = 1,
    .most = -1};
