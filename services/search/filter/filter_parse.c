#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include <jansson.h>

#include "services/search/filter/filter_internal.h"

struct parser {
    const struct caller *caller;
    struct sh_arena *arena;
    struct filter_problem *problem;
    char path[sizeof(((struct filter_problem *)0)->field)];
    size_t nodes;
};

/* What the nodes made from one JSON value have in common. */
struct subject {
    enum filter_field field;
    struct sh_bytes key;
};

__attribute__((format(printf, 2, 3))) static enum sh_err refuse(struct parser *parser,
                                                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    memcpy(parser->problem->field, parser->path, sizeof(parser->path));
    vsnprintf(parser->problem->message, sizeof(parser->problem->message), format, args);
    va_end(args);
    return SH_INVALID;
}

/* Names the member now read; returns the length to go back to. What is too long for the
 * path is cut, between characters. */
static size_t enter(struct parser *parser, const char *separator, const char *name)
{
    size_t len = strlen(parser->path);
    size_t room = sizeof(parser->path) - len;
    int wanted = snprintf(parser->path + len, room, "%s%s", separator, name);
    size_t end = strlen(parser->path);
    if (wanted >= 0 && (size_t)wanted < room)
        return len;
    while (end > len && ((uint8_t)parser->path[end - 1] & 0xc0) == 0x80)
        end--;
    if (end > len && (uint8_t)parser->path[end - 1] >= 0xc0)
        end--;
    parser->path[end] = '\0';
    return len;
}

static void leave(struct parser *parser, size_t len)
{
    parser->path[len] = '\0';
}

static enum sh_err add_node(struct parser *parser, struct filter_node *parent,
                            const struct subject *subject, enum filter_kind kind,
                            struct filter_node **out)
{
    if (++parser->nodes > FILTER_NODES)
        return refuse(parser, "the filter has more than %d conditions", FILTER_NODES);
    struct filter_node *node = sh_arena_alloc(parser->arena, sizeof(*node));
    if (!node)
        return SH_NOMEM;
    node->kind = kind;
    if (subject) {
        node->field = subject->field;
        node->key = subject->key;
        node->hash = metadata_hash(subject->key);
    }
    if (parent) {
        node->next = parent->first;
        parent->first = node;
    }
    *out = node;
    return SH_OK;
}

static enum sh_err parse_equal(struct parser *parser, struct filter_node *parent,
                               const struct subject *subject, const json_t *json)
{
    struct filter_node *node = NULL;
    bool text_only = subject->field != FIELD_METADATA;
    if (text_only && !json_is_string(json))
        return refuse(parser, "%s must be a string", parser->path);
    if (!json_is_string(json) && !json_is_number(json) && !json_is_boolean(json))
        return refuse(parser, "%s must be a string, a number or a boolean", parser->path);
    enum sh_err err = add_node(parser, parent, subject, FILTER_EQUAL, &node);
    if (err != SH_OK)
        return err;
    if (json_is_string(json)) {
        node->value.type = METADATA_TEXT;
        node->value.text =
            sh_arena_copy(parser->arena, (struct sh_bytes){json_string_value(json),
                                                           json_string_length(json)});
        return node->value.text.data || json_string_length(json) == 0 ? SH_OK : SH_NOMEM;
    }
    node->value.type = json_is_number(json) ? METADATA_NUMBER : METADATA_FLAG;
    node->value.number =
        json_is_number(json) ? json_number_value(json) : json_is_true(json);
    return SH_OK;
}

static enum sh_err parse_list(struct parser *parser, struct filter_node *parent,
                              const struct subject *subject, enum filter_kind kind,
                              const json_t *json)
{
    struct filter_node *node = NULL;
    size_t index = 0;
    json_t *item = NULL;
    if (!json_is_array(json))
        return refuse(parser, "%s must be a list of values", parser->path);
    enum sh_err err = add_node(parser, parent, NULL, kind, &node);
    json_array_foreach(json, index, item)
    {
        if (err == SH_OK)
            err = parse_equal(parser, node, subject, item);
    }
    return err;
}

