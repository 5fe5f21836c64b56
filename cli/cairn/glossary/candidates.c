/* cairn glossary extract, candidates, accept, reject, reopen, lookup. */
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/follow.h"
#include "cli/cairn/glossary/glossary.h"
#include "cli/cairn/pages.h"
#include "cli/cairn/table.h"

#define BASE "/api/glossary/candidates"

enum { AT_ONCE = 500 }; /* ids that the API takes */

struct named { /* an option, and the member that it becomes */
    const char *option;
    const char *member;
};

static void add_texts(const struct args *args, const struct named *names, size_t count,
                      json_t *body)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = args_text(args, names[i].option);
        if (text)
            json_object_set_new(body, names[i].member, json_string(text));
    }
}

static void add_number(const struct args *args, struct named name, json_t *body)
{
    long number = args_number(args, name.option, -1);
    if (number >= 0)
        json_object_set_new(body, name.member, json_integer(number));
}

/* --- extract, candidates ---------------------------------------------------------- */

int glossary_run_extract(struct cli *cli)
{
    static const struct named texts[] = {{"document", "document_id"},
                                         {"collection", "collection"},
                                         {"language", "language"}};
    json_t *body = json_object();
    add_texts(&cli->args, texts, SH_COUNT(texts), body);
    add_number(&cli->args, (struct named){"min-frequency", "min_frequency"}, body);
    add_number(&cli->args, (struct named){"max-candidates", "max_candidates"}, body);
    int code = cli_send(cli, "POST", "/api/glossary/extract", body);
    return code == CLI_OK ? follow_begun(cli) : code;
}

int glossary_run_candidates(struct cli *cli)
{
    static const struct table_column columns[] = {{"ID", "id", false},
                                                  {"TERM", "term", true},
                                                  {"LANGUAGE", "language", false},
                                                  {"FREQUENCY", "frequency", false},
                                                  {"DOCUMENTS", "documents", false},
                                                  {"SCORE", "score", false},
                                                  {"STATUS", "status", false},
                                                  {0}};
    static const struct named queries[] = {
        {"language", "language"},           {"status", "status"}, {"kind", "kind"},
        {"min-frequency", "min_frequency"}, {"job", "job_id"},    {"sort", "sort"}};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, BASE);
    if (cli->args.word_count > 0)
        api_query(&path, "q", cli->args.words[0]);
    for (size_t i = 0; i < SH_COUNT(queries); i++)
        api_query(&path, queries[i].member, args_text(&cli->args, queries[i].option));
    return pages_print(cli, &path, "candidates", columns);
}

/* --- accept, reject, reopen ------------------------------------------------------- */

static bool is_bad(const json_t *verdict)
{
    const char *outcome = json_string_value(json_object_get(verdict, "outcome"));
    return !outcome || strcmp(outcome, "not_found") == 0 ||
           strcmp(outcome, "conflict") == 0;
}

/* An exit code: CLI_FAILED when one of them could not be judged so. */
static int print_verdicts(const struct cli *cli, const json_t *verdicts)
{
    static const struct table_column columns[] = {{"ID", "id", false},
                                                  {"OUTCOME", "outcome", false},
                                                  {"TERM", "term_id", true},
                                                  {0}};
    int code = answer_rows(cli, verdicts, columns);
    size_t i = 0;
    const json_t *verdict = NULL;
    json_array_foreach(verdicts, i, verdict)
    {
        if (is_bad(verdict))
            code = CLI_FAILED;
    }
    return code;
}

/* So many as go at once, from the word `from` on. */
static int judge_some(struct cli *cli, const char *path, int from)
{
    json_t *ids = json_array();
    for (int i = from; i < cli->args.word_count && i < from + AT_ONCE; i++)
        json_array_append_new(ids, json_string(cli->args.words[i]));
    int code = cli_send(cli, "POST", path, json_pack("{s:o}", "ids", ids));
    json_t *answer = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (answer)
        code = print_verdicts(cli, json_object_get(answer, "results"));
    json_decref(answer);
    return code;
}

static int judge(struct cli *cli, const char *path)
{
    int worst = CLI_OK;
    for (int i = 0; i < cli->args.word_count; i += AT_ONCE) {
        int code = judge_some(cli, path, i);
        worst = code > worst ? code : worst;
        if (code > CLI_FAILED)
            break;
    }
    return worst;
}

/* One, which is to be otherwise than it was found. */
static int accept_as(struct cli *cli, json_t *draft)
{
    char *path = cli_path(BASE "/", cli->args.words[0], "/accept");
    int code = CLI_FAILED;
    if (path)
        code = cli_send(cli, "POST", path, draft);
    else
        json_decref(draft);
    free(path);
    json_t *answer = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (answer)
        code = cli_print_members(answer, args_given(&cli->args, "json"));
    json_decref(answer);
    return code;
}

int glossary_run_accept(struct cli *cli)
{
    static const struct named texts[] = {{"term", "term"},
                                         {"definition", "definition"},
                                         {"domain", "domain"},
                                         {"part-of-speech", "part_of_speech"},
                                         {"sense", "sense"},
                                         {"source", "source"},
                                         {"department", "department"}};
    json_t *draft = json_object();
    add_texts(&cli->args, texts, SH_COUNT(texts), draft);
    add_number(&cli->args, (struct named){"clearance", "clearance_level"}, draft);
    bool changed = json_object_size(draft) > 0;
    if (changed && cli->args.word_count == 1)
        return accept_as(cli, draft);
    json_decref(draft);
    if (!changed)
        return judge(cli, BASE "/accept");
    cli_say("what a draft says otherwise is said of one candidate, not of many");
    return CLI_USAGE;
}

int glossary_run_reject(struct cli *cli)
{
    return judge(cli, BASE "/reject");
}

int glossary_run_reopen(struct cli *cli)
{
    return judge(cli, BASE "/reopen");
}

/* --- lookup ----------------------------------------------------------------------- */

int glossary_run_lookup(struct cli *cli)
{
    static const struct table_column columns[] = {{"TERM", "term", true},
                                                  {"LANGUAGE", "language", false},
                                                  {"DOMAIN", "domain", true},
                                                  {"DEFINITION", "definition", true},
                                                  {0}};
    const char *source = args_text(&cli->args, "source");
    const char *from = args_text(&cli->args, "from");
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s*}", "source", source ? source : "deepl", "term",
                  cli->args.words[0], "to", cli->args.words[1], "from", from);
    if (!body) {
        cli_say("the term or a language is no UTF-8");
        return CLI_USAGE;
    }
    int code = cli_send(cli, "POST", "/api/glossary/lookup", body);
    json_t *answer = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (answer && args_given(&cli->args, "json"))
        code = cli_print_json(answer);
    else if (answer)
        table_print(columns, json_object_get(answer, "answers"));
    json_decref(answer);
    return code;
}
