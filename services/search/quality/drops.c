#include "services/search/quality/drops.h"

#define DROP_TEXT(name, text) [DROP_##name] = (text),
static const char *const names[] = {DROP_REASONS(DROP_TEXT)};
#undef DROP_TEXT

static struct drop *find(const struct drops *drops, const struct drop *wanted)
{
    for (size_t i = 0; i < drops->count; i++) {
        struct drop *drop = &drops->items[i];
        if (drop->reason == wanted->reason && sh_bytes_equal(drop->text, wanted->text))
            return drop;
    }
    return NULL;
}

enum sh_err drops_add(struct drops *drops, struct sh_arena *arena,
                      const struct drop *drop)
{
    struct drop *known = find(drops, drop);

    drops->total++;
    if (known != NULL) {
        known->count++;
        return SH_OK;
    }
    if (drops->count == DROPS_KEPT)
        return SH_OK;
    if (drops->items == NULL)
        drops->items = sh_arena_array(arena, DROPS_KEPT, sizeof(*drops->items));
    if (drops->items == NULL)
        return SH_NOMEM;
    drops->items[drops->count] = *drop;
    drops->items[drops->count++].count = 1;
    return SH_OK;
}

/* The first characters, whole ones. */
static json_t *beginning(struct sh_bytes text)
{
    const uint8_t *data = text.data;
    size_t characters = 0;
    size_t len = 0;

    for (; len < text.len; len++) {
        bool starts = (data[len] & 0xc0) != 0x80;
        if (starts && ++characters > DROPS_TEXT)
            break;
    }
    return json_stringn(text.len > 0 ? text.data : "", len);
}

static json_t *entry(const struct drop *drop)
{
    json_t *page = drop->page > 0 ? json_integer(drop->page) : json_null();

    return json_pack("{s:s, s:o, s:o, s:o, s:I}", "reason", names[drop->reason],
                     "section", beginning(drop->section), "page_number", page, "text",
                     beginning(drop->text), "count", (json_int_t)drop->count);
}

json_t *drops_json(const struct drops *drops)
{
    json_t *all = json_array();

    for (size_t i = 0; all != NULL && i < drops->count; i++)
        if (json_array_append_new(all, entry(&drops->items[i])) != 0) {
            json_decref(all);
            all = NULL;
        }
    return all;
}
