/* columns_fixture: random documents and random filters over the same few words, so that
 * filters have something to find. Deterministic for a seed. */
#ifndef TESTS_COLUMNS_FIXTURE_H
#define TESTS_COLUMNS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "services/search/filter/columns.h"
#include "shared/buffer.h"
#include "tests/support/rng.h"

static const char *const departments[] = {"", "IT", "HR", "Physics", "Law"};
static const char *const campuses[] = {"",      "central",          "Central Campus",
                                       "Mars",  "King's Buildings", "kings_buildings",
                                       "Phobos"};
static const char *const collections[] = {"", "policies", "news", "minutes"};
static const char *const tags[] = {"a", "b", "c", "d", "", "2020", "2024-01-02"};
static const char *const places_of_interest[] = {"position", "deep.spot", "other", ""};
/* of values, and of what is never there */
static const char *const keys[] = {"year", "tags", "when",     "score",     "open",
                                   "deep", "lang", "position", "deep.spot", "deep.er.x",
                                   "pos",  "none", "unique",   "absent"};

/* --- documents -------------------------------------------------------------------- */

static inline void make_date(struct rng *rng, struct sh_buffer *out)
{
    sh_buffer_printf(out, "\"20%02u-%02u-%02u", rng_below(rng, 30),
                     1 + rng_below(rng, 12), 1 + rng_below(rng, 28));
    if (rng_chance(rng, 50))
        sh_buffer_printf(out, "T%02u:%02u%s", rng_below(rng, 24), rng_below(rng, 60),
                         rng_chance(rng, 50) ? "Z" : "+05:30");
    sh_buffer_text(out, "\"");
}

static inline void make_scalar(struct rng *rng, struct sh_buffer *out)
{
    switch (rng_below(rng, 6)) {
    case 0:
        sh_buffer_printf(out, "%u", 2000 + rng_below(rng, 30));
        return;
    case 1:
        sh_buffer_printf(out, "%.3f", rng_between(rng, -3, 3));
        return;
    case 2:
        sh_buffer_text(out, rng_chance(rng, 50) ? "true" : "false");
        return;
    case 3:
        make_date(rng, out);
        return;
    default:
        sh_buffer_printf(out, "\"%s\"", WORD(rng, tags));
    }
}

/* Often around one town, some at the poles and the date line, some on no globe. */
static inline void make_point(struct rng *rng, double *lat, double *lon)
{
    uint32_t kind = rng_below(rng, 10);
    *lat = rng_between(rng, 55.8, 56);
    *lon = rng_between(rng, -3.4, -3);
    if (kind == 0) {
        *lat = rng_between(rng, -90, 90);
        *lon = rng_between(rng, -360, 360);
    } else if (kind == 1) {
        *lat = rng_chance(rng, 50) ? 90 : rng_between(rng, -90, -89.5);
        *lon = rng_between(rng, -180, 180);
    } else if (kind == 2) {
        *lat = rng_between(rng, -1, 1);
        *lon = rng_between(rng, 179, 181);
    } else if (kind == 3) {
        *lat = rng_between(rng, -1, 1) * (rng_chance(rng, 10) ? 1e300 : 1);
        *lon = rng_between(rng, -1, 1) * (rng_chance(rng, 50) ? 500 : 1);
    } else if (kind == 4) { /* shared by many */
        *lat = 55.944;
        *lon = -3.189;
    }
}

static inline void make_position(struct rng *rng, struct sh_buffer *out)
{
    bool sky = rng_chance(rng, 30);
    const char *north = sky ? "dec" : "lat";
    const char *east = sky ? "ra" : "lon";
    double lat = 0;
    double lon = 0;
    make_point(rng, &lat, &lon);
    if (rng_chance(rng, 5)) /* the first number counts */
        sh_buffer_printf(out, "{\"%s\":[\"x\",%.17g,3],\"%s\":[%.17g,true,9]}", north,
                         lat, east, lon);
    else if (rng_chance(rng, 5))
        sh_buffer_printf(out, "{\"%s\":%.17g}", north, lat);
    else
        sh_buffer_printf(out, "{\"%s\":%.17g,\"%s\":%.17g}", north, lat, east, lon);
}

