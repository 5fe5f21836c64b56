#include "services/search/pgvector/filter_sql.h"

#include <math.h>

#include "services/search/filter/campus.h"
#include "services/search/filter/filter_internal.h"

/* --- metadata ----------------------------------------------------------------------- */

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

static void add_end(struct sql *sql, const char *function, const char *comparison,
                    double end)
{
    sql_add(sql, " AND ");
    sql_add(sql, function);
    sql_add(sql, comparison);
    sql_add_number(sql, end);
}

static void add_range(struct sql *sql, const struct filter_node *node)
{
    const struct filter_range *range = &node->range;
    const char *function =
        range->dates ? "metadata_date(value)" : "metadata_number(value)";

    sql_add(sql, "EXISTS (SELECT FROM ");
    add_lookup(sql, "metadata_values", node->key);
    sql_add(sql, " AS v (value) WHERE ");
    sql_add(sql, function);
    sql_add(sql, " IS NOT NULL");
    if (isfinite(range->low))
        add_end(sql, function, range->low_open ? " > " : " >= ", range->low);
    if (isfinite(range->high))
        add_end(sql, function, range->high_open ? " < " : " <= ", range->high);
    sql_add(sql, ")");
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
 * a name without dots can be; numbers are compared as the filter has them. */
static void add_equal(struct sql *sql, const struct filter_node *node)
{
    bool dotted = node->key.len > 0 && memchr(node->key.data, '.', node->key.len);

    if (node->value.type != METADATA_NUMBER && !dotted) {
        sql_add(sql, "coalesce((");
        add_metadata(sql, node->key);
        sql_add(sql, " -> ");
        sql_add_text(sql, node->key);
        sql_add(sql, ") @> ");
        add_value(sql, &node->value);
        sql_add(sql, ", false)");
        return;
    }
    sql_add(sql, "EXISTS (SELECT FROM ");
    add_lookup(sql, "metadata_values", node->key);
    sql_add(sql, " AS v (value) WHERE ");
    if (node->value.type == METADATA_NUMBER) {
        sql_add(sql, "metadata_number(value) = ");
        sql_add_number(sql, node->value.number);
    } else {
        sql_add(sql, "value = ");
        add_value(sql, &node->value);
    }
    sql_add(sql, ")");
}

static void add_geo(struct sql *sql, const struct filter_geo *geo)
{
    if (geo->lat_key.len > METADATA_KEY_MAX) { /* both are of one length */
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

/* --- columns ------------------------------------------------------------------------ */

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

static void add_level(struct sql *sql, const struct filter_node *node)
{
    const char *column = column_of(node->field);

    sql_add(sql, "(true");
    if (isfinite(node->range.low))
        add_end(sql, column, node->range.low_open ? " > " : " >= ", node->range.low);
    if (isfinite(node->range.high))
        add_end(sql, column, node->range.high_open ? " < " : " <= ", node->range.high);
    sql_add(sql, ")");
}

/* --- the tree ----------------------------------------------------------------------- */

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
        add_range(sql, node);
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
