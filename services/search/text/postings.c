#include "services/search/text/postings.h"

#include "shared/mem.h"

/* A posting: (distance << 2 | kind), then what the kind says. */
enum {
    ONCE = 0,  /* once in the body */
    BODY = 1,  /* body count */
    MIXED = 2, /* title, heading and body counts */
    POSTING_MOST = 5 + 3 * 5,
    LEAST_CAPACITY = 16,
};

static uint8_t *put(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline uint64_t get(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
}

static uint8_t *write_posting(uint8_t *at, uint32_t distance,
                              const struct posting *posting)
{
    const uint32_t *tf = posting->tf;
    uint64_t head = (uint64_t)distance << 2;
    if (tf[TEXT_TITLE] == 0 && tf[TEXT_HEADING] == 0) {
        if (tf[TEXT_BODY] == 1)
            return put(at, head | ONCE);
        return put(put(at, head | BODY), tf[TEXT_BODY]);
    }
    at = put(at, head | MIXED);
    for (int field = 0; field < TEXT_FIELDS; field++)
        at = put(at, tf[field]);
    return at;
}

static uint8_t *bytes_of(struct postings *list)
{
    return list->capacity ? list->data : list->small;
}

static enum sh_err reserve(struct postings *list, uint32_t more)
{
    uint32_t capacity = list->capacity ? list->capacity : POSTINGS_SMALL;
    if (more <= capacity - list->len)
        return SH_OK;
    if (list->len > UINT32_MAX / 2)
        return SH_TOOBIG;
    uint32_t wanted = list->len + list->len / 2 + more;
    wanted = wanted < LEAST_CAPACITY ? LEAST_CAPACITY : wanted;
    uint8_t *data = sh_realloc(list->capacity ? list->data : NULL, wanted);
    if (!data)
        return SH_NOMEM;
    if (!list->capacity)
        memcpy(data, list->small, list->len);
    list->data = data;
    list->capacity = wanted;
    return SH_OK;
}

enum sh_err postings_append(struct postings *list, const struct posting *posting)
{
    uint8_t bytes[POSTING_MOST + 1];
    uint8_t *end = write_posting(bytes, posting->passage + 1 - list->last, posting);
    uint32_t len = (uint32_t)(end - bytes);
    enum sh_err err = reserve(list, len);
    if (err != SH_OK)
        return err;
    memcpy(bytes_of(list) + list->len, bytes, len);
    list->len += len;
    list->last = posting->passage + 1;
    list->count++;
    return SH_OK;
}

/* Distances only merge or shrink and the code of a sum is no longer than its parts
 * together, so what is written never overtakes what is read. */
static void rewrite(struct postings *list, const uint32_t *map, bool renumber)
{
    struct postings_cursor cursor = postings_read(list);
    uint8_t *start = bytes_of(list);
    uint8_t *at = start;
    struct posting posting;

    list->count = 0;
    list->last = 0;
    while (postings_next(&cursor, &posting)) {
        uint32_t mapped = map[posting.passage];
        if (mapped == UINT32_MAX)
            continue;
        posting.passage = renumber ? mapped : posting.passage;
        at = write_posting(at, posting.passage + 1 - list->last, &posting);
        list->last = posting.passage + 1;
        list->count++;
    }
    list->len = (uint32_t)(at - start);
    if (list->len == 0)
        postings_free(list);
}

void postings_squeeze(struct postings *list, const uint32_t *renumber)
{
    rewrite(list, renumber, true);
}

void postings_prune(struct postings *list, const uint32_t *gone)
{
    rewrite(list, gone, false);
}

void postings_free(struct postings *list)
{
    if (list->capacity)
        sh_free(list->data);
    *list = (struct postings){0};
}

size_t postings_bytes(const struct postings *list)
{
    return list->capacity;
}

struct postings_cursor postings_read(const struct postings *list)
{
    const uint8_t *at = list->capacity ? list->data : list->small;
    return (struct postings_cursor){at, at + list->len, 0};
}

bool postings_next(struct postings_cursor *cursor, struct posting *posting)
{
    if (cursor->at >= cursor->end)
        return false;
    uint64_t head = get(&cursor->at);
    cursor->last += (uint32_t)(head >> 2);
    posting->passage = cursor->last - 1;
    posting->tf[TEXT_TITLE] = 0;
    posting->tf[TEXT_HEADING] = 0;
    posting->tf[TEXT_BODY] = 1;
    if ((head & 3) == BODY)
        posting->tf[TEXT_BODY] = (uint32_t)get(&cursor->at);
    if ((head & 3) == MIXED) {
        for (int field = 0; field < TEXT_FIELDS; field++)
            posting->tf[field] = (uint32_t)get(&cursor->at);
    }
    return true;
}
