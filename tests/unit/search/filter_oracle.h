/* filter_oracle: what a filter says of one document, read off the conditions one by one.
 * The service answers from columns; this is what they are held against. */
#ifndef TESTS_FILTER_ORACLE_H
#define TESTS_FILTER_ORACLE_H

#include <math.h>

#include "services/search/filter/campus.h"
#include "services/search/filter/filter_internal.h"

static const double EARTH_RADIUS_KM = 6371.0088;

/* The right to read alone, without the conditions it is compiled to. */
static inline bool oracle_readable(const struct caller *caller,
                                   const struct filter_row *row)
{
    uint32_t clearance = caller->clearance > 0 ? caller->clearance : 1;
    if (row->clearance_level > clearance)
        return false;
    if (row->clearance_level <= 2 || caller->all_departments)
        return true;
    return row->department.len > 0 && sh_bytes_equal(row->department, caller->department);
}

static inline bool key_is(const struct metadata_value *value, struct sh_bytes key,
                          uint32_t hash)
{
    return value->hash == hash && sh_bytes_equal(value->key, key);
}

static inline bool in_range(const struct filter_range *range, double number)
{
    if (range->low_open ? number <= range->low : number < range->low)
        return false;
    return range->high_open ? number < range->high : number <= range->high;
}

static inline bool value_matches(const struct filter_node *node,
                                 const struct metadata_value *value)
{
    if (node->kind == FILTER_EXISTS)
        return true;
    if (node->kind == FILTER_RANGE) {
        bool fits = node->range.dates ? value->dated : value->type == METADATA_NUMBER;
        return fits && in_range(&node->range, value->number);
    }
    if (node->value.type != value->type)
        return false;
    if (value->type == METADATA_TEXT)
        return sh_bytes_equal(node->value.text, value->text);
    return !(node->value.number < value->number) && !(node->value.number > value->number);
}

/* An object exists when one of its members does. */
static inline bool is_below(struct sh_bytes key, const struct metadata_value *value)
{
    const char *name = value->key.data;
    return value->key.len > key.len && name[key.len] == '.' &&
           memcmp(name, key.data, key.len) == 0;
}

static inline bool metadata_matches(const struct filter_node *node,
                                    const struct metadata *metadata)
{
    for (size_t i = 0; metadata && i < metadata->count; i++) {
        const struct metadata_value *value = &metadata->values[i];
        if (key_is(value, node->key, node->hash) && value_matches(node, value))
            return true;
        if (node->kind == FILTER_EXISTS && is_below(node->key, value))
            return true;
    }
    return false;
}

static inline bool find_number(const struct metadata *metadata, struct sh_bytes key,
                               double *out)
{
    uint32_t hash = metadata_hash(key);
    for (size_t i = 0; metadata && i < metadata->count; i++) {
        const struct metadata_value *value = &metadata->values[i];
        if (key_is(value, key, hash) && value->type == METADATA_NUMBER) {
            *out = value->number;
            return true;
        }
    }
    return false;
}

/* Great-circle distance by the haversine formula. */
static inline double distance_km(double lat1, double lon1, double lat2, double lon2)
{
    const double radians = 3.14159265358979323846 / 180;
    double half_lat = sin((lat2 - lat1) * radians / 2);
    double half_lon = sin((lon2 - lon1) * radians / 2);
    double h = half_lat * half_lat +
               cos(lat1 * radians) * cos(lat2 * radians) * half_lon * half_lon;
    return 2 * EARTH_RADIUS_KM * asin(sqrt(fmin(1, fmax(0, h))));
}

static inline bool geo_matches(const struct filter_geo *geo,
                               const struct metadata *metadata)
{
    double lat = 0;
    double lon = 0;
    if (!find_number(metadata, geo->lat_key, &lat) ||
        !find_number(metadata, geo->lon_key, &lon))
        return false;
    return distance_km(geo->lat, geo->lon, lat, lon) <= geo->radius_km;
}

static inline struct sh_bytes column_text(enum filter_field field,
                                          const struct filter_row *row)
{
    switch (field) {
    case FIELD_ID:
        return row->id;
    case FIELD_COLLECTION:
        return row->collection;
    case FIELD_DEPARTMENT:
        return row->department;
    case FIELD_CAMPUS:
        return row->campus;
    case FIELD_PRIORITY:
    case FIELD_CLEARANCE:
    case FIELD_METADATA:
        break;
    }
    return (struct sh_bytes){0};
}

static inline bool column_matches(const struct filter_node *node,
                                  const struct filter_row *row)
{
    if (node->field == FIELD_PRIORITY || node->field == FIELD_CLEARANCE) {
        double number =
            node->field == FIELD_PRIORITY ? row->priority : row->clearance_level;
        return in_range(&node->range, number);
    }
    struct metadata_value value = {.type = METADATA_TEXT};
    value.text = column_text(node->field, row);
    if (value.text.len == 0)
        return false;
    if (node->field == FIELD_CAMPUS && node->kind == FILTER_EQUAL)
        return campus_same(node->value.text, value.text);
    return value_matches(node, &value);
}

static inline bool leaf_matches(const struct filter_node *node,
                                const struct filter_row *row)
{
    if (node->kind == FILTER_GEO)
        return geo_matches(&node->geo, row->metadata);
    if (node->field == FIELD_METADATA)
        return metadata_matches(node, row->metadata);
    return column_matches(node, row);
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static inline bool node_matches(const struct filter_node *node,
                                const struct filter_row *row)
{
    if (node->kind > FILTER_NONE)
        return leaf_matches(node, row);
    bool stop_at = node->kind != FILTER_ALL; /* the child's answer that decides */
    for (const struct filter_node *child = node->first; child; child = child->next) {
        if (node_matches(child, row) == stop_at)
            return node->kind == FILTER_ANY;
    }
    return node->kind != FILTER_ANY;
}

static inline bool oracle_match(const struct filter *filter, const struct filter_row *row)
{
    return oracle_readable(filter->caller, row) && node_matches(filter->root, row);
}

#endif
