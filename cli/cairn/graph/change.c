/* cairn graph create, update, delete, analyse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/follow.h"
#include "cli/cairn/graph/graph.h"

static const char *const ends[] = {"type", "from", "to"};

static bool is_edge(const struct args *args)
{
    for (size_t i = 0; i < SH_COUNT(ends); i++) {
        if (args_given(args, ends[i]))
            return true;
    }
    return args_given(args, "edge");
}

/* What the options say of it; NULL: a message is on stderr. */
static json_t *body_of(const struct args *args)
{
    static const char *const texts[] = {"id", "type", "from", "to", "department"};
    json_t *properties = json_object();
    json_t *body = json_object();
    long clearance = args_number(args, "clearance", 0);
    if (!properties || !body || !cli_pairs(args, "property", properties)) {
        json_decref(properties);
        json_decref(body);
        return NULL;
    }
    json_object_set_new(body, "properties", properties);
    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        const char *text = args_text(args, texts[i]);
        if (text)
            json_object_set_new(body, texts[i], json_string(text));
    }
    if (clearance > 0)
        json_object_set_new(body, "clearance_level", json_integer(clearance));
    return body;
}

static int print_answer(struct cli *cli, int code)
{
    json_t *answer = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (answer)
        code = cli_print_members(answer, args_given(&cli->args, "json"));
    json_decref(answer);
    return code;
}

static json_t *labels_of(const struct args *args)
{
    json_t *labels = json_array();
    size_t at = 0;
    for (const char *text; (text = args_next(args, "label", &at)) != NULL;)
        json_array_append_new(labels, json_string(text));
    return labels;
}

int graph_run_create(struct cli *cli)
{
    const struct args *args = &cli->args;
    bool edge = is_edge(args);
    if (edge && args->word_count > 0) {
        cli_say("a relationship has a type and no labels: %s", args->words[0]);
        return CLI_USAGE;
    }
    json_t *body = body_of(args);
    if (!body)
        return CLI_USAGE;
    if (!edge) {
        json_t *labels = json_array();
        for (int i = 0; i < args->word_count; i++)
            json_array_append_new(labels, json_string(args->words[i]));
        json_object_set_new(body, "labels", labels);
    }
    return print_answer(
        cli, cli_send(cli, "POST", edge ? "/api/graph/edges" : "/api/graph/nodes", body));
}

int graph_run_merge(struct cli *cli)
{
    json_t *body = body_of(&cli->args);
    json_t *key = json_object();
    if (!body || !cli_pairs(&cli->args, "key", key)) {
        json_decref(body);
        json_decref(key);
        return CLI_USAGE;
    }
    json_object_set_new(body, "label", json_string(cli->args.words[0]));
    json_object_set_new(body, "key", key);
    json_object_set_new(body, "labels", labels_of(&cli->args));
    return print_answer(cli, cli_send(cli, "POST", "/api/graph/merge", body));
}

static char *target(const struct args *args, int word, bool edge)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, edge ? "/api/graph/edges/" : "/api/graph/nodes/");
    api_segment(&path, args->words[word]);
    if (args_given(args, "detach"))
        api_query(&path, "detach", "true");
    if (strcmp(args->command->name, "update") == 0 && !args_given(args, "replace"))
        api_query(&path, "merge", "true");
    api_query(&path, "version", args_text(args, "version"));
    sh_buffer_append(&path, "", 1);
    if (path.err == SH_OK)
        return path.data;
    sh_buffer_free(&path);
    return NULL;
}

/* What is not there is not made: that is what create is for. */
static int must_be_there(struct cli *cli, bool edge)
{
    char *path = cli_path(edge ? "/api/graph/edges/" : "/api/graph/nodes/",
                          cli->args.words[0], "");
    int code = path ? cli_ask(cli, &(struct api_request){.path = path}) : CLI_FAILED;
    free(path);
    return code;
}

int graph_run_update(struct cli *cli)
{
    bool edge = is_edge(&cli->args);
    json_t *body = body_of(&cli->args);
    if (!body)
        return CLI_USAGE;
    if (!edge)
        json_object_set_new(body, "labels", labels_of(&cli->args));
    int code = must_be_there(cli, edge);
    char *path = code == CLI_OK ? target(&cli->args, 0, edge) : NULL;
    if (!path) {
        json_decref(body);
        return code != CLI_OK ? code : CLI_FAILED;
    }
    code = print_answer(cli, cli_send(cli, "PUT", path, body));
    free(path);
    return code;
}

/* The worst of the codes; none stops the rest but what would stop them all. */
int graph_run_delete(struct cli *cli)
{
    int worst = CLI_OK;
    for (int i = 0; i < cli->args.word_count; i++) {
        char *path = target(&cli->args, i, is_edge(&cli->args));
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

int graph_run_analyse(struct cli *cli)
{
    static const struct {
        const char *option;
        const char *member;
    } texts[] = {
        {"label", "label"}, {"type", "type"}, {"write-property", "write_property"}};
    json_t *parameters = json_object();
    json_t *body = json_pack("{s:s}", "kind", cli->args.words[0]);
    if (!body || !cli_pairs(&cli->args, "param", parameters)) {
        json_decref(body);
        json_decref(parameters);
        return CLI_USAGE;
    }
    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        const char *text = args_text(&cli->args, texts[i].option);
        if (text)
            json_object_set_new(body, texts[i].member, json_string(text));
    }
    json_object_set_new(body, "parameters", parameters);
    int code = cli_send(cli, "POST", "/api/graph/analysis", body);
    return code == CLI_OK ? follow_begun(cli) : code;
}
