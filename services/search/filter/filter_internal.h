/* filter_internal: the tree a filter is compiled to, for filter's own files only. */
#ifndef SEARCH_FILTER_INTERNAL_H
#define SEARCH_FILTER_INTERNAL_H

#include "services/search/filter/filter.h"

enum filter_kind {
    FILTER_ALL,   /* every child; without children true */
    FILTER_ANY,   /* one child at least; without children false */
    FILTER_NONE,  /* no child */
    FILTER_EQUAL, /* one of the field's values is `value` */
    FILTER_RANGE, /* one of the field's values lies between */
    FILTER_EXISTS,
    FILTER_GEO,
};

enum filter_field {
    FIELD_ID,
    FIELD_COLLECTION,
    FIELD_DEPARTMENT,
    FIELD_CAMPUS,
    FIELD_PRIORITY,
    FIELD_CLEARANCE,
    FIELD_METADATA, /* by key */
};

struct filter_range {
    double low;
    double high;
    bool low_open; /* the end itself is outside */
    bool high_open;
    bool dates; /* of dates, else of numbers */
};

/* Where a position is one: on the globe by the members lat and lon, in the sky by dec and
 * ra, which are the same to geometry. */
enum geo_sphere { GEO_GLOBE, GEO_SKY, GEO_SPHERES };

struct filter_geo {
    enum geo_sphere sphere;
    double lat;
    double lon;
    double radius_km;
    struct sh_bytes lat_key;
    struct sh_bytes lon_key;
};

struct filter_node {
    enum filter_kind kind;
    enum filter_field field;
    struct sh_bytes key; /* FIELD_METADATA */
    uint32_t hash;
    struct metadata_value value; /* FILTER_EQUAL */
    struct filter_range range;
    struct filter_geo geo;
    struct filter_node *first; /* children */
    struct filter_node *next;  /* sibling */
};

struct filter {
    const struct caller *caller;
    struct filter_node *root;
};

#endif
