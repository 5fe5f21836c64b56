/* How values compare: by `=`, by `<`, in ORDER BY, and as keys of groups. What is said of
 * these in openCypher's CIP2016-06-14 is the source. Lists lie at most CYV_DEPTH_MAX
 * deep, so recursion ends. */
#include <math.h>

#include <xxhash.h>

#include "services/graph/cypher/value.h"

/* --- numbers ---------------------------------------------------------------------- */

static int compare_integers(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

static int compare_reals(double left, double right)
{
    return (left > right) - (left < right);
}

/* Exact: a double holds no more than 53 bits of an integer. Not for NaN. */
static int compare_mixed(int64_t left, double right)
{
    if (right >= 0x1p63)
        return -1;
    if (right < -0x1p63)
        return 1;
    int64_t whole = (int64_t)right;
    if (left != whole)
        return compare_integers(left, whole);
    return compare_reals(0, right - (double)whole);
}

/* Neither is NaN. */
static int compare_numbers(struct cy_value left, struct cy_value right)
{
    if (left.type == CYV_INTEGER && right.type == CYV_INTEGER)
        return compare_integers(left.integer, right.integer);
    if (left.type == CYV_INTEGER)
        return compare_mixed(left.integer, right.real);
    if (right.type == CYV_INTEGER)
        return -compare_mixed(right.integer, left.real);
    return compare_reals(left.real, right.real);
}

static bool is_nan(struct cy_value value)
{
    return value.type == CYV_FLOAT && isnan(value.real);
}

/* --- strings, times --------------------------------------------------------------- */

static int compare_texts(struct sh_bytes left, struct sh_bytes right)
{
    size_t shorter = left.len < right.len ? left.len : right.len;
    int order = shorter ? memcmp(left.data, right.data, shorter) : 0;
    return order ? order : (left.len > right.len) - (left.len < right.len);
}

/* A duration in seconds, where a month is a 12th of 365.2425 days. */
static int compare_durations(const struct cyv_temporal *a, const struct cyv_temporal *b)
{
    double left = (double)a->months * 2629746 + (double)a->days * 86400 +
                  (double)a->seconds + a->nanos / 1e9;
    double right = (double)b->months * 2629746 + (double)b->days * 86400 +
                   (double)b->seconds + b->nanos / 1e9;
    return compare_reals(left, right);
}

static int compare_moments(const struct cyv_temporal *a, const struct cyv_temporal *b)
{
    int64_t left = a->days * 86400 + a->seconds - a->offset;
    int64_t right = b->days * 86400 + b->seconds - b->offset;
    int order = compare_integers(left, right);
    return order ? order : compare_integers(a->nanos, b->nanos);
}

/* What tells apart two that are the same moment. */
static int compare_fields(const struct cyv_temporal *a, const struct cyv_temporal *b)
{
    int order = compare_integers(a->offset, b->offset);
    order = order ? order : compare_integers(a->months, b->months);
    order = order ? order : compare_integers(a->days, b->days);
    order = order ? order : compare_integers(a->seconds, b->seconds);
    order = order ? order : compare_integers(a->nanos, b->nanos);
    return order ? order : compare_texts(a->zone, b->zone);
}

static int sort_temporals(struct cy_value left, struct cy_value right)
{
    int order = left.type == CYV_DURATION
                    ? compare_durations(left.temporal, right.temporal)
                    : compare_moments(left.temporal, right.temporal);
    return order ? order : compare_fields(left.temporal, right.temporal);
}

/* --- paths ------------------------------------------------------------------------ */

static int sort_paths(const struct cyv_path *a, const struct cyv_path *b)
{
    int order = compare_integers(a->nodes[0], b->nodes[0]);
    uint32_t shorter = a->length < b->length ? a->length : b->length;
    for (uint32_t i = 0; i < shorter && order == 0; i++) {
        order = compare_integers(a->edges[i], b->edges[i]);
        if (order == 0)
            order = compare_integers(a->nodes[i + 1], b->nodes[i + 1]);
    }
    return order ? order : compare_integers(a->length, b->length);
}

/* --- equality --------------------------------------------------------------------- */

static enum cyv_truth of_flag(bool flag)
{
    return flag ? CYV_TRUE : CYV_FALSE;
}

static enum cyv_truth lists_equal(struct cy_value left, struct cy_value right)
{
    enum cyv_truth truth = CYV_TRUE;
    if (left.count != right.count)
        return CYV_FALSE;
    for (uint32_t i = 0; i < left.count; i++) {
        enum cyv_truth item = cyv_equals(left.items[i], right.items[i]);
        if (item == CYV_FALSE)
            return CYV_FALSE;
        if (item == CYV_UNKNOWN)
            truth = CYV_UNKNOWN;
    }
    return truth;
}

static enum cyv_truth maps_equal(struct cy_value left, struct cy_value right)
{
    enum cyv_truth truth = CYV_TRUE;
    if (left.count != right.count)
        return CYV_FALSE;
    for (uint32_t i = 0; i < left.count; i++) {
        if (!sh_bytes_equal(left.entries[i].key, right.entries[i].key))
            return CYV_FALSE;
        enum cyv_truth value = cyv_equals(left.entries[i].value, right.entries[i].value);
        if (value == CYV_FALSE)
            return CYV_FALSE;
        if (value == CYV_UNKNOWN)
            truth = CYV_UNKNOWN;
    }
    return truth;
}

enum cyv_truth cyv_equals(struct cy_value left, struct cy_value right)
{
    if (cyv_is_null(left) || cyv_is_null(right))
        return CYV_UNKNOWN;
    if (cyv_is_number(left) && cyv_is_number(right))
        return of_flag(!is_nan(left) && !is_nan(right) &&
                       compare_numbers(left, right) == 0);
    if (left.type != right.type)
        return CYV_FALSE;
    if (left.type == CYV_LIST)
        return lists_equal(left, right);
    if (left.type == CYV_MAP)
        return maps_equal(left, right);
    if (cyv_is_temporal(left)) /* durations are equal by their parts, not in length */
        return of_flag(compare_fields(left.temporal, right.temporal) == 0);
    return of_flag(cyv_sort(left, right) == 0);
}

/* --- comparability ---------------------------------------------------------------- */

static enum cyv_order of_sign(int order)
{
    if (order == 0)
        return CYV_SAME;
    return order < 0 ? CYV_BELOW : CYV_ABOVE;
}

static enum cyv_order compare_lists(struct cy_value left, struct cy_value right)
{
    uint32_t shorter = left.count < right.count ? left.count : right.count;
    for (uint32_t i = 0; i < shorter; i++) {
        enum cyv_order order = cyv_compare(left.items[i], right.items[i]);
        if (order != CYV_SAME)
            return order;
    }
    return of_sign(compare_integers(left.count, right.count));
}

enum cyv_order cyv_compare(struct cy_value left, struct cy_value right)
{
    if (cyv_is_number(left) && cyv_is_number(right))
        return is_nan(left) || is_nan(right) ? CYV_NEITHER
                                             : of_sign(compare_numbers(left, right));
    if (left.type != right.type || left.type == CYV_NULL || left.type == CYV_DURATION)
        return CYV_OTHER;
    if (left.type == CYV_LIST)
        return compare_lists(left, right);
    if (left.type == CYV_STRING || left.type == CYV_BOOLEAN || cyv_is_temporal(left))
        return of_sign(cyv_sort(left, right));
    return CYV_OTHER;
}

/* --- orderability ----------------------------------------------------------------- */

static int rank(enum cyv_type type)
{
    static const unsigned char ranks[] = {[CYV_MAP] = 0,
                                          [CYV_NODE] = 1,
                                          [CYV_RELATIONSHIP] = 2,
                                          [CYV_LIST] = 3,
                                          [CYV_PATH] = 4,
                                          [CYV_DATETIME] = 5,
                                          [CYV_LOCAL_DATETIME] = 6,
                                          [CYV_DATE] = 7,
                                          [CYV_TIME] = 8,
                                          [CYV_LOCAL_TIME] = 9,
                                          [CYV_DURATION] = 10,
                                          [CYV_STRING] = 11,
                                          [CYV_BOOLEAN] = 12,
                                          [CYV_INTEGER] = 13,
                                          [CYV_FLOAT] = 13,
                                          [CYV_NULL] = 14};
    return ranks[type];
}

static int sort_lists(struct cy_value left, struct cy_value right)
{
    uint32_t shorter = left.count < right.count ? left.count : right.count;
    int order = 0;
    for (uint32_t i = 0; i < shorter && order == 0; i++)
        order = cyv_sort(left.items[i], right.items[i]);
    return order ? order : compare_integers(left.count, right.count);
}

/* By their keys, then by their values. */
static int sort_maps(struct cy_value left, struct cy_value right)
{
    uint32_t shorter = left.count < right.count ? left.count : right.count;
    int order = 0;
    for (uint32_t i = 0; i < shorter && order == 0; i++)
        order = compare_texts(left.entries[i].key, right.entries[i].key);
    order = order ? order : compare_integers(left.count, right.count);
    for (uint32_t i = 0; i < shorter && order == 0; i++)
        order = cyv_sort(left.entries[i].value, right.entries[i].value);
    return order;
}

/* NaN is the largest of numbers. */
static int sort_numbers(struct cy_value left, struct cy_value right)
{
    if (is_nan(left) || is_nan(right))
        return is_nan(left) - is_nan(right);
    return compare_numbers(left, right);
}

static int sort_alike(struct cy_value left, struct cy_value right)
{
    switch (left.type) {
    case CYV_NULL:
        return 0;
    case CYV_BOOLEAN:
        return left.flag - right.flag;
    case CYV_INTEGER:
    case CYV_FLOAT:
        return sort_numbers(left, right);
    case CYV_STRING:
        return compare_texts(cyv_text(left), cyv_text(right));
    case CYV_LIST:
        return sort_lists(left, right);
    case CYV_MAP:
        return sort_maps(left, right);
    case CYV_NODE:
    case CYV_RELATIONSHIP:
        return compare_integers(left.place, right.place);
    case CYV_PATH:
        return sort_paths(left.path, right.path);
    case CYV_DATE:
    case CYV_LOCAL_TIME:
    case CYV_TIME:
    case CYV_LOCAL_DATETIME:
    case CYV_DATETIME:
    case CYV_DURATION:
        return sort_temporals(left, right);
    }
    return 0;
}

int cyv_sort(struct cy_value left, struct cy_value right)
{
    int order = rank(left.type) - rank(right.type);
    return order ? order : sort_alike(left, right);
}

/* --- equivalence ------------------------------------------------------------------ */

bool cyv_equivalent(struct cy_value left, struct cy_value right)
{
    return cyv_sort(left, right) == 0;
}

/* Whole numbers of both types have one hash. */
static uint64_t hash_real(double real)
{
    if (isnan(real))
        return XXH3_64bits("nan", 3);
    if ((fabs(real) < 0x1p63 || real == -0x1p63) && real == floor(real)) {
        int64_t whole = (int64_t)real;
        return XXH3_64bits(&whole, sizeof(whole));
    }
    return XXH3_64bits(&real, sizeof(real));
}

static uint64_t hash_path(const struct cyv_path *path)
{
    uint64_t hash = XXH3_64bits(path->nodes, (path->length + 1) * sizeof(*path->nodes));
    if (path->length > 0)
        hash =
            XXH3_64bits_withSeed(path->edges, path->length * sizeof(*path->edges), hash);
    return hash;
}

static uint64_t hash_temporal(const struct cyv_temporal *temporal)
{
    int64_t parts[] = {temporal->months, temporal->days, temporal->seconds,
                       temporal->nanos, temporal->offset};
    return XXH3_64bits(parts, sizeof(parts));
}

static uint64_t mix(uint64_t hash, uint64_t other)
{
    return XXH3_64bits_withSeed(&other, sizeof(other), hash);
}

static uint64_t hash_items(struct cy_value value)
{
    uint64_t hash = value.count;
    for (uint32_t i = 0; i < value.count && value.type == CYV_LIST; i++)
        hash = mix(hash, cyv_hash(value.items[i]));
    for (uint32_t i = 0; i < value.count && value.type == CYV_MAP; i++) {
        struct sh_bytes key = value.entries[i].key;
        hash = mix(XXH3_64bits_withSeed(key.data, key.len, hash),
                   cyv_hash(value.entries[i].value));
    }
    return hash;
}

uint64_t cyv_hash(struct cy_value value)
{
    uint64_t kind = (uint64_t)rank(value.type);
    switch (value.type) {
    case CYV_NULL:
        return kind;
    case CYV_BOOLEAN:
        return mix(kind, value.flag);
    case CYV_INTEGER:
        return mix(kind, XXH3_64bits(&value.integer, sizeof(value.integer)));
    case CYV_FLOAT:
        return mix(kind, hash_real(value.real));
    case CYV_STRING:
        return mix(kind, XXH3_64bits(value.count ? value.text : "", value.count));
    case CYV_LIST:
    case CYV_MAP:
        return mix(kind, hash_items(value));
    case CYV_NODE:
    case CYV_RELATIONSHIP:
        return mix(kind, value.place);
    case CYV_PATH:
        return mix(kind, hash_path(value.path));
    case CYV_DATE:
    case CYV_LOCAL_TIME:
    case CYV_TIME:
    case CYV_LOCAL_DATETIME:
    case CYV_DATETIME:
    case CYV_DURATION:
        return mix(kind, hash_temporal(value.temporal));
    }
    return kind;
}
