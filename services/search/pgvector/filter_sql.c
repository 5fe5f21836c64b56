#include "services/search/pgvector/filter_sql.h"

#include <math.h>

#include "services/search/filter/campus.h"
#include "services/search/filter/filter_internal.h"

static const double LEVEL_BOUND = 1000; /* beyond every priority and clearance */

/* --- metadata --------------------------------------------------------------------- */

static bool is_column(struct sh_bytes key)
{
    static const char *const names[] = {"department", "campus", "priority",
                                        "clearance_level", "last_reviewed"};

    for (size_t i = 0; i < SH_COUNT(names); i++) {
        if (sh_bytes_is(key, names[i]))
            return true;
    }
    return false;
}

static void add_metadata(struct sql *sql, struct sh_bytes key)
{
    sql_add(sql, is_column(key) ? FILTER_SQL_METADATA : "d.metadata");
}

/* `function(metadata, key)` */
static void add_lookup(struct sql *sql, const char *function, struct sh_bytes key)
{
    sql_add(sql, function);
    sql_add(sql, "(");
    add_metadata(sql, key);
    sql_add(sql, ", ");
    sql_add_text(sql, key);
    sql_add(sql, ")");
}

static void add_end(struct sql *sql, const char *value, const char *comparison,
                    double end)
{
    sql_add(sql, " AND ");
    sql_add(sql, value);
    sql_add(sql, comparison);
    sql_add_number(sql, end);
}

/* `metadata -> key` */
static void add_member(struct sql *sql, struct sh_bytes key)
{
    sql_add(sql, "(");
    add_metadata(sql, key);
    sql_add(sql, " -> ");
    sql_add_text(sql, key);
    sql_add(sql, ")");
}

static bool is_dotted(struct sh_bytes key)
{
    return key.len > 0 && memchr(key.data, '.', key.len);
}

/* What a single value must be; `value` names it. */
static void add_range_of(struct sql *sql, const struct filter_range *range,
                         const char *value)
{
    sql_add(sql, value);
    sql_add(sql, " IS NOT NULL");
    if (isfinite(range->low))
        add_end(sql, value, range->low_open ? " > " : " >= ", range->low);
    if (isfinite(range->high))
        add_end(sql, value, range->high_open ? " < " : " <= ", range->high);
}

static void add_number_is(struct sql *sql, const struct filter_node *node,
                          const char *value)
{
    if (node->kind == FILTER_RANGE) {
        add_range_of(sql, &node->range, value);
        return;
    }
    sql_add(sql, value);
    sql_add(sql, " = ");
    sql_add_number(sql, node->value.number);
}

/* One of the values under the name is such a number or date. To look for them is a
 * function's work; where the name has no dots and one value, a plain expression does. */
static void add_numbers(struct sql *sql, const struct filter_node *node)
{
    bool dates = node->kind == FILTER_RANGE && node->range.dates;
    const char *of_value = dates ? "metadata_date(value)" : "metadata_number(value)";
    bool plain = !is_dotted(node->key);

    if (plain) {
        sql_add(sql, "CASE jsonb_typeof(");
        add_member(sql, node->key);
        sql_add(sql, dates ? ") WHEN 'string' THEN coalesce((SELECT "
                           : ") WHEN 'number' THEN coalesce((SELECT ");
        add_number_is(sql, node, "n");
        sql_add(sql, dates ? " FROM metadata_date(" : " FROM metadata_number(");
        add_member(sql, node->key);
        sql_add(sql, ") AS n), false) WHEN 'array' THEN ");
    }
    sql_add(sql, "EXISTS (SELECT FROM ");
    add_lookup(sql, "metadata_values", node->key);
    sql_add(sql, " AS v (value) WHERE ");
    add_number_is(sql, node, of_value);
    sql_add(sql, plain ? ") ELSE false END" : ")");
}

static void add_value(struct sql *sql, const struct metadata_value *value)
{
    if (value->type == METADATA_FLAG) {
        sql_add(sql, value->number > 0 ? "'true'::jsonb" : "'false'::jsonb");
        return;
    }
    sql_add(sql, "to_jsonb(");
    sql_add_text(sql, value->text);
    sql_add(sql, ")");
}

/* Containment finds a text or flag by itself and among an array's elements, which is what
 * a name without dots can be. */
static void add_equal(struct sql *sql, const struct filter_node *node)
{
    if (node->value.type == METADATA_NUMBER) {
        add_numbers(sql, node);
    } else if (!is_dotted(node->key)) {
        sql_add(sql, "coalesce(");
        add_member(sql, node->key);
        sql_add(sql, " @> ");
        add_value(sql, &node->value);
        sql_add(sql, ", false)");
    } else {
        sql_add(sql, "EXISTS (SELECT FROM ");
        add_lookup(sql, "metadata_values", node->key);
        sql_add(sql, " AS v (value) WHERE value = ");
        add_value(sql, &node->value);
        sql_add(sql, ")");
    }
}

