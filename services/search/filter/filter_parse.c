#include <math.h>
#include <stdio.h>

#include "services/search/filter/filter_parser.h"

enum { PUBLIC_CLEARANCE = 2 }; /* up to it departments do not matter */

static enum sh_err parse_metadata(struct filter_parser *parser,
                                  struct filter_node *parent, json_t *json)
{
    enum sh_err err = SH_OK;
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(json))
        return filter_refuse(parser, "%s must be an object", parser->path);
    json_object_foreach(json, name, value)
    {
        if (err != SH_OK)
            break;
        struct filter_subject subject = {FIELD_METADATA, {0}};
        subject.key = sh_arena_copy(parser->arena, sh_bytes_of(name));
        if (!subject.key.data)
            return SH_NOMEM;
        size_t back = filter_enter(parser, ".", name);
        err = filter_condition(parser, parent, &subject, value);
        filter_leave(parser, back);
    }
    return err;
}

static enum sh_err check_clearance(struct filter_parser *parser, json_int_t asked)
{
    enum sh_err err = filter_check_clearance(parser, (double)asked);
    if (err != SH_OK)
        return err;
    if (asked >= 4 && parser->caller->department.len == 0) {
        (void)filter_refuse(parser, "%s of 4 or more needs a caller with a department",
                            parser->path);
        return SH_FORBIDDEN;
    }
    return SH_OK;
}

static enum sh_err parse_level(struct filter_parser *parser, struct filter_node *parent,
                               const char *name, const json_t *json)
{
    bool priority = strcmp(name, "min_priority") == 0;
    struct filter_subject subject = {priority ? FIELD_PRIORITY : FIELD_CLEARANCE, {0}};
    struct filter_node *node = NULL;
    json_int_t level = json_integer_value(json);
    if (!json_is_integer(json) || level < (priority ? 0 : 1) || level > 5)
        return filter_refuse(parser, "%s must be a whole number from %d to 5",
                             parser->path, priority ? 0 : 1);
    enum sh_err err = priority ? SH_OK : check_clearance(parser, level);
    if (err == SH_OK)
        err = filter_add(parser, parent, &subject, FILTER_RANGE, &node);
    if (err != SH_OK)
        return err;
    node->range =
        (struct filter_range){.low = -(double)INFINITY, .high = (double)INFINITY};
    if (strcmp(name, "max_clearance") != 0)
        node->range.low = (double)level;
    if (!priority)
        node->range.high = (double)level;
    return SH_OK;
}

static enum sh_err parse_object(struct filter_parser *parser, struct filter_node *parent,
                                json_t *json, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err parse_group(struct filter_parser *parser, struct filter_node *parent,
                               enum filter_kind kind, const json_t *json, int depth)
{
    struct filter_node *node = NULL;
    size_t index = 0;
    json_t *item = NULL;
    if (!json_is_array(json))
        return filter_refuse(parser, "%s must be a list of filters", parser->path);
    if (depth >= FILTER_DEPTH)
        return filter_refuse(parser, "any, all and none are nested deeper than %d levels",
                             FILTER_DEPTH);
    enum sh_err err = filter_add(parser, parent, NULL, kind, &node);
    json_array_foreach(json, index, item)
    {
        char number[24];
        struct filter_node *child = NULL;
        if (err != SH_OK)
            break;
        (void)snprintf(number, sizeof(number), "[%zu]", index);
        size_t back = filter_enter(parser, "", number);
        err = filter_add(parser, node, NULL, FILTER_ALL, &child);
        if (err == SH_OK)
            err = parse_object(parser, child, item, depth + 1);
        filter_leave(parser, back);
    }
    return err;
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err parse_member(struct filter_parser *parser, struct filter_node *parent,
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
        struct filter_subject subject = {columns[i].field, {0}};
        if (strcmp(name, columns[i].name) == 0)
            return filter_condition(parser, parent, &subject, value);
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
    return filter_refuse(parser, "%s is not a filter", parser->path);
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err parse_object(struct filter_parser *parser, struct filter_node *parent,
                                json_t *json, int depth)
{
    enum sh_err err = SH_OK;
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(json))
        return filter_refuse(parser, "%s must be an object", parser->path);
    json_object_foreach(json, name, value)
    {
        if (err != SH_OK)
            break;
        size_t back = filter_enter(parser, ".", name);
        err = parse_member(parser, parent, name, value, depth);
        filter_leave(parser, back);
    }
    return err;
}

static enum sh_err add_clearance(struct filter_parser *parser, struct filter_node *parent,
                                 double above, uint32_t most)
{
    static const struct filter_subject subject = {FIELD_CLEARANCE, {0}};
    struct filter_node *node = NULL;
    enum sh_err err = filter_add(parser, parent, &subject, FILTER_RANGE, &node);
    if (err == SH_OK)
        node->range = (struct filter_range){.low = above, .low_open = true, .high = most};
    return err;
}

static enum sh_err add_own_department(struct filter_parser *parser,
                                      struct filter_node *parent)
{
    static const struct filter_subject subject = {FIELD_DEPARTMENT, {0}};
    struct filter_node *node = NULL;
    enum sh_err err = filter_add(parser, parent, &subject, FILTER_EQUAL, &node);
    if (err == SH_OK)
        node->value = (struct metadata_value){.type = METADATA_TEXT,
                                              .text = parser->caller->department};
    return err;
}

/* What the caller may read: up to the own clearance and, above level 2, of departments
 * within reach. */
static enum sh_err add_rights(struct filter_parser *parser, struct filter_node *root)
{
    const struct caller *caller = parser->caller;
    uint32_t clearance = caller->clearance > 0 ? caller->clearance : 1;
    struct filter_node *either = NULL;
    struct filter_node *both = NULL;
    if (clearance <= PUBLIC_CLEARANCE || caller->all_departments)
        return add_clearance(parser, root, 0, clearance);
    if (caller->department.len == 0)
        return add_clearance(parser, root, 0, PUBLIC_CLEARANCE);
    enum sh_err err = filter_add(parser, root, NULL, FILTER_ANY, &either);
    if (err == SH_OK)
        err = add_clearance(parser, either, 0, PUBLIC_CLEARANCE);
    if (err == SH_OK)
        err = filter_add(parser, either, NULL, FILTER_ALL, &both);
    if (err == SH_OK)
        err = add_clearance(parser, both, PUBLIC_CLEARANCE, clearance);
    return err == SH_OK ? add_own_department(parser, both) : err;
}

enum sh_err filter_compile(struct sh_bytes json, const struct caller *caller,
                           struct sh_arena *arena, struct filter **out,
                           struct filter_problem *problem)
{
    struct filter_parser parser = {
        .caller = caller, .arena = arena, .problem = problem, .path = "filters"};
    struct filter *filter = sh_arena_alloc(arena, sizeof(*filter));
    json_t *root = NULL;
    json_error_t error;
    *out = NULL;
    if (!filter)
        return SH_NOMEM;
    filter->caller = caller;
    enum sh_err err = filter_add(&parser, NULL, NULL, FILTER_ALL, &filter->root);
    if (err == SH_OK) /* first come, last asked: the narrower conditions lead */
        err = add_rights(&parser, filter->root);
    parser.nodes = 0; /* these were not the caller's conditions */
    if (err == SH_OK && json.len > 0) {
        root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, &error);
        err = root ? parse_object(&parser, filter->root, root, 0)
                   : filter_refuse(&parser, "filters must be a JSON object");
    }
    json_decref(root);
    if (err == SH_OK)
        *out = filter;
    return err;
}