/* One end of a range; `op` is gte, gt, lte or lt. All ends of one object are of a kind.
 */
static enum sh_err parse_end(struct parser *parser, struct filter_range *range,
                             bool *dated, const char *op, const json_t *json)
{
    double number = 0;
    bool date = json_is_string(json);
    struct sh_bytes text = {json_string_value(json), json_string_length(json)};
    if (date ? !metadata_date(text, &number) : !json_is_number(json))
        return refuse(parser, "%s must be a number or a date like 2024-08-15",
                      parser->path);
    if (*dated && range->dates != date)
        return refuse(parser, "%s: the ends of a range must be of one kind",
                      parser->path);
    *dated = true;
    range->dates = date;
    number = date ? number : json_number_value(json);
    bool open = op[2] == '\0';
    if (op[0] == 'g') {
        range->low_open = number > range->low ? open : range->low_open || open;
        range->low = fmax(range->low, number);
    } else {
        range->high_open = number < range->high ? open : range->high_open || open;
        range->high = fmin(range->high, number);
    }
    return SH_OK;
}

static bool is_range(const char *op)
{
    return strcmp(op, "gte") == 0 || strcmp(op, "gt") == 0 || strcmp(op, "lte") == 0 ||
           strcmp(op, "lt") == 0;
}

static enum sh_err parse_range(struct parser *parser, struct filter_node *parent,
                               const struct subject *subject, json_t *object)
{
    struct filter_node *node = NULL;
    bool dated = false;
    const char *op = NULL;
    json_t *value = NULL;
    if (subject->field != FIELD_METADATA)
        return refuse(parser, "%s cannot be filtered by a range", parser->path);
    enum sh_err err = add_node(parser, parent, subject, FILTER_RANGE, &node);
    if (err != SH_OK)
        return err;
    node->range = (struct filter_range){.low = -INFINITY, .high = INFINITY};
    json_object_foreach(object, op, value)
    {
        if (err != SH_OK || !is_range(op))
            continue;
        size_t back = enter(parser, ".", op);
        err = parse_end(parser, &node->range, &dated, op, value);
        leave(parser, back);
    }
    return err;
}

static enum sh_err geo_number(struct parser *parser, const json_t *object,
                              const char *name, double most, double *out)
{
    size_t back = enter(parser, ".", name);
    const json_t *json = json_object_get(object, name);
    *out = json_number_value(json);
    enum sh_err err = SH_OK;
    if (!json_is_number(json) || !(fabs(*out) <= most))
        err = refuse(parser, "%s must be a number up to %g", parser->path, most);
    leave(parser, back);
    return err;
}

static struct sh_bytes member_key(struct sh_arena *arena, struct sh_bytes key,
                                  const char *member)
{
    size_t len = key.len + 1 + strlen(member);
    char *text = sh_arena_alloc(arena, len + 1);
    if (!text)
        return (struct sh_bytes){0};
    memcpy(text, key.data, key.len);
    text[key.len] = '.';
    memcpy(text + key.len + 1, member, strlen(member));
    return (struct sh_bytes){text, len};
}

static enum sh_err parse_geo(struct parser *parser, struct filter_node *parent,
                             const struct subject *subject, const json_t *json)
{
    struct filter_node *node = NULL;
    if (subject->field != FIELD_METADATA || !json_is_object(json))
        return refuse(parser, "%s must be {\"lat\",\"lon\",\"radius_km\"} on metadata",
                      parser->path);
    enum sh_err err = add_node(parser, parent, subject, FILTER_GEO, &node);
    if (err == SH_OK)
        err = geo_number(parser, json, "lat", 90, &node->geo.lat);
    if (err == SH_OK)
        err = geo_number(parser, json, "lon", 360, &node->geo.lon);
    if (err == SH_OK)
        err = geo_number(parser, json, "radius_km", 1e6, &node->geo.radius_km);
    if (err != SH_OK)
        return err;
    node->geo.lat_key = member_key(parser->arena, subject->key, "lat");
    node->geo.lon_key = member_key(parser->arena, subject->key, "lon");
    return node->geo.lat_key.data && node->geo.lon_key.data ? SH_OK : SH_NOMEM;
}

