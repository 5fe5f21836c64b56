#include "services/gateway/handlers/graph_format.h"

#include <strings.h>

static const struct {
    const char *name;
    const char *type;
} formats[] = {
    [GRAPH_NDJSON] = {"ndjson", "application/x-ndjson"},
    [GRAPH_CSV] = {"csv", "text/csv; charset=utf-8"},
    [GRAPH_GRAPHML] = {"graphml", "application/graphml+xml"},
};

static const struct {
    const char *type;
    enum graph_format format;
} types[] = {
    {"text/csv", GRAPH_CSV},
    {"application/csv", GRAPH_CSV},
    {"application/graphml+xml", GRAPH_GRAPHML},
    {"application/xml", GRAPH_GRAPHML},
    {"text/xml", GRAPH_GRAPHML},
    {"application/x-ndjson", GRAPH_NDJSON},
    {"application/ndjson", GRAPH_NDJSON},
    {"application/jsonl", GRAPH_NDJSON},
    {"application/json", GRAPH_NDJSON},
};

static bool from_type(struct sh_bytes type, enum graph_format *out)
{
    for (size_t i = 0; i < SH_COUNT(types); i++) {
        size_t len = strlen(types[i].type);
        if (type.len >= len && strncasecmp(type.data, types[i].type, len) == 0) {
            *out = types[i].format;
            return true;
        }
    }
    return false;
}

bool graph_format_read(struct exchange *x, enum graph_format *out)
{
    struct sh_bytes name;

    *out = GRAPH_NDJSON;
    if (!exchange_query_text(x, "format", 16, &name))
        return false;
    for (size_t i = 0; i < SH_COUNT(formats); i++)
        if (sh_bytes_is(name, formats[i].name)) {
            *out = (enum graph_format)i;
            return true;
        }
    if (name.len > 0) {
        exchange_invalid(x, "format", "format must be ndjson, csv or graphml");
        return false;
    }
    if (x->route->method == ROUTE_GET ||
        from_type(sh_http_header(x->request, "Content-Type"), out))
        return true;
    exchange_fail(x, &(struct sh_problem){
                         .status = 415,
                         .code = "unsupported_media_type",
                         .error = "send Content-Type: application/x-ndjson, text/csv or "
                                  "application/graphml+xml, or say ?format="});
    return false;
}

const char *graph_format_name(enum graph_format format)
{
    return formats[format].name;
}

const char *graph_format_type(enum graph_format format)
{
    return formats[format].type;
}
