#include "cli/cairn/graph/graph.h"

#include <string.h>

json_t *graph_joined(const json_t *texts, const char *between)
{
    struct sh_buffer all = {0};
    size_t i = 0;
    const json_t *text = NULL;
    json_array_foreach(texts, i, text)
    {
        sh_buffer_text(&all, i > 0 ? between : "");
        if (json_string_length(text) > 0)
            sh_buffer_append(&all, json_string_value(text), json_string_length(text));
    }
    json_t *joined = json_stringn(all.data ? all.data : "", all.len);
    sh_buffer_free(&all);
    return joined;
}

json_t *graph_node_row(const json_t *node)
{
    json_t *row = json_object();
    json_object_set(row, "id", json_object_get(node, "id"));
    json_object_set_new(row, "labels",
                        graph_joined(json_object_get(node, "labels"), ":"));
    json_object_set(row, "properties", json_object_get(node, "properties"));
    return row;
}

json_t *graph_find(const json_t *nodes, const json_t *id)
{
    size_t i = 0;
    json_t *node = NULL;
    json_array_foreach(nodes, i, node)
    {
        if (json_equal(json_object_get(node, "id"), id))
            return node;
    }
    return NULL;
}

void graph_params(const struct args *args, const char *const *names,
                  struct sh_buffer *path)
{
    for (; *names; names++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s", *names);
        for (char *at = name; *at; at++) /* --max-depth: max_depth */
            if (*at == '-')
                *at = '_';
        api_query(path, name, args_text(args, *names));
    }
}
