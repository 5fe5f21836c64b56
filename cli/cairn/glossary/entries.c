/* cairn glossary list, search, show, add, edit, validate, deprecate, delete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/glossary/glossary.h"
#include "cli/cairn/pages.h"
#include "cli/cairn/table.h"

#define BASE "/api/glossary/"

/* --- list, search ----------------------------------------------------------------- */

static int print_pages(struct cli *cli, const char *query)
{
    static const struct table_column columns[] = {{"ID", "id", true},
                                                  {"TERM", "term", true},
                                                  {"LANGUAGE", "language", false},
                                                  {"DOMAIN", "domain", true},
                                                  {"STATUS", "status", false},
                                                  {"DEFINITION", "definition", true},
                                                  {0}};
    static const char *const names[] = {"language", "domain", "status", "sort", "mode"};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/glossary");
    api_query(&path, "q", query);
    for (size_t i = 0; i < SH_COUNT(names); i++)
        api_query(&path, names[i], args_text(&cli->args, names[i]));
    return pages_print(cli, &path, "entries", columns);
}

int glossary_run_list(struct cli *cli)
{
    return print_pages(cli, NULL);
}

int glossary_run_search(struct cli *cli)
{
    struct sh_buffer words = {0};
    args_phrase(&cli->args, &words);
    int code = words.err == SH_OK ? print_pages(cli, words.data) : CLI_FAILED;
    sh_buffer_free(&words);
    return code;
}

/* --- one -------------------------------------------------------------------------- */

static int show(struct cli *cli, const json_t *entry)
{
    static const struct table_column columns[] = {
        {"id", "id", false},
        {"term", "term", false},
        {"definition", "definition", false},
        {"language", "language", false},
        {"domain", "domain", false},
        {"part of speech", "part_of_speech", false},
        {"sense", "sense", false},
        {"source", "source", false},
        {"status", "status", false},
        {"clearance", "clearance_level", false},
        {"department", "department", false},
        {"metadata", "metadata", false},
        {"created", "created_at", false},
        {"updated", "updated_at", false},
        {0}};
    if (args_given(&cli->args, "json"))
        return cli_print_json(entry);
    table_print_one(columns, entry);
    return CLI_OK;
}

static int show_reply(struct cli *cli, int code)
{
    json_t *entry = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (entry)
        code = show(cli, entry);
    json_decref(entry);
    return code;
}

int glossary_run_show(struct cli *cli)
{
    char *path = cli_path(BASE, cli->args.words[0], "");
    int code = path ? cli_ask(cli, &(struct api_request){.path = path}) : CLI_FAILED;
    free(path);
    return show_reply(cli, code);
}

/* --- add, edit -------------------------------------------------------------------- */

static const struct {
    const char *option;
    const char *member;
} texts[] = {{"id", "id"},
             {"term", "term"},
             {"definition", "definition"},
             {"language", "language"},
             {"domain", "domain"},
             {"part-of-speech", "part_of_speech"},
             {"sense", "sense"},
             {"source", "source"},
             {"status", "status"},
             {"department", "department"}};

/* What the options say; an empty text takes back what was said. False: a message is on
 * stderr. */
static bool change(const struct args *args, json_t *entry)
{
    json_t *metadata = json_object_get(entry, "metadata");
    long clearance = args_number(args, "clearance", 0);
    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        const char *text = args_text(args, texts[i].option);
        if (text && !*text)
            json_object_del(entry, texts[i].member);
        else if (text)
            json_object_set_new(entry, texts[i].member, json_string(text));
    }
    if (clearance > 0)
        json_object_set_new(entry, "clearance_level", json_integer(clearance));
    if (!args_given(args, "metadata"))
        return true;
    metadata = json_is_object(metadata) ? json_incref(metadata) : json_object();
    bool good = cli_pairs(args, "metadata", metadata);
    json_object_set_new(entry, "metadata", metadata);
    return good;
}

int glossary_run_add(struct cli *cli)
{
    json_t *entry = json_pack("{s:s}", "term", cli->args.words[0]);
    if (!entry)
        cli_say("the term is no UTF-8");
    if (!entry || !change(&cli->args, entry)) {
        json_decref(entry);
        return CLI_USAGE;
    }
    return show_reply(cli, cli_send(cli, "POST", "/api/glossary", entry));
}

/* The entry as it may be sent back; NULL with *code set. */
static json_t *current(struct cli *cli, const char *path, int *code)
{
    json_t *entry = cli_get(cli, path, code);
    json_t *kept = entry ? json_object() : NULL;
    static const char *const others[] = {"clearance_level", "metadata"};
    for (size_t i = 0; kept && i < SH_COUNT(texts) + SH_COUNT(others); i++) {
        const char *member =
            i < SH_COUNT(texts) ? texts[i].member : others[i - SH_COUNT(texts)];
        json_t *value = json_object_get(entry, member);
        if (value && !json_is_null(value))
            json_object_set(kept, member, value);
    }
    json_decref(entry);
    return kept;
}

int glossary_run_edit(struct cli *cli)
{
    int code = CLI_FAILED;
    char *path = cli_path(BASE, cli->args.words[0], "");
    json_t *entry = path ? current(cli, path, &code) : NULL;
    if (entry && !change(&cli->args, entry)) {
        json_decref(entry);
        entry = NULL;
        code = CLI_USAGE;
    }
    if (entry)
        code = show_reply(cli, cli_send(cli, "PUT", path, entry));
    free(path);
    return code;
}

/* --- for each --------------------------------------------------------------------- */

/* The worst of the codes; none stops the rest but what would stop them all. */
static int each(struct cli *cli, int (*act)(struct cli *cli, const char *path),
                const char *done)
{
    int worst = CLI_OK;
    for (int i = 0; i < cli->args.word_count; i++) {
        char *path = cli_path(BASE, cli->args.words[i], "");
        int code = path ? act(cli, path) : CLI_FAILED;
        free(path);
        if (code != CLI_OK)
            cli_say("%s was not %s", cli->args.words[i], done);
        worst = code > worst ? code : worst;
        if (code == CLI_INTERRUPTED || (code == CLI_REFUSED && cli->reply.status != 403))
            return code;
    }
    return worst;
}

static int set_status(struct cli *cli, const char *path, const char *status)
{
    int code = CLI_FAILED;
    json_t *entry = current(cli, path, &code);
    if (!entry)
        return code;
    json_object_set_new(entry, "status", json_string(status));
    return cli_send(cli, "PUT", path, entry);
}

static int validate(struct cli *cli, const char *path)
{
    return set_status(cli, path, "validated");
}

static int deprecate(struct cli *cli, const char *path)
{
    return set_status(cli, path, "deprecated");
}

static int delete (struct cli *cli, const char *path)
{
    return cli_ask(
        cli, &(struct api_request){.method = "DELETE", .path = path, .repeatable = true});
}

int glossary_run_validate(struct cli *cli)
{
    return each(cli, validate, "validated");
}

int glossary_run_deprecate(struct cli *cli)
{
    return each(cli, deprecate, "deprecated");
}

int glossary_run_delete(struct cli *cli)
{
    return each(cli, delete, "deleted");
}