static enum sh_err parse_exists(struct parser *parser, struct filter_node *parent,
                                const struct subject *subject, const json_t *json)
{
    struct filter_node *node = NULL;
    if (!json_is_boolean(json))
        return refuse(parser, "%s must be true or false", parser->path);
    enum sh_err err = SH_OK;
    if (json_is_false(json)) {
        err = add_node(parser, parent, NULL, FILTER_NONE, &node);
        parent = node;
    }
    return err == SH_OK ? add_node(parser, parent, subject, FILTER_EXISTS, &node) : err;
}

static enum sh_err parse_operator(struct parser *parser, struct filter_node *parent,
                                  const struct subject *subject, const char *op,
                                  const json_t *value)
{
    if (strcmp(op, "any") == 0)
        return parse_list(parser, parent, subject, FILTER_ANY, value);
    if (strcmp(op, "all") == 0)
        return parse_list(parser, parent, subject, FILTER_ALL, value);
    if (strcmp(op, "none") == 0)
        return parse_list(parser, parent, subject, FILTER_NONE, value);
    if (strcmp(op, "exists") == 0)
        return parse_exists(parser, parent, subject, value);
    if (strcmp(op, "geo") == 0)
        return parse_geo(parser, parent, subject, value);
    return refuse(parser, "%s is not a condition", parser->path);
}

/* What a field must be: a value, or an object of conditions that must all hold. */
static enum sh_err parse_condition(struct parser *parser, struct filter_node *parent,
                                   const struct subject *subject, json_t *json)
{
    enum sh_err err = SH_OK;
    bool ranged = false;
    const char *op = NULL;
    json_t *value = NULL;
    if (!json_is_object(json))
        return parse_equal(parser, parent, subject, json);
    json_object_foreach(json, op, value)
    {
        if (err != SH_OK)
            break;
        if (is_range(op)) {
            err = ranged ? SH_OK : parse_range(parser, parent, subject, json);
            ranged = true;
            continue;
        }
        size_t back = enter(parser, ".", op);
        err = parse_operator(parser, parent, subject, op, value);
        leave(parser, back);
    }
    return err;
}

static enum sh_err parse_metadata(struct parser *parser, struct filter_node *parent,
                                  json_t *json)
{
    enum sh_err err = SH_OK;
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(json))
        return refuse(parser, "%s must be an object", parser->path);
    json_object_foreach(json, name, value)
    {
        if (err != SH_OK)
            break;
        struct subject subject = {FIELD_METADATA, {0}};
        subject.key = sh_arena_copy(parser->arena, sh_bytes_of(name));
        if (!subject.key.data)
            return SH_NOMEM;
        size_t back = enter(parser, ".", name);
        err = parse_condition(parser, parent, &subject, value);
        leave(parser, back);
    }
    return err;
}

static enum sh_err check_clearance(struct parser *parser, json_int_t asked)
{
    const struct caller *caller = parser->caller;
    uint32_t own = caller->clearance > 0 ? caller->clearance : 1;
    if (asked > own) {
        (void)refuse(parser, "%s is above the clearance of the caller", parser->path);
        return SH_FORBIDDEN;
    }
    if (asked >= 4 && caller->department.len == 0) {
        (void)refuse(parser, "%s of 4 or more needs a caller with a department",
                     parser->path);
        return SH_FORBIDDEN;
    }
    return SH_OK;
}

static enum sh_err parse_level(struct parser *parser, struct filter_node *parent,
                               const char *name, const json_t *json)
{
    bool priority = strcmp(name, "min_priority") == 0;
    struct subject subject = {priority ? FIELD_PRIORITY : FIELD_CLEARANCE, {0}};
    struct filter_node *node = NULL;
    json_int_t level = json_integer_value(json);
    if (!json_is_integer(json) || level < (priority ? 0 : 1) || level > 5)
        return refuse(parser, "%s must be a whole number from %d to 5", parser->path,
                      priority ? 0 : 1);
    enum sh_err err = priority ? SH_OK : check_clearance(parser, level);
    if (err == SH_OK)
        err = add_node(parser, parent, &subject, FILTER_RANGE, &node);
    if (err != SH_OK)
        return err;
    node->range = (struct filter_range){.low = -INFINITY, .high = INFINITY};
    if (strcmp(name, "max_clearance") != 0)
        node->range.low = (double)level;
    if (!priority)
        node->range.high = (double)level;
    return SH_OK;
}

