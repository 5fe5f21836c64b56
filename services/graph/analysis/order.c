#include "services/graph/analysis/order.h"

#include <stdio.h>

enum { ITERATIONS_MAX = 1000, TOP_MAX = 100 };

static const char *const kinds[ANALYSIS_KINDS] = {"degree", "pagerank", "components",
                                                  "communities"};

const char *order_kind_name(uint32_t kind)
{
    return kind < ANALYSIS_KINDS ? kinds[kind] : "";
}

static bool copy(struct sh_bytes text, char out[ORDER_NAME_MAX + 1])
{
    if (text.len > ORDER_NAME_MAX || memchr(text.data ? text.data : "", 0, text.len))
        return false;
    (void)snprintf(out, ORDER_NAME_MAX + 1, "%.*s", (int)text.len,
                   text.data ? (const char *)text.data : "");
    return true;
}

/* Written so that what is no number is out of range as well. */
static const char *fault_of(const struct analysis_order *order)
{
    if (order->kind >= ANALYSIS_KINDS)
        return "kind";
    if (!(order->damping >= 0 && order->damping < 1))
        return "parameters.damping";
    if (!(order->tolerance >= 0 && order->tolerance <= 1))
        return "parameters.tolerance";
    if (order->iterations < 1 || order->iterations > ITERATIONS_MAX)
        return "parameters.max_iterations";
    if (!(order->resolution > 0 && order->resolution <= 1000))
        return "parameters.resolution";
    if (order->direction > 2)
        return "parameters.direction";
    return order->top > TOP_MAX ? "parameters.top" : NULL;
}

enum sh_err order_read(const struct graph_analysis *asked, struct analysis_order *out,
                       const char **field)
{
    *out = (struct analysis_order){.kind = asked->kind,
                                   .direction = asked->direction,
                                   .damping = asked->damping,
                                   .tolerance = asked->tolerance,
                                   .iterations = asked->iterations,
                                   .resolution = asked->resolution,
                                   .top = asked->top};
    *field = fault_of(out);
    if (!copy(asked->label, out->label))
        *field = "label";
    if (!copy(asked->type, out->type))
        *field = "type";
    if (!copy(asked->write_property, out->property))
        *field = "write_property";
    return *field ? SH_INVALID : SH_OK;
}

char *order_write(const struct analysis_order *order)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:f, s:f, s:I, s:f, s:I}", "kind",
                  order_kind_name(order->kind), "label", order->label, "type",
                  order->type, "write_property", order->property, "direction",
                  (json_int_t)order->direction, "damping", order->damping, "tolerance",
                  order->tolerance, "max_iterations", (json_int_t)order->iterations,
                  "resolution", order->resolution, "top", (json_int_t)order->top);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

static struct sh_bytes text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return sh_bytes_of(text ? text : "");
}

static uint32_t number_of(const json_t *json, const char *name)
{
    json_int_t number = json_integer_value(json_object_get(json, name));
    return number >= 0 && number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

enum sh_err order_parse(struct sh_bytes text, struct analysis_order *out)
{
    json_t *json = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
    struct sh_bytes kind = text_of(json, "kind");
    struct graph_analysis asked = {
        .kind = ANALYSIS_KINDS,
        .label = text_of(json, "label"),
        .type = text_of(json, "type"),
        .write_property = text_of(json, "write_property"),
        .direction = number_of(json, "direction"),
        .damping = json_number_value(json_object_get(json, "damping")),
        .tolerance = json_number_value(json_object_get(json, "tolerance")),
        .iterations = number_of(json, "max_iterations"),
        .resolution = json_number_value(json_object_get(json, "resolution")),
        .top = number_of(json, "top")};
    const char *field;
    for (uint32_t i = 0; i < ANALYSIS_KINDS; i++)
        if (sh_bytes_is(kind, kinds[i]))
            asked.kind = i;
    enum sh_err err = order_read(&asked, out, &field);
    json_decref(json);
    return err == SH_OK ? SH_OK : SH_MALFORMED;
}
