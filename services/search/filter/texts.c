#include "services/search/filter/texts.h"

#include <xxhash.h>

#include "shared/mem.h"

uint32_t texts_hash(struct sh_bytes text, uint64_t seed)
{
    return (uint32_t)XXH3_64bits_withSeed(text.data ? text.data : "", text.len, seed);
}

static size_t size_of(size_t len)
{
    return sizeof(struct text_value) + len;
}

struct text_value *texts_find(const struct texts *texts, struct sh_bytes text,
                              uint32_t hash)
{
    if (texts->bucket_count == 0)
        return NULL;
    struct text_value *value = texts->buckets[hash & (texts->bucket_count - 1)];
    while (value && (value->hash != hash ||
                     !sh_bytes_equal((struct sh_bytes){value->text, value->len}, text)))
        value = value->next;
    return value;
}

static void push(struct texts *texts, struct text_value *value)
{
    struct text_value **bucket = &texts->buckets[value->hash & (texts->bucket_count - 1)];
    value->next = *bucket;
    *bucket = value;
}

static enum sh_err grow(struct texts *texts, size_t *bytes)
{
    struct texts grown = {.bucket_count =
                              texts->bucket_count ? texts->bucket_count * 2 : 2,
                          .count = texts->count};
    grown.buckets = sh_alloc_array(grown.bucket_count, sizeof(struct text_value *));
    if (!grown.buckets)
        return SH_NOMEM;
    for (uint32_t i = 0; i < texts->bucket_count; i++) {
        for (struct text_value *value = texts->buckets[i], *next; value; value = next) {
            next = value->next;
            push(&grown, value);
        }
    }
    *bytes += (grown.bucket_count - texts->bucket_count) * sizeof(struct text_value *);
    sh_free(texts->buckets);
    *texts = grown;
    return SH_OK;
}

struct text_value *texts_add(struct texts *texts, struct sh_bytes text, uint32_t hash,
                             size_t *bytes)
{
    struct text_value *value = texts_find(texts, text, hash);
    if (value)
        return value;
    if (text.len > UINT32_MAX ||
        (texts->count >= texts->bucket_count && grow(texts, bytes) != SH_OK))
        return NULL;
    value = sh_alloc(size_of(text.len));
    if (!value)
        return NULL;
    value->hash = hash;
    value->len = (uint32_t)text.len;
    if (text.len > 0)
        memcpy(value->text, text.data, text.len);
    push(texts, value);
    texts->count++;
    *bytes += size_of(text.len);
    return value;
}

void texts_drop(struct texts *texts, struct text_value *value, size_t *bytes)
{
    struct text_value **at = &texts->buckets[value->hash & (texts->bucket_count - 1)];
    while (*at != value)
        at = &(*at)->next;
    *at = value->next;
    *bytes -= size_of(value->len);
    sh_free(value);
    if (--texts->count == 0)
        texts_free(texts, bytes);
}

void texts_free(struct texts *texts, size_t *bytes)
{
    for (uint32_t i = 0; i < texts->bucket_count; i++) {
        for (struct text_value *value = texts->buckets[i], *next; value; value = next) {
            next = value->next;
            slot_set_free(&value->set, bytes);
            *bytes -= size_of(value->len);
            sh_free(value);
        }
    }
    *bytes -= texts->bucket_count * sizeof(struct text_value *);
    sh_free(texts->buckets);
    *texts = (struct texts){0};
}
