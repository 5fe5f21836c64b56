#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "services/search/filter/filter_parser.h"
#include "services/search/filter/geo.h"
#include "shared/date.h"

enum sh_err filter_refuse(struct filter_parser *parser, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    memcpy(parser->problem->field, parser->path, sizeof(parser->path));
    /* what is too long is cut */
    (void)vsnprintf(parser->problem->message, sizeof(parser->problem->message), format,
                    args);
    va_end(args);
    return SH_INVALID;
}

size_t filter_enter(struct filter_parser *parser, const char *separator, const char *name)
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

void filter_leave(struct filter_parser *parser, size_t len)
{
    parser->path[len] = '\0';
}

enum sh_err filter_check_clearance(struct filter_parser *parser, double level)
{
    uint32_t own = parser->caller->clearance;
    if (level <= (own > 0 ? own : 1))
        return SH_OK;
    (void)filter_refuse(parser, "%s is above the clearance of the caller", parser->path);
    return SH_FORBIDDEN;
}

/* A number that a field is compared with; the level of a document has a name in the
 * metadata, too. */
static enum sh_err check_number(struct filter_parser *parser,
                                const struct filter_subject *subject, double number)
{
    bool level =
        subject->field == FIELD_METADATA && sh_bytes_is(subject->key, "clearance_level");
    return level ? filter_check_clearance(parser, number) : SH_OK;
}