static enum sh_err parse_object(struct parser *parser, struct filter_node *parent,
                                json_t *json, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err parse_group(struct parser *parser, struct filter_node *parent,
                               enum filter_kind kind, const json_t *json, int depth)
{
    struct filter_node *node = NULL;
    size_t index = 0;
    json_t *item = NULL;
    if (!json_is_array(json))
        return refuse(parser, "%s must be a list of filters", parser->path);
    if (depth >= FILTER_DEPTH)
        return refuse(parser, "%s is nested too deep", parser->path);
    enum sh_err err = add_node(parser, parent, NULL, kind, &node);
    json_array_foreach(json, index, item)
    {
        char number[24];
        struct filter_node *child = NULL;
        if (err != SH_OK)
            break;
        snprintf(number, sizeof(number), "[%zu]", index);
        size_t back = enter(parser, "", number);
        err = add_node(parser, node, NULL, FILTER_ALL, &child);
        if (err == SH_OK)
            err = parse_object(parser, child, item, depth + 1);
        leave(parser, back);
    }
    return err;
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err parse_member(struct parser *parser, struct filter_node *parent,
                                const char *name, json_t *value, int depth)
{
    static const struct {
        const char *name;
        enum filter_field field;
    } columns[] = {{"document_id", FIELD_ID},
                   {"collection", FIELD_COLLECTION},
                   {"department", FIELD_DEPARTMENT},
                   {"campus", FIELD_CAMPUS}};
    for (size_t i = 0; i < SH_COUNT(columns); i++) {
        struct subject subject = {columns[i].field, {0}};
        if (strcmp(name, columns[i].name) == 0)
            return parse_condition(parser, parent, &subject, value);
    }
    if (strcmp(name, "min_priority") == 0 || strcmp(name, "max_clearance") == 0 ||
        strcmp(name, "clearance_level") == 0)
        return parse_level(parser, parent, name, value);
    if (strcmp(name, "metadata") == 0)
        return parse_metadata(parser, parent, value);
    if (strcmp(name, "any") == 0)
        return parse_group(parser, parent, FILTER_ANY, value, depth);
    if (strcmp(name, "all") == 0)
        return parse_group(parser, parent, FILTER_ALL, value, depth);
    if (strcmp(name, "none") == 0)
        return parse_group(parser, parent, FILTER_NONE, value, depth);
    return refuse(parser, "%s is not a filter", parser->path);
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err parse_object(struct parser *parser, struct filter_node *parent,
                                json_t *json, int depth)
{
    enum sh_err err = SH_OK;
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(json))
        return refuse(parser, "%s must be an object", parser->path);
    json_object_foreach(json, name, value)
    {
        if (err != SH_OK)
            break;
        size_t back = enter(parser, ".", name);
        err = parse_member(parser, parent, name, value, depth);
        leave(parser, back);
    }
    return err;
}

enum sh_err filter_compile(struct sh_bytes json, const struct caller *caller,
                           struct sh_arena *arena, struct filter **out,
                           struct filter_problem *problem)
{
    struct parser parser = {
        .caller = caller, .arena = arena, .problem = problem, .path = "filters"};
    struct filter *filter = sh_arena_alloc(arena, sizeof(*filter));
    json_t *root = NULL;
    json_error_t error;
    *out = NULL;
    if (!filter)
        return SH_NOMEM;
    filter->caller = caller;
    enum sh_err err = add_node(&parser, NULL, NULL, FILTER_ALL, &filter->root);
    if (err == SH_OK && json.len > 0) {
        root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, &error);
        err = root ? parse_object(&parser, filter->root, root, 0)
                   : refuse(&parser, "filters must be a JSON object");
    }
    json_decref(root);
    if (err == SH_OK)
        *out = filter;
    return err;
}
