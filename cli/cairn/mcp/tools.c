#include "cli/cairn/mcp/tools.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"

static const struct mcp_tool *const tools[] = {&mcp_search, &mcp_get_document,
                                               &mcp_define_term, &mcp_graph_neighbors};

/* --- arguments -------------------------------------------------------------------- */

static json_t *describe_one(const struct mcp_argument *argument)
{
    static const char *const types[] = {"string", "integer", "string", "object"};
    json_t *schema = json_pack("{s:s, s:s}", "type", types[argument->type], "description",
                               argument->help);
    if (argument->type == MCP_TEXT || argument->type == MCP_NUMBER) {
        bool text = argument->type == MCP_TEXT;
        json_object_set_new(schema, text ? "minLength" : "minimum",
                            json_integer(argument->least));
        json_object_set_new(schema, text ? "maxLength" : "maximum",
                            json_integer(argument->most));
    }
    if (argument->type == MCP_NUMBER)
        json_object_set_new(schema, "default", json_integer(argument->fallback));
    if (argument->type == MCP_CHOICE) {
        json_t *choices = json_array();
        for (const char *const *one = argument->choices; *one; one++)
            json_array_append_new(choices, json_string(*one));
        json_object_set_new(schema, "enum", choices);
    }
    return schema;
}

json_t *mcp_describe(const struct mcp_argument *arguments)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (const struct mcp_argument *one = arguments; one->name; one++) {
        json_object_set_new(properties, one->name, describe_one(one));
        if (one->required)
            json_array_append_new(required, json_string(one->name));
    }
    return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
                     "required", required, "additionalProperties", 0);
}

static size_t characters(const json_t *text)
{
    size_t count = 0;
    for (const char *at = json_string_value(text); at && *at; at++)
        count += ((unsigned char)*at & 0xc0) != 0x80;
    return count;
}

static bool is_choice(const struct mcp_argument *argument, const json_t *value)
{
    const char *text = json_string_value(value);
    for (const char *const *one = argument->choices; text && *one; one++) {
        if (strcmp(*one, text) == 0)
            return true;
    }
    return false;
}

static bool check_one(const struct mcp_argument *argument, const json_t *value,
                      struct mcp_fault *fault)
{
    size_t size = characters(value);
    json_int_t number = json_integer_value(value);
    switch (argument->type) {
    case MCP_TEXT:
        if (json_is_string(value) && size >= (size_t)argument->least &&
            size <= (size_t)argument->most)
            return true;
        mcp_fail(fault, MCP_BAD_PARAMS, "%s must be a text of %ld to %ld characters",
                 argument->name, argument->least, argument->most);
        return false;
    case MCP_NUMBER:
        if (json_is_integer(value) && number >= argument->least &&
            number <= argument->most)
            return true;
        mcp_fail(fault, MCP_BAD_PARAMS, "%s must be a whole number, %ld to %ld",
                 argument->name, argument->least, argument->most);
        return false;
    case MCP_CHOICE:
        if (is_choice(argument, value))
            return true;
        mcp_fail(fault, MCP_BAD_PARAMS, "%s must be one of those that the schema has",
                 argument->name);
        return false;
    case MCP_OBJECT:
    default:
        if (json_is_object(value))
            return true;
        mcp_fail(fault, MCP_BAD_PARAMS, "%s must be an object", argument->name);
        return false;
    }
}

static const struct mcp_argument *argument_of(const struct mcp_argument *arguments,
                                              const char *name)
{
    for (; arguments->name; arguments++) {
        if (strcmp(arguments->name, name) == 0)
            return arguments;
    }
    return NULL;
}

bool mcp_check(const struct mcp_argument *arguments, const json_t *given,
               struct mcp_fault *fault)
{
    const void *at = NULL;
    for (const struct mcp_argument *one = arguments; one->name; one++) {
        const json_t *value = json_object_get(given, one->name);
        if (one->required && (!value || json_is_null(value))) {
            mcp_fail(fault, MCP_BAD_PARAMS, "%s is missing", one->name);
            return false;
        }
        if (value && !json_is_null(value) && !check_one(one, value, fault))
            return false;
    }
    json_t *object = json_incref(sh_unconst(given)); /* iterators take no const */
    for (at = json_object_iter(object); at;
         at = json_object_iter_next(object, sh_unconst(at))) {
        const char *name = json_object_iter_key(sh_unconst(at));
        if (!argument_of(arguments, name)) {
            mcp_fail(fault, MCP_BAD_PARAMS, "there is no argument %.100s", name);
            break;
        }
    }
    json_decref(object);
    return fault->code == 0;
}