enum sh_err filter_add(struct filter_parser *parser, struct filter_node *parent,
                       const struct filter_subject *subject, enum filter_kind kind,
                       struct filter_node **out)
{
    if (++parser->nodes > FILTER_NODES) {
        (void)filter_refuse(parser,
                            "the filter has more than %d conditions, values of lists, "
                            "lists and groups",
                            FILTER_NODES);
        return SH_INVALID; /* in plain sight: *out is unset only then */
    }
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

static enum sh_err parse_equal(struct filter_parser *parser, struct filter_node *parent,
                               const struct filter_subject *subject, const json_t *json)
{
    struct filter_node *node = NULL;
    bool text_only = subject->field != FIELD_METADATA;
    if (text_only && !json_is_string(json))
        return filter_refuse(parser, "%s must be a string", parser->path);
    if (!json_is_string(json) && !json_is_number(json) && !json_is_boolean(json))
        return filter_refuse(parser, "%s must be a string, a number or a boolean",
                             parser->path);
    enum sh_err err = json_is_number(json)
                          ? check_number(parser, subject, json_number_value(json))
                          : SH_OK;
    if (err == SH_OK)
        err = filter_add(parser, parent, subject, FILTER_EQUAL, &node);
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

static enum sh_err parse_list(struct filter_parser *parser, struct filter_node *parent,
                              const struct filter_subject *subject, enum filter_kind kind,
                              const json_t *json)
{
    struct filter_node *node = NULL;
    size_t index = 0;
    json_t *item = NULL;
    if (!json_is_array(json))
        return filter_refuse(parser, "%s must be a list of values", parser->path);
    enum sh_err err = filter_add(parser, parent, NULL, kind, &node);
    json_array_foreach(json, index, item)
    {
        if (err == SH_OK)
            err = parse_equal(parser, node, subject, item);
    }
    return err;
}

/* One end of a range; `op` is gte, gt, lte or lt. All ends of one object are of a kind.
 */
static enum sh_err parse_end(struct filter_parser *parser,
                             const struct filter_subject *subject,
                             struct filter_range *range, bool *dated, const char *op,
                             const json_t *json)
{
    double number = 0;
    bool date = json_is_string(json);
    struct sh_bytes text = {json_string_value(json), json_string_length(json)};
    if (date ? !sh_date_parse(text, &number) : !json_is_number(json))
        return filter_refuse(parser, "%s must be a number or a date like 2024-08-15",
                             parser->path);
    if (*dated && range->dates != date)
        return filter_refuse(parser, "%s: the ends of a range must be of one kind",
                             parser->path);
    *dated = true;
    range->dates = date;
    number = date ? number : json_number_value(json);
    bool open = op[2] == '\0';
    if (!date) { /* levels are whole: below 5 asks for 4 at most */
        double past = op[0] == 'g' ? floor(number) + 1 : ceil(number) - 1;
        enum sh_err err = check_number(parser, subject, open ? past : number);
        if (err != SH_OK)
            return err;
    }
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

static enum sh_err parse_range(struct filter_parser *parser, struct filter_node *parent,
                               const struct filter_subject *subject, json_t *object)
{
    struct filter_node *node = NULL;
    bool dated = false;
    const char *op = NULL;
    json_t *value = NULL;
    if (subject->field != FIELD_METADATA)
        return filter_refuse(parser, "%s cannot be filtered by a range", parser->path);
    enum sh_err err = filter_add(parser, parent, subject, FILTER_RANGE, &node);
    if (err != SH_OK)
        return err;
    node->range =
        (struct filter_range){.low = -(double)INFINITY, .high = (double)INFINITY};
    json_object_foreach(object, op, value)
    {
        if (err != SH_OK || !is_range(op))
            continue;
        size_t back = filter_enter(parser, ".", op);
        err = parse_end(parser, subject, &node->range, &dated, op, value);
        filter_leave(parser, back);
    }
    return err;
}

static enum sh_err geo_number(struct filter_parser *parser, const json_t *object,
                              const char *name, double most, double *out)
{
    size_t back = filter_enter(parser, ".", name);
    const json_t *json = json_object_get(object, name);
    *out = json_number_value(json);
    enum sh_err err = SH_OK;
    if (!json_is_number(json) || !(fabs(*out) <= most))
        err = filter_refuse(parser, "%s must be a number up to %g", parser->path, most);
    filter_leave(parser, back);
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
    memcpy(text + key.len + 1, member, strlen(member) + 1);
    return (struct sh_bytes){text, len};
}

/* What a circle's members are called, and how far its radius may reach. */
static const struct circle {
    const char *shape;
    const char *lat;
    const char *lon;
    const char *radius;
    double most;
    double km; /* of one unit of the radius */
} circles[GEO_SPHERES] = {
    [GEO_GLOBE] = {"{\"lat\",\"lon\",\"radius_km\"}", "lat", "lon", "radius_km", 1e6, 1},
    [GEO_SKY] = {"{\"ra\",\"dec\",\"radius_deg\"}", "dec", "ra", "radius_deg", 180,
                 GEO_RADIUS_KM * 3.14159265358979323846 / 180},
};

static enum sh_err parse_circle(struct filter_parser *parser, struct filter_node *parent,
                                const struct filter_subject *subject,
                                enum geo_sphere sphere, const json_t *json)
{
    const struct circle *circle = &circles[sphere];
    struct filter_node *node = NULL;
    if (subject->field != FIELD_METADATA || !json_is_object(json))
        return filter_refuse(parser, "%s must be %s on metadata", parser->path,
                             circle->shape);
    enum sh_err err = filter_add(parser, parent, subject, FILTER_GEO, &node);
    if (err == SH_OK)
        err = geo_number(parser, json, circle->lat, 90, &node->geo.lat);
    if (err == SH_OK)
        err = geo_number(parser, json, circle->lon, 360, &node->geo.lon);
    if (err == SH_OK)
        err =
            geo_number(parser, json, circle->radius, circle->most, &node->geo.radius_km);
    if (err != SH_OK)
        return err;
    node->geo.sphere = sphere;
    node->geo.radius_km *= circle->km;
    node->geo.lat_key = member_key(parser->arena, subject->key, circle->lat);
    node->geo.lon_key = member_key(parser->arena, subject->key, circle->lon);
    return node->geo.lat_key.data && node->geo.lon_key.data ? SH_OK : SH_NOMEM;
}

static enum sh_err parse_exists(struct filter_parser *parser, struct filter_node *parent,
                                const struct filter_subject *subject, const json_t *json)
{
    struct filter_node *node = NULL;
    if (!json_is_boolean(json))
        return filter_refuse(parser, "%s must be true or false", parser->path);
    enum sh_err err = SH_OK;
    if (json_is_false(json)) {
        err = filter_add(parser, parent, NULL, FILTER_NONE, &node);
        parent = node;
    }
    return err == SH_OK ? filter_add(parser, parent, subject, FILTER_EXISTS, &node) : err;
}

static enum sh_err parse_operator(struct filter_parser *parser,
                                  struct filter_node *parent,
                                  const struct filter_subject *subject, const char *op,
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
        return parse_circle(parser, parent, subject, GEO_GLOBE, value);
    if (strcmp(op, "cone") == 0)
        return parse_circle(parser, parent, subject, GEO_SKY, value);
    return filter_refuse(parser, "%s is not a condition", parser->path);
}

enum sh_err filter_condition(struct filter_parser *parser, struct filter_node *parent,
                             const struct filter_subject *subject, json_t *json)
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
        size_t back = filter_enter(parser, ".", op);
        err = parse_operator(parser, parent, subject, op, value);
        filter_leave(parser, back);
    }
    return err;
}
