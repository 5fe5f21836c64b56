/* geo: positions on the globe, in order: rows of 0.01 degrees of latitude, along each row
 * by longitude. A circle is an interval of longitudes in each row that it touches; only
 * what lies near the interval's ends is measured. */
#ifndef SEARCH_GEO_H
#define SEARCH_GEO_H

#include "services/search/filter/filter_internal.h"
#include "services/search/filter/ordered.h"

/* The mean radius of the earth. Angles in the sky are taken as arcs on it. */
#define GEO_RADIUS_KM 6371.0088

/* Great-circle distance by the haversine formula, on a sphere of that radius. */
double geo_distance_km(double lat1, double lon1, double lat2, double lon2);

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err geo_add(struct ordered *cells, const struct places *places,
                             double lat, double lon, uint32_t document, size_t *bytes);
void geo_remove(struct ordered *cells, const struct places *places, double lat,
                double lon, uint32_t document, size_t *bytes);
void geo_free(struct ordered *cells, size_t *bytes);

/* Errors: what `found` returned; it ends the walk. */
typedef enum sh_err geo_found_fn(void *arg, const struct slot_set *set);
SH_CHECK enum sh_err geo_within(const struct ordered *cells,
                                const struct filter_geo *circle, geo_found_fn *found,
                                void *arg);

#endif
