#include "services/search/filter/geo.h"

#include <math.h>

#include "shared/mem.h"

/* Rows a degree; and what lies between the keys of two rows, more than any longitude. */
enum { ROWS = 100, ROW_KEYS = 512 };

static const double RADIANS = 3.14159265358979323846 / 180;
/* Nearer than this to the edge, positions are measured: far more than what rounding does
 * to a distance, even to the other side of the globe. */
static const double MARGIN_KM = 0.01;

double geo_distance_km(double lat1, double lon1, double lat2, double lon2)
{
    double half_lat = sin((lat2 - lat1) * RADIANS / 2);
    double half_lon = sin((lon2 - lon1) * RADIANS / 2);
    double h = half_lat * half_lat +
               cos(lat1 * RADIANS) * cos(lat2 * RADIANS) * half_lon * half_lon;
    return 2 * GEO_RADIUS_KM * asin(sqrt(fmin(1, fmax(0, h))));
}

/* --- keys ------------------------------------------------------------------------- */

static double round_longitude(double lon)
{
    double turned = fmod(lon, 360);
    turned += turned < 0 ? 360 : 0;
    return turned < 360 ? turned : 0; /* what is added may round up */
}

/* What is not on the globe is below all rows, and always measured. */
static double key_of(double lat, double lon)
{
    if (!(fabs(lat) <= 90) || !(fabs(lon) <= 360))
        return -1 - fabs(lon);
    return floor((lat + 90) * ROWS) * ROW_KEYS + round_longitude(lon);
}

/* --- changes ---------------------------------------------------------------------- */

static bool same(const struct position *position, double lat, double lon)
{
    return !(position->lat < lat) && !(position->lat > lat) && !(position->lon < lon) &&
           !(position->lon > lon);
}

static struct position *find(const struct positions *positions, double lat, double lon)
{
    for (uint32_t i = 0; i < positions->count; i++) {
        if (same(&positions->items[i], lat, lon))
            return &positions->items[i];
    }
    return NULL;
}

static struct position *add(struct positions *positions, double lat, double lon,
                            size_t *bytes)
{
    if (positions->count == positions->capacity) {
        uint32_t capacity = positions->capacity ? positions->capacity * 2 : 1;
        struct position *items = sh_realloc(positions->items, capacity * sizeof(*items));
        if (!items)
            return NULL;
        *bytes += (capacity - positions->capacity) * sizeof(*items);
        positions->items = items;
        positions->capacity = capacity;
    }
    struct position *position = &positions->items[positions->count++];
    *position = (struct position){.lat = lat, .lon = lon};
    return position;
}

static void free_positions(struct positions *positions, size_t *bytes)
{
    for (uint32_t i = 0; i < positions->count; i++)
        slot_set_free(&positions->items[i].set, bytes);
    *bytes -= positions->capacity * sizeof(*positions->items);
    sh_free(positions->items);
    *positions = (struct positions){0};
}

/* Away goes what holds nothing. */
static void tidy(struct ordered *cells, struct ordered_entry *entry,
                 struct position *position, size_t *bytes)
{
    struct positions *positions = &entry->positions;
    if (position && position->set.count == 0)
        *position = positions->items[--positions->count];
    if (positions->count > 0)
        return;
    free_positions(positions, bytes);
    ordered_drop(cells, entry->key, bytes);
}

enum sh_err geo_add(struct ordered *cells, const struct places *places, double lat,
                    double lon, uint32_t document, size_t *bytes)
{
    struct ordered_entry *entry = ordered_add(cells, key_of(lat, lon), bytes);
    if (!entry)
        return SH_NOMEM;
    struct position *position = find(&entry->positions, lat, lon);
    if (!position)
        position = add(&entry->positions, lat, lon, bytes);
    enum sh_err err =
        position ? slot_set_add(&position->set, places, document, bytes) : SH_NOMEM;
    if (err != SH_OK)
        tidy(cells, entry, position, bytes);
    return err;
}

void geo_remove(struct ordered *cells, const struct places *places, double lat,
                double lon, uint32_t document, size_t *bytes)
{
    struct ordered_entry *entry = ordered_find(cells, key_of(lat, lon));
    struct position *position = entry ? find(&entry->positions, lat, lon) : NULL;
    if (!position)
        return;
    slot_set_remove(&position->set, places, document, bytes);
    tidy(cells, entry, position, bytes);
}

void geo_free(struct ordered *cells, size_t *bytes)
{
    for (uint32_t i = 0; i < cells->count; i++) {
        struct ordered_block *block = &cells->blocks[i];
        for (uint32_t n = 0; n < block->count; n++)
            free_positions(&block->entries[n].positions, bytes);
    }
    ordered_free(cells, bytes);
}

/* --- circles ---------------------------------------------------------------------- */

struct walk {
    const struct ordered *cells;
    const struct filter_geo *circle;
    double lon; /* the circle's, from 0 to 360 */
    geo_found_fn *found;
    void *arg;
    double row;
    double inner; /* within so many degrees of lon: inside; < 0: none */
    double outer; /* beyond: outside */
};