static inline void make_metadata(struct rng *rng, uint32_t serial, struct sh_buffer *out)
{
    sh_buffer_printf(out, "{\"lang\":\"%s\"", rng_chance(rng, 80) ? "en" : "de");
    if (rng_chance(rng, 70))
        sh_buffer_printf(out, ",\"year\":%u", 2000 + rng_below(rng, 30));
    if (rng_chance(rng, 60))
        sh_buffer_printf(out, ",\"score\":%.9g", rng_between(rng, -5, 5));
    if (rng_chance(rng, 50))
        sh_buffer_printf(out, ",\"unique\":\"value %u\"", serial);
    if (rng_chance(rng, 50)) {
        sh_buffer_text(out, ",\"when\":");
        make_date(rng, out);
    }
    if (rng_chance(rng, 50))
        sh_buffer_printf(out, ",\"open\":%s", rng_chance(rng, 90) ? "true" : "false");
    if (rng_chance(rng, 60)) {
        sh_buffer_text(out, ",\"tags\":[null");
        for (uint32_t i = rng_below(rng, 5); i > 0; i--) {
            sh_buffer_text(out, ",");
            make_scalar(rng, out);
        }
        sh_buffer_text(out, "]");
    }
    if (rng_chance(rng, 40)) {
        sh_buffer_text(out, ",\"position\":");
        make_position(rng, out);
    }
    if (rng_chance(rng, 30)) {
        sh_buffer_text(out, ",\"deep\":{\"er\":{\"x\":");
        make_scalar(rng, out);
        sh_buffer_text(out, "},\"spot\":");
        make_position(rng, out);
        sh_buffer_text(out, "}");
    }
    if (rng_chance(rng, 5))
        sh_buffer_text(out, ",\"other.lat\":1,\".lat\":2,\".lon\":1,\"none\":null");
    sh_buffer_text(out, "}");
}

/* --- filters ---------------------------------------------------------------------- */

static inline void make_range(struct rng *rng, struct sh_buffer *out)
{
    static const char *const low[] = {"gte", "gt"};
    static const char *const high[] = {"lte", "lt"};
    bool dates = rng_chance(rng, 40);
    for (int end = 0; end < 2; end++) {
        if (rng_chance(rng, 15))
            continue;
        sh_buffer_printf(out, ",\"%s\":", end == 0 ? WORD(rng, low) : WORD(rng, high));
        if (dates)
            make_date(rng, out);
        else if (rng_chance(rng, 50))
            sh_buffer_printf(out, "%u", 2000 + rng_below(rng, 30));
        else
            sh_buffer_printf(out, "%.3f", rng_between(rng, -5, 5));
    }
}

static inline void make_geo(struct rng *rng, struct sh_buffer *out)
{
    static const double radii[] = {0, 0.5, 3, 10, 30, 200, 1500, 9000, 20014, 20016, -1};
    double lat = 0;
    double lon = 0;
    make_point(rng, &lat, &lon);
    bool globe = lat >= -90 && lat <= 90 && lon >= -360 && lon <= 360;
    bool sky = rng_chance(rng, 30);
    double km = radii[rng_below(rng, SH_COUNT(radii))] *
                (rng_chance(rng, 50) ? rng_between(rng, 0.8, 1.1) : 1);
    sh_buffer_printf(out,
                     sky ? ",\"cone\":{\"dec\":%.17g,\"ra\":%.17g,\"radius_deg\":%.17g}"
                         : ",\"geo\":{\"lat\":%.17g,\"lon\":%.17g,\"radius_km\":%.17g}",
                     globe ? lat : 0, globe ? lon : 0,
                     sky ? (km < 20015 ? km / 111.195 : 180) : km);
}

static inline void make_list(struct rng *rng, struct sh_buffer *out)
{
    static const char *const names[] = {"any", "all", "none"};
    sh_buffer_printf(out, ",\"%s\":[", WORD(rng, names));
    for (uint32_t i = 0, count = rng_below(rng, 4); i < count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        make_scalar(rng, out);
    }
    sh_buffer_text(out, "]");
}