static void add_geo(struct sql *sql, const struct filter_geo *geo)
{
    if (geo->lat_key.len > METADATA_KEY_MAX) { /* the other is no longer */
        sql_add(sql, "false");
        return;
    }
    sql_add(sql, "coalesce(metadata_distance_km(");
    sql_add_number(sql, geo->lat);
    sql_add(sql, ", ");
    sql_add_number(sql, geo->lon);
    sql_add(sql, ", ");
    add_lookup(sql, "metadata_first_number", geo->lat_key);
    sql_add(sql, ", ");
    add_lookup(sql, "metadata_first_number", geo->lon_key);
    sql_add(sql, ") <= ");
    sql_add_number(sql, geo->radius_km);
    sql_add(sql, ", false)");
}

/* --- columns ---------------------------------------------------------------------- */

static const char *column_of(enum filter_field field)
{
    switch (field) {
    case FIELD_ID:
        return "d.id";
    case FIELD_COLLECTION:
        return "d.collection";
    case FIELD_DEPARTMENT:
        return "d.department";
    case FIELD_CAMPUS:
        return "d.campus";
    case FIELD_PRIORITY:
        return "coalesce(d.priority, 0)";
    case FIELD_CLEARANCE:
        return "d.clearance_level";
    case FIELD_METADATA:
        break;
    }
    return "NULL";
}

/* A campus is known by two names. */
static void add_campus(struct sql *sql, struct sh_bytes name)
{
    enum campus campus = campus_find(name);

    sql_add(sql, "coalesce(d.campus IN (");
    sql_add_text(sql, name);
    if (campus != CAMPUS_COUNT) {
        sql_add(sql, ", ");
        sql_add_text(sql, sh_bytes_of(campus_key(campus)));
        sql_add(sql, ", ");
        sql_add_text(sql, sh_bytes_of(campus_name(campus)));
    }
    sql_add(sql, "), false)");
}

/* An empty column is none: nothing equals it. */
static void add_text_column(struct sql *sql, const struct filter_node *node)
{
    const char *column = column_of(node->field);

    if (node->kind == FILTER_EXISTS) {
        sql_add(sql, "coalesce(");
        sql_add(sql, column);
        sql_add(sql, " <> '', false)");
    } else if (node->kind != FILTER_EQUAL || node->value.type != METADATA_TEXT ||
               node->value.text.len == 0) {
        sql_add(sql, "false");
    } else if (node->field == FIELD_CAMPUS) {
        add_campus(sql, node->value.text);
    } else {
        sql_add(sql, "coalesce(");
        sql_add(sql, column);
        sql_add(sql, " = ");
        sql_add_text(sql, node->value.text);
        sql_add(sql, ", false)");
    }
}

/* Levels are small whole numbers, compared as such: the planner knows how many documents
 * have which. */
static void add_level_end(struct sql *sql, const char *column, const char *comparison,
                          double end)
{
    add_end(sql, column, comparison, fmax(-LEVEL_BOUND, fmin(end, LEVEL_BOUND)));
    sql_add(sql, "::int");
}

static void add_level(struct sql *sql, const struct filter_node *node)
{
    const struct filter_range *range = &node->range;
    const char *column = column_of(node->field);

    sql_add(sql, "(true");
    if (isfinite(range->low))
        add_level_end(sql, column, range->low_open ? " > " : " >= ", range->low);
    if (isfinite(range->high))
        add_level_end(sql, column, range->high_open ? " < " : " <= ", range->high);
    sql_add(sql, ")");
}

/* --- the tree --------------------------------------------------------------------- */

static void add_leaf(struct sql *sql, const struct filter_node *node)
{
    if (node->kind == FILTER_GEO) {
        add_geo(sql, &node->geo);
    } else if (node->field == FIELD_PRIORITY || node->field == FIELD_CLEARANCE) {
        add_level(sql, node);
    } else if (node->field != FIELD_METADATA) {
        add_text_column(sql, node);
    } else if (node->key.len > METADATA_KEY_MAX) {
        sql_add(sql, "false"); /* as values under such names are not looked at */
    } else if (node->kind == FILTER_EXISTS) {
        add_lookup(sql, "metadata_exists", node->key);
    } else if (node->kind == FILTER_RANGE) {
        add_numbers(sql, node);
    } else {
        add_equal(sql, node);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static void add_node(struct sql *sql, const struct filter_node *node)
{
    if (node->kind > FILTER_NONE) {
        add_leaf(sql, node);
        return;
    }
    sql_add(sql, node->kind == FILTER_ALL    ? "(true"
                 : node->kind == FILTER_NONE ? "(NOT (false"
                                             : "(false");
    for (const struct filter_node *child = node->first; child; child = child->next) {
        sql_add(sql, node->kind == FILTER_ALL ? " AND " : " OR ");
        add_node(sql, child);
    }
    sql_add(sql, node->kind == FILTER_NONE ? "))" : ")");
}

void filter_sql(const struct filter *filter, struct sql *sql)
{
    add_node(sql, filter->root); /* the right to read is part of it */
}
