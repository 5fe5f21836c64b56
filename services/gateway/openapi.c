#include "services/gateway/openapi.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/routes/also.h"

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, name, json_string(text));
}

static json_t *reference(const char *name)
{
    return json_pack("{s:s+}", "$ref", "#/components/schemas/", name);
}

/* --- requests --------------------------------------------------------------------- */

static json_t *describe(const struct schema *schema);

static void set_limits(json_t *json, const struct schema_field *field)
{
    bool text = field->type == SCHEMA_TEXT;
    bool list = field->type == SCHEMA_LIST;

    if (field->type == SCHEMA_INTEGER || field->type == SCHEMA_NUMBER) {
        json_object_set_new(json, "minimum", json_real(field->least));
        json_object_set_new(json, "maximum", json_real(field->most));
    }
    if ((text || list) && field->least > 0)
        json_object_set_new(json, text ? "minLength" : "minItems",
                            json_integer((json_int_t)field->least));
    if ((text || list) && field->most > 0)
        json_object_set_new(json, text ? "maxLength" : "maxItems",
                            json_integer((json_int_t)field->most));
}

static json_t *describe_field(const struct schema_field *field)
{
    json_t *json = json_object();

    set_text(json, "type", schema_type_name(field->type));
    set_limits(json, field);
    if (field->type == SCHEMA_TEXTS)
        json_object_set_new(json, "oneOf",
                            json_pack("[{s:s},{s:s,s:i,s:{s:s}}]", "type", "string",
                                      "type", "array", "maxItems", (int)field->most,
                                      "items", "type", "string"));
    if (field->type == SCHEMA_CHOICE) {
        json_t *values = json_array();
        for (size_t i = 0; field->choices[i] != NULL; i++)
            json_array_append_new(values, json_string(field->choices[i]));
        json_object_set_new(json, "enum", values);
    }
    if (field->type == SCHEMA_LIST)
        json_object_set_new(json, "items", describe(field->of));
    if (field->type == SCHEMA_OBJECT) {
        json_decref(json);
        json = describe(field->of);
    }
    if (field->fallback != NULL)
        json_object_set_new(json, "default",
                            json_loads(field->fallback, JSON_DECODE_ANY, NULL));
    set_text(json, "description", field->help);
    return json;
}

static json_t *describe(const struct schema *schema)
{
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        json_object_set_new(properties, field->name, describe_field(field));
        if (field->required)
            json_array_append_new(required, json_string(field->name));
    }
    json_t *json = json_pack("{s:s,s:o}", "type", "object", "properties", properties);
    set_text(json, "description", schema->help);
    if (json_array_size(required) > 0)
        json_object_set_new(json, "required", required);
    else
        json_decref(required);
    return json;
}

/* --- operations ------------------------------------------------------------------- */

static json_t *parameters_of(const struct route *route)
{
    json_t *all = json_array();
    const char *brace = strchr(route->path, '{');

    if (brace != NULL) {
        json_t *one = json_pack("{s:s%,s:s,s:b,s:{s:s}}", "name", brace + 1,
                                strcspn(brace + 1, "}"), "in", "path", "required", 1,
                                "schema", "type", "string");
        json_array_append_new(all, one);
    }
    for (const struct route_param *p = route->params; p != NULL && p->name != NULL; p++) {
        json_t *one = json_pack("{s:s,s:s,s:{s:s}}", "name", p->name, "in", "query",
                                "schema", "type", p->type);
        set_text(one, "description", p->help);
        json_array_append_new(all, one);
    }
    return all;
}

static bool is_media(const char *answer)
{
    return answer != NULL && strchr(answer, '/') != NULL;
}

/* `type`: of an answer that has a shape. */
static json_t *content_of(const char *answer, const char *type)
{
    if (is_media(answer))
        return json_pack("{s:{s:{s:s}}}", answer, "schema", "type", "string");
    return json_pack("{s:{s:o}}", type, "schema", reference(answer));
}

/* What an error looks like: the routes of another API have its shape. */
static json_t *problem_of(const struct route *route)
{
    const char *type = "application/json", *shape = "OllamaError";

    if ((route->flags & ROUTE_AS_OPENAI) != 0)
        shape = "OpenAIError";
    else if ((route->flags & ROUTE_AS_OLLAMA) == 0) {
        type = "application/problem+json";
        shape = "Problem";
    }
    return json_pack("{s:s,s:{s:{s:o}}}", "description", "What went wrong", "content",
                     type, "schema", reference(shape));
}

static void add_response(json_t *responses, int status, const char *help, json_t *content)
{
    json_t *response = json_pack("{s:s,s:o*}", "description", help, "content", content);
    char number[12];

    (void)snprintf(number, sizeof number, "%d", status);
    json_object_set_new(responses, number, response);
}