/* sin² of half the angle that the radius spans; beyond half the globe: 1. */
static double half_angle(double radius_km)
{
    double angle = radius_km / GEO_RADIUS_KM / 2;
    double sine = sin(fmin(angle, 90 * RADIANS));
    return sine * sine;
}

/* Degrees of longitude that the circle reaches at a latitude `away` from its centre,
 * where `cosines` is the product of both cosines: the haversine formula, solved. */
static double reach(double radius_km, double away, double cosines)
{
    double half_lat = sin(away * RADIANS / 2);
    double left = half_angle(radius_km) - half_lat * half_lat;
    if (radius_km < 0 || left < 0)
        return -1;
    if (left >= cosines)
        return 180;
    return 2 * asin(sqrt(left / cosines)) / RADIANS;
}

static void measure_row(struct walk *walk)
{
    const struct filter_geo *circle = walk->circle;
    double low = walk->row / ROWS - 90;
    double high = fmin(low + 1.0 / ROWS, 90);
    double below = circle->lat - high;
    double above = low - circle->lat;
    double nearest = fmax(0, fmax(below, above));
    double farthest = fmax(fabs(circle->lat - low), fabs(circle->lat - high));
    double centre = fmax(0, cos(circle->lat * RADIANS));
    double most = fmax(0, cos(fmax(0, fmax(low, -high)) * RADIANS));
    double least = fmax(0, cos(fmax(fabs(low), fabs(high)) * RADIANS));
    walk->outer = reach(circle->radius_km + MARGIN_KM, nearest, centre * least);
    walk->inner = reach(circle->radius_km - MARGIN_KM, farthest, centre * most);
}

static enum sh_err take(const struct walk *walk, const struct ordered_entry *entry,
                        bool inside)
{
    const struct filter_geo *circle = walk->circle;
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < entry->positions.count; i++) {
        const struct position *position = &entry->positions.items[i];
        if (inside || geo_distance_km(circle->lat, circle->lon, position->lat,
                                      position->lon) <= circle->radius_km)
            err = walk->found(walk->arg, &position->set);
    }
    return err;
}

/* The positions of the row between two longitudes. */
static enum sh_err take_between(const struct walk *walk, double from, double to)
{
    double base = walk->row * ROW_KEYS;
    struct ordered_at at = ordered_from(walk->cells, base + from, false);
    const struct ordered_entry *entry = ordered_next(walk->cells, &at);
    enum sh_err err = SH_OK;
    while (err == SH_OK && entry && entry->key <= base + to) {
        double away = fabs(entry->key - base - walk->lon);
        err = take(walk, entry, fmin(away, 360 - away) <= walk->inner);
        entry = ordered_next(walk->cells, &at);
    }
    return err;
}

static enum sh_err take_row(struct walk *walk)
{
    measure_row(walk);
    if (walk->outer < 0)
        return SH_OK;
    if (walk->outer >= 180)
        return take_between(walk, 0, 360);
    double from = walk->lon - walk->outer;
    double to = walk->lon + walk->outer;
    enum sh_err err = take_between(walk, fmax(from, 0), fmin(to, 360));
    if (err == SH_OK && from < 0)
        err = take_between(walk, from + 360, 360);
    if (err == SH_OK && to > 360)
        err = take_between(walk, 0, to - 360);
    return err;
}

static enum sh_err take_strays(const struct walk *walk)
{
    struct ordered_at at = {0};
    const struct ordered_entry *entry = ordered_next(walk->cells, &at);
    enum sh_err err = SH_OK;
    while (err == SH_OK && entry && entry->key < 0) {
        err = take(walk, entry, false);
        entry = ordered_next(walk->cells, &at);
    }
    return err;
}

/* The first row from `row` on that has positions; beyond all rows when none has. */
static double next_row(const struct ordered *cells, double row)
{
    struct ordered_at at = ordered_from(cells, row * ROW_KEYS, false);
    const struct ordered_entry *entry = ordered_next(cells, &at);
    return entry ? floor(entry->key / ROW_KEYS) : (double)INFINITY;
}

enum sh_err geo_within(const struct ordered *cells, const struct filter_geo *circle,
                       geo_found_fn *found, void *arg)
{
    struct walk walk = {.cells = cells,
                        .circle = circle,
                        .lon = round_longitude(circle->lon),
                        .found = found,
                        .arg = arg};
    double degrees = (circle->radius_km + MARGIN_KM) / GEO_RADIUS_KM / RADIANS;
    double last = floor((circle->lat + degrees + 90) * ROWS);
    double first = fmax(0, floor((circle->lat - degrees + 90) * ROWS));
    enum sh_err err = take_strays(&walk);
    walk.row = next_row(cells, first);
    while (err == SH_OK && walk.row <= last) {
        err = take_row(&walk);
        walk.row = next_row(cells, walk.row + 1);
    }
    return err;
}