static inline void make_value_condition(struct rng *rng, struct sh_buffer *out)
{
    uint32_t kind = rng_below(rng, 6);
    if (kind == 0) {
        make_scalar(rng, out);
        return;
    }
    sh_buffer_printf(out, "{\"exists\":%s", rng_chance(rng, 70) ? "true" : "false");
    if (kind <= 2)
        make_range(rng, out);
    else if (kind == 3)
        make_list(rng, out);
    else if (kind == 4)
        make_geo(rng, out);
    sh_buffer_text(out, "}");
}

static inline void make_metadata_condition(struct rng *rng, struct sh_buffer *out)
{
    const char *key = WORD(rng, keys);
    bool spot = rng_chance(rng, 20);
    if (spot)
        key = WORD(rng, places_of_interest);
    sh_buffer_printf(out, "\"metadata\":{\"%s\":", key);
    if (spot) {
        sh_buffer_text(out, "{\"all\":[]");
        make_geo(rng, out);
        sh_buffer_text(out, "}");
    } else {
        make_value_condition(rng, out);
    }
    sh_buffer_text(out, "}");
}

static inline void make_text_condition(struct rng *rng, const char *name,
                                       const char *value, const char *other,
                                       struct sh_buffer *out)
{
    static const char *const lists[] = {"any", "none", "all"};
    if (rng_chance(rng, 50))
        sh_buffer_printf(out, "\"%s\":\"%s\"", name, value);
    else if (rng_chance(rng, 20))
        sh_buffer_printf(out, "\"%s\":{\"exists\":%s}", name,
                         rng_chance(rng, 50) ? "true" : "false");
    else
        sh_buffer_printf(out, "\"%s\":{\"%s\":[\"%s\",\"%s\"]}", name, WORD(rng, lists),
                         value, other);
}

static inline void make_filter(struct rng *rng, int depth, struct sh_buffer *out);

static inline void make_group(struct rng *rng, int depth, const char *name,
                              struct sh_buffer *out)
{
    sh_buffer_printf(out, "\"%s\":[", name);
    for (uint32_t i = 0, count = rng_below(rng, 4); i < count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        make_filter(rng, depth - 1, out);
    }
    sh_buffer_text(out, "]");
}

/* One member each of a few kinds: an object must not have one twice. */
static inline void make_filter(struct rng *rng, int depth, struct sh_buffer *out)
{
    static const char *const groups[] = {"any", "all", "none"};
    const char *separator = "";
    char id[2][24];
    sh_buffer_text(out, "{");
    for (uint32_t kind = 0; kind < 10; kind++) {
        if (!rng_chance(rng, kind == 0 ? 45 : 9))
            continue;
        if (kind >= 7 && depth == 0)
            continue;
        sh_buffer_text(out, separator);
        separator = ",";
        if (kind == 0) {
            make_metadata_condition(rng, out);
        } else if (kind == 1) {
            make_text_condition(rng, "department", WORD(rng, departments),
                                WORD(rng, departments), out);
        } else if (kind == 2) {
            make_text_condition(rng, "campus", WORD(rng, campuses), WORD(rng, campuses),
                                out);
        } else if (kind == 3) {
            make_text_condition(rng, "collection", WORD(rng, collections),
                                WORD(rng, collections), out);
        } else if (kind == 4) {
            for (int i = 0; i < 2; i++)
                (void)snprintf(id[i], sizeof(id[i]), "doc-%u", rng_below(rng, 3000));
            make_text_condition(rng, "document_id", id[0], id[1], out);
        } else if (kind == 5) {
            sh_buffer_printf(out, "\"min_priority\":%u", rng_below(rng, 6));
        } else if (kind == 6) {
            sh_buffer_printf(out, "\"%s\":%u",
                             rng_chance(rng, 50) ? "max_clearance" : "clearance_level",
                             1 + rng_below(rng, 5));
        } else {
            make_group(rng, depth, groups[kind - 7], out);
        }
    }
    sh_buffer_text(out, "}");
}

#endif