/* The usual one comes first. */
static json_t *responses_of(const struct route *route)
{
    bool lines = (route->flags & ROUTE_LINES) != 0;
    json_t *responses = json_object();
    json_t *content = NULL;

    if (route->answer != NULL)
        content = content_of(route->answer,
                             lines ? "application/x-ndjson" : "application/json");
    add_response(responses, route->success, route->summary, content);
    for (const struct route_also *one = routes_also(route->operation, NULL); one != NULL;
         one = routes_also(route->operation, one)) {
        bool problem = one->answer != NULL && strcmp(one->answer, "Problem") == 0;
        content = NULL;
        if (one->answer != NULL)
            content = content_of(one->answer, problem ? "application/problem+json"
                                                      : "application/json");
        add_response(responses, one->status, one->help, content);
    }
    json_object_set_new(responses, "default", problem_of(route));
    return responses;
}

/* JSON, or a file of whatever type where there is no schema. */
static json_t *body_of(const struct route *route)
{
    json_t *content = json_object();

    if (route->body != NULL)
        json_object_set_new(content, "application/json",
                            json_pack("{s:o}", "schema", reference(route->body->name)));
    else
        json_object_set_new(content, "*/*",
                            json_pack("{s:{s:s,s:s}}", "schema", "type", "string",
                                      "contentMediaType", "application/octet-stream"));
    if ((route->flags & ROUTE_FORM) != 0)
        json_object_set_new(content, "multipart/form-data",
                            json_pack("{s:o}", "schema", reference("Upload")));
    return json_pack("{s:b,s:o}", "required", 1, "content", content);
}

static json_t *operation_of(const struct route *route)
{
    json_t *operation =
        json_pack("{s:s,s:s,s:[s],s:o}", "operationId", route->operation, "summary",
                  route->summary, "tags", route->tag, "responses", responses_of(route));
    json_t *parameters = parameters_of(route);

    if (json_array_size(parameters) > 0)
        json_object_set_new(operation, "parameters", parameters);
    else
        json_decref(parameters);
    if (route->body != NULL ||
        ((route->flags & ROUTE_UPLOAD) != 0 && !is_media(route->answer)))
        json_object_set_new(operation, "requestBody", body_of(route));
    else if (route->method == ROUTE_POST && is_media(route->answer))
        json_object_set_new(operation, "requestBody",
                            json_pack("{s:b,s:{s:{s:{s:s}}}}", "required", 1, "content",
                                      route->answer, "schema", "type", "string"));
    return operation;
}

/* What a caller may need is said by name: which role has it is set from outside. */
static void add_permission(json_t *operation, const struct route *route)
{
    if (route->permission == PERMIT_PUBLIC)
        json_object_set_new(operation, "security", json_array());
    else
        json_object_set_new(operation, "x-permission",
                            json_string(permission_name(route->permission)));
}

/* The ways to show who one is, and none of them. */
static void add_security(json_t *document)
{
    json_object_set_new(
        document, "security",
        json_pack("[{},{s:[]},{s:[]},{s:[]}]", "token", "key", "session"));
    json_object_set_new(
        json_object_get(document, "components"), "securitySchemes",
        json_pack("{s:{s:s,s:s,s:s},s:{s:s,s:s,s:s},s:{s:s,s:s,s:s}}", "token", "type",
                  "http", "scheme", "bearer", "bearerFormat", "JWT", "key", "type",
                  "apiKey", "in", "header", "name", "X-API-Key", "session", "type",
                  "apiKey", "in", "cookie", "name", "cairn_session", "description",
                  "__Host-cairn_session where it goes by TLS only"));
}

static void add_path(json_t *paths, const struct route *route)
{
    static const char *const names[] = {"get", "post", "put", "delete"};
    json_t *path = json_object_get(paths, route->path);

    if (path == NULL) {
        path = json_object();
        json_object_set_new(paths, route->path, path);
    }
    json_t *operation = operation_of(route);
    add_permission(operation, route);
    json_object_set_new(path, names[route->method], operation);
}

static enum sh_err dump(json_t *json, struct sh_buffer *out)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));

    if (text == NULL)
        return SH_NOMEM;
    sh_buffer_text(out, text);
    free(text);
    return out->err;
}

enum sh_err openapi_write(const struct route *table, size_t count, struct sh_buffer *out)
{
    json_t *schemas = openapi_answers();
    json_t *paths = json_object();
    enum sh_err err = schemas != NULL ? SH_OK : SH_INTERNAL;

    for (size_t i = 0; i < count && err == SH_OK; i++) {
        const struct route *route = &table[i];
        if ((route->flags & ROUTE_HIDDEN) != 0)
            continue;
        add_path(paths, route);
        if (route->body != NULL)
            json_object_set_new(schemas, route->body->name, describe(route->body));
        if (route->answer != NULL && !is_media(route->answer) &&
            json_object_get(schemas, route->answer) == NULL)
            err = SH_INTERNAL;
    }
    json_t *document = json_pack(
        "{s:s,s:{s:s,s:s,s:s,s:{s:s,s:s}},s:o,s:{s:o}}", "openapi", "3.1.0", "info",
        "title", "Cairn", "version", CAIRN_VERSION, "description",
        "Search, documents, embeddings, graph and backups. Every /api/ path also answers "
        "under /api/v1/.",
        "license", "name", "Apache-2.0", "identifier", "Apache-2.0", "paths", paths,
        "components", "schemas", schemas);
    if (document != NULL)
        add_security(document);
    if (err == SH_OK)
        err = document != NULL ? dump(document, out) : SH_NOMEM;
    json_decref(document);
    return err;
}
