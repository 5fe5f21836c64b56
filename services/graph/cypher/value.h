/* value: what a Cypher expression can be. A value is small and copied; what it points to
 * lies in the arena of its query, in the version of the graph that the query reads, or
 * in the text of the query, and never changes. Nodes and relationships are places in
 * that version. Functions that return bool and take an env fail as env.h says. */
#ifndef CYPHER_VALUE_H
#define CYPHER_VALUE_H

#include "shared/bytes.h"

struct cy_env;

enum {
    CYV_DEPTH_MAX = 100,      /* lists within lists */
    CYV_ITEMS_MAX = 10000000, /* of one list */
    CYV_TEXT_MAX = 64 << 20,  /* bytes of one string */
};

/* One byte, so that a value is two words. */
enum __attribute__((packed)) cyv_type {
    CYV_NULL,
    CYV_BOOLEAN,
    CYV_INTEGER,
    CYV_FLOAT,
    CYV_STRING,
    CYV_LIST,
    CYV_MAP,
    CYV_NODE,
    CYV_RELATIONSHIP,
    CYV_PATH,
    CYV_DATE,
    CYV_LOCAL_TIME,
    CYV_TIME,
    CYV_LOCAL_DATETIME,
    CYV_DATETIME,
    CYV_DURATION,
};

struct cyv_entry;
struct cyv_path;
struct cyv_temporal;

struct cy_value { /* {0} is null */
    enum cyv_type type;
    uint8_t depth;  /* LIST, MAP: 1 + that of the deepest item */
    uint32_t count; /* bytes of a STRING; items of a LIST; entries of a MAP */
    union {
        bool flag;
        int64_t integer;
        double real;
        const char *text; /* not ended by NUL */
        const struct cy_value *items;
        const struct cyv_entry *entries; /* in order of their keys, none twice */
        uint32_t place;                  /* NODE, RELATIONSHIP */
        const struct cyv_path *path;
        const struct cyv_temporal *temporal;
    };
};

struct cyv_entry {
    struct sh_bytes key;
    struct cy_value value;
};

struct cyv_path {
    uint32_t length;       /* relationships */
    const uint32_t *nodes; /* length + 1 places */
    const uint32_t *edges; /* places; which way each goes its ends tell */
};

/* Of any temporal kind; what a kind does not have is 0. */
struct cyv_temporal {
    int64_t months;       /* DURATION */
    int64_t days;         /* since 1970-01-01 on the local clock; DURATION: days */
    int64_t seconds;      /* of the local day; DURATION: seconds */
    int32_t nanos;        /* 0 to 999,999,999 */
    int32_t offset;       /* seconds east of Greenwich */
    struct sh_bytes zone; /* "Europe/Stockholm"; empty: only an offset */
};

/* --- making ----------------------------------------------------------------------- */

static inline struct cy_value cyv_null(void)
{
    return (struct cy_value){.type = CYV_NULL};
}

static inline struct cy_value cyv_boolean(bool flag)
{
    return (struct cy_value){.type = CYV_BOOLEAN, .flag = flag};
}

static inline struct cy_value cyv_integer(int64_t integer)
{
    return (struct cy_value){.type = CYV_INTEGER, .integer = integer};
}

static inline struct cy_value cyv_float(double real)
{
    return (struct cy_value){.type = CYV_FLOAT, .real = real};
}

/* Borrows; at most CYV_TEXT_MAX bytes. */
static inline struct cy_value cyv_string(struct sh_bytes text)
{
    return (struct cy_value){
        .type = CYV_STRING, .count = (uint32_t)text.len, .text = text.data};
}

static inline struct cy_value cyv_node(uint32_t place)
{
    return (struct cy_value){.type = CYV_NODE, .place = place};
}

static inline struct cy_value cyv_relationship(uint32_t place)
{
    return (struct cy_value){.type = CYV_RELATIONSHIP, .place = place};
}

static inline struct cy_value cyv_path(const struct cyv_path *path)
{
    return (struct cy_value){.type = CYV_PATH, .path = path};
}

/* Of items, which are borrowed. Fails on too many and on lists too deep. */
bool cyv_list(struct cy_env *env, const struct cy_value *items, size_t count,
              struct cy_value *out);
/* Sorts `entries`, which are borrowed; of one key given twice one entry stays. Fails as
 * above. */
bool cyv_map(struct cy_env *env, struct cyv_entry *entries, size_t count,
             struct cy_value *out);
/* Of a copy. Fails on text too long. */
bool cyv_copy(struct cy_env *env, struct sh_bytes text, struct cy_value *out);

/* --- looking ---------------------------------------------------------------------- */

static inline bool cyv_is_null(struct cy_value value)
{
    return value.type == CYV_NULL;
}

static inline bool cyv_is_true(struct cy_value value)
{
    return value.type == CYV_BOOLEAN && value.flag;
}

static inline bool cyv_is_number(struct cy_value value)
{
    return value.type == CYV_INTEGER || value.type == CYV_FLOAT;
}

static inline bool cyv_is_temporal(struct cy_value value)
{
    return value.type >= CYV_DATE;
}

static inline struct sh_bytes cyv_text(struct cy_value value)
{
    return (struct sh_bytes){value.text, value.count};
}

/* Of a number. */
static inline double cyv_real(struct cy_value value)
{
    return value.type == CYV_INTEGER ? (double)value.integer : value.real;
}

/* NULL: there is no such key. */
const struct cy_value *cyv_get(struct cy_value map, struct sh_bytes key);
/* "Integer", "Node": for messages. */
const char *cyv_type_name(enum cyv_type type);

/* --- comparing -------------------------------------------------------------------- */

/* Truth of three values. */
enum cyv_truth { CYV_FALSE, CYV_TRUE, CYV_UNKNOWN };

static inline struct cy_value cyv_of_truth(enum cyv_truth truth)
{
    return truth == CYV_UNKNOWN ? cyv_null() : cyv_boolean(truth == CYV_TRUE);
}

/* `=`: null makes it unknown, within lists and maps too. */
enum cyv_truth cyv_equals(struct cy_value left, struct cy_value right);

enum cyv_order { /* `<` and its kin */
                 CYV_BELOW,
                 CYV_SAME,
                 CYV_ABOVE,
                 CYV_NEITHER, /* one is NaN: every comparison is false */
                 CYV_OTHER,   /* cannot be compared: the comparison is null */
};
enum cyv_order cyv_compare(struct cy_value left, struct cy_value right);

/* ORDER BY: a total order of all values, 0 exactly where they are equivalent. */
int cyv_sort(struct cy_value left, struct cy_value right);
/* DISTINCT and grouping: null is as null, NaN as NaN, 1 as 1.0. */
bool cyv_equivalent(struct cy_value left, struct cy_value right);
/* The same for equivalent values. */
uint64_t cyv_hash(struct cy_value value);

#endif