const char *mcp_text(const json_t *given, const char *name)
{
    return json_string_value(json_object_get(given, name));
}

long mcp_number(const json_t *given, const struct mcp_tool *tool, const char *name)
{
    const json_t *value = json_object_get(given, name);
    const struct mcp_argument *argument = argument_of(tool->arguments, name);
    if (json_is_integer(value))
        return (long)json_integer_value(value);
    return argument ? argument->fallback : 0;
}

/* --- tools/list, tools/call ------------------------------------------------------- */

json_t *mcp_tools_list(struct mcp *self, const json_t *params, struct mcp_fault *fault)
{
    (void)self;
    if (json_object_get(params, "cursor")) {
        mcp_fail(fault, MCP_BAD_PARAMS, "there is one page only, and no cursor");
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < SH_COUNT(tools); i++)
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:b, s:b, s:b, s:b}}", "name",
                      tools[i]->name, "title", tools[i]->title, "description",
                      tools[i]->help, "inputSchema", mcp_describe(tools[i]->arguments),
                      "annotations", "title", tools[i]->title, "readOnlyHint", 1,
                      "destructiveHint", 0, "idempotentHint", 1, "openWorldHint", 0));
    return json_pack("{s:o}", "tools", list);
}

static const struct mcp_tool *tool_of(const char *name)
{
    for (size_t i = 0; name && i < SH_COUNT(tools); i++) {
        if (strcmp(tools[i]->name, name) == 0)
            return tools[i];
    }
    return NULL;
}

/* What the API refuses is no error of the protocol: the model reads why. */
static json_t *result_of(struct mcp *self, bool good, struct mcp_found *found)
{
    json_t *text =
        good ? json_stringn(found->text.data ? found->text.data : "", found->text.len)
             : json_string(self->reply.error);
    json_t *result = json_pack(
        "{s:[{s:s, s:o}], s:b}", "content", "type", "text", "text",
        text ? text : json_string("the server's words are no UTF-8"), "isError", !good);
    if (good && result)
        json_object_set(result, "structuredContent", found->data);
    return result;
}

json_t *mcp_tools_call(struct mcp *self, const json_t *params, struct mcp_fault *fault)
{
    const char *name = mcp_text(params, "name");
    const struct mcp_tool *tool = tool_of(name);
    const json_t *given = json_object_get(params, "arguments");
    struct mcp_found found = {0};
    if (!tool) {
        mcp_fail(fault, MCP_BAD_PARAMS, "there is no tool %.100s",
                 name ? name : "without a name");
        return NULL;
    }
    if (given && !json_is_object(given)) {
        mcp_fail(fault, MCP_BAD_PARAMS, "arguments must be an object");
        return NULL;
    }
    if (!mcp_check(tool->arguments, given, fault))
        return NULL;
    self->reply.error[0] = '\0';
    bool good = tool->run(self, given, &found);
    json_t *result = found.text.err == SH_OK ? result_of(self, good, &found) : NULL;
    json_decref(found.data);
    sh_buffer_free(&found.text);
    return result;
}

/* --- words ------------------------------------------------------------------------ */

json_t *mcp_pick(const json_t *from, const char *const *names)
{
    json_t *into = json_object();
    for (; *names; names++) {
        json_t *value = json_object_get(from, *names);
        if (value)
            json_object_set(into, *names, value);
    }
    return into;
}

void mcp_write(struct sh_buffer *out, const json_t *value)
{
    if (json_is_string(value)) {
        sh_buffer_append(out, json_string_value(value), json_string_length(value));
        return;
    }
    char *text =
        value && !json_is_null(value)
            ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
            : NULL;
    sh_buffer_text(out, text ? text : "");
    free(text); /* jansson's */
}
