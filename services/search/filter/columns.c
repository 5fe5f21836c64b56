#include "services/search/filter/columns.h"

#include <sys/random.h>

#include "services/search/filter/columns_internal.h"
#include "services/search/filter/geo.h"

/* --- one value -------------------------------------------------------------------- */

struct change {
    struct columns *self;
    uint32_t document;
};

static enum sh_err add_text(const struct change *change, struct column *column,
                            struct sh_bytes text)
{
    struct columns *self = change->self;
    struct text_value *value =
        texts_add(&column->texts, text, texts_hash(text, self->seed), &self->bytes);
    if (!value)
        return SH_NOMEM;
    return slot_set_add(&value->set, &self->places, change->document, &self->bytes);
}

static void remove_text(const struct change *change, struct column *column,
                        struct sh_bytes text)
{
    struct columns *self = change->self;
    struct text_value *value =
        texts_find(&column->texts, text, texts_hash(text, self->seed));
    if (!value)
        return;
    slot_set_remove(&value->set, &self->places, change->document, &self->bytes);
    if (value->set.count == 0)
        texts_drop(&column->texts, value, &self->bytes);
}

static enum sh_err add_number(const struct change *change, struct ordered *map,
                              double number)
{
    struct columns *self = change->self;
    struct ordered_entry *entry = ordered_add(map, number, &self->bytes);
    if (!entry)
        return SH_NOMEM;
    return slot_set_add(&entry->set, &self->places, change->document, &self->bytes);
}

static void remove_number(const struct change *change, struct ordered *map, double number)
{
    struct columns *self = change->self;
    struct ordered_entry *entry = ordered_find(map, number);
    if (!entry)
        return;
    slot_set_remove(&entry->set, &self->places, change->document, &self->bytes);
    if (entry->set.count == 0)
        ordered_drop(map, number, &self->bytes);
}

static enum sh_err add_value(const struct change *change,
                             const struct metadata_value *value)
{
    struct columns *self = change->self;
    struct column *column = columns_add(self, value->key);
    if (!column)
        return SH_NOMEM;
    enum sh_err err =
        slot_set_add(&column->having, &self->places, change->document, &self->bytes);
    if (err != SH_OK)
        return err;
    if (value->type == METADATA_NUMBER)
        return add_number(change, &column->numbers, value->number);
    if (value->type == METADATA_FLAG)
        return slot_set_add(&column->flags[value->number > 0], &self->places,
                            change->document, &self->bytes);
    err = add_text(change, column, value->text);
    if (err == SH_OK && value->dated)
        err = add_number(change, &column->dates, value->number);
    return err;
}

static void remove_value(const struct change *change, const struct metadata_value *value)
{
    struct columns *self = change->self;
    struct column *column = columns_find(self, value->key);
    if (!column)
        return;
    if (value->type == METADATA_NUMBER) {
        remove_number(change, &column->numbers, value->number);
    } else if (value->type == METADATA_FLAG) {
        slot_set_remove(&column->flags[value->number > 0], &self->places,
                        change->document, &self->bytes);
    } else {
        remove_text(change, column, value->text);
        if (value->dated)
            remove_number(change, &column->dates, value->number);
    }
    slot_set_remove(&column->having, &self->places, change->document, &self->bytes);
    columns_drop_if_empty(self, column);
}

/* --- positions -------------------------------------------------------------------- */

/* Where a document has several numbers under a key, its position is the first of them. */
static void note_first(struct columns *self, const struct metadata *metadata)
{
    self->turn++;
    for (size_t i = 0; metadata && i < metadata->count; i++) {
        const struct metadata_value *value = &metadata->values[i];
        struct column *column =
            value->type == METADATA_NUMBER ? columns_find(self, value->key) : NULL;
        if (!column || column->turn == self->turn)
            continue;
        column->turn = self->turn;
        column->first = value->number;
    }
}

struct pair {
    struct sh_bytes key; /* without .lat */
    enum geo_sphere sphere;
    double lat;
    double lon;
};

static const struct sphere_names {
    const char *lat;
    const char *lon;
} spheres[GEO_SPHERES] = {[GEO_GLOBE] = {".lat", ".lon"}, [GEO_SKY] = {".dec", ".ra"}};

/* True when the value is the latitude of a position there. After note_first(). */
static bool is_position_of(const struct columns *self, const struct metadata_value *value,
                           enum geo_sphere sphere, struct pair *out)
{
    const struct sphere_names *names = &spheres[sphere];
    char key[METADATA_KEY_MAX];
    const char *name = value->key.data;
    size_t lat_len = strlen(names->lat), lon_len = strlen(names->lon);
    if (value->key.len < lat_len || value->key.len > sizeof(key) ||
        memcmp(name + value->key.len - lat_len, names->lat, lat_len) != 0)
        return false;
    size_t len = value->key.len - lat_len;
    memcpy(key, name, len);
    memcpy(key + len, names->lon, lon_len); /* no longer than that of the latitude */
    const struct column *lat = columns_find(self, value->key);
    const struct column *lon = columns_find(self, (struct sh_bytes){key, len + lon_len});
    if (!lat || !lon || lat->turn != self->turn || lon->turn != self->turn)
        return false;
    *out = (struct pair){{name, len}, sphere, lat->first, lon->first};
    return true;
}

static bool is_position(const struct columns *self, const struct metadata_value *value,
                        struct pair *out)
{
    return value->type == METADATA_NUMBER &&
           (is_position_of(self, value, GEO_GLOBE, out) ||
            is_position_of(self, value, GEO_SKY, out));
}

static enum sh_err add_positions(const struct change *change,
                                 const struct metadata *metadata)
{
    struct columns *self = change->self;
    struct pair pair;
    enum sh_err err = SH_OK;
    note_first(self, metadata);
    for (size_t i = 0; err == SH_OK && metadata && i < metadata->count; i++) {
        if (!is_position(self, &metadata->values[i], &pair))
            continue;
        struct column *column = columns_add(self, pair.key);
        err = column ? geo_add(&column->cells[pair.sphere], &self->places, pair.lat,
                               pair.lon, change->document, &self->bytes)
                     : SH_NOMEM;
        if (column && err != SH_OK)
            columns_drop_if_empty(self, column);
    }
    return err;
}

static void remove_positions(const struct change *change, const struct metadata *metadata)
{
    struct columns *self = change->self;
    struct pair pair;
    note_first(self, metadata);
    for (size_t i = 0; metadata && i < metadata->count; i++) {
        struct column *column = is_position(self, &metadata->values[i], &pair)
                                    ? columns_find(self, pair.key)
                                    : NULL;
        if (!column)
            continue;
        geo_remove(&column->cells[pair.sphere], &self->places, pair.lat, pair.lon,
                   change->document, &self->bytes);
        columns_drop_if_empty(self, column);
    }
}

/* --- documents -------------------------------------------------------------------- */

static void fixed_texts(const struct filter_row *row, struct sh_bytes *texts)
{
    texts[FIELD_ID] = row->id;
    texts[FIELD_COLLECTION] = row->collection;
    texts[FIELD_DEPARTMENT] = row->department;
    texts[FIELD_CAMPUS] = row->campus;
}

static enum sh_err add_fixed(const struct change *change, const struct filter_row *row)
{
    struct columns *self = change->self;
    struct sh_bytes texts[FIELD_METADATA] = {{0}};
    enum sh_err err = SH_OK;
    fixed_texts(row, texts);
    for (int i = 0; err == SH_OK && i < FIELD_METADATA; i++) {
        if (texts[i].len > 0)
            err = add_text(change, &self->fixed[i], texts[i]);
    }
    if (err == SH_OK)
        err = add_number(change, &self->fixed[FIELD_PRIORITY].numbers, row->priority);
    if (err == SH_OK)
        err = add_number(change, &self->fixed[FIELD_CLEARANCE].numbers,
                         row->clearance_level);
    return err;
}

static void remove_fixed(const struct change *change, const struct filter_row *row)
{
    struct columns *self = change->self;
    struct sh_bytes texts[FIELD_METADATA] = {{0}};
    fixed_texts(row, texts);
    for (int i = 0; i < FIELD_METADATA; i++) {
        if (texts[i].len > 0)
            remove_text(change, &self->fixed[i], texts[i]);
    }
    remove_number(change, &self->fixed[FIELD_PRIORITY].numbers, row->priority);
    remove_number(change, &self->fixed[FIELD_CLEARANCE].numbers, row->clearance_level);
}

/* Also what came in only in part. */
static void remove_values(const struct change *change, const struct filter_row *row)
{
    remove_positions(change, row->metadata);
    for (size_t i = 0; row->metadata && i < row->metadata->count; i++)
        remove_value(change, &row->metadata->values[i]);
    remove_fixed(change, row);
    places_drop(&change->self->places, change->document);
}

static void set_all(struct columns *self, uint32_t document, bool in)
{
    uint32_t count = 0;
    const struct slot_run *runs = places_runs(&self->places, document, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t last = runs[i].first + (runs[i].count - 1);
        if (in)
            roaring_bitmap_add_range_closed(self->all, runs[i].first, last);
        else
            roaring_bitmap_remove_range_closed(self->all, runs[i].first, last);
    }
}

enum sh_err columns_put(struct columns *self, const struct filter_row *row,
                        const struct slot_list *slots, uint32_t *number)
{
    struct change change = {.self = self};
    *number = UINT32_MAX;
    if (slots->count == 0)
        return SH_OK;
    enum sh_err err = places_add(&self->places, slots, &change.document);
    if (err != SH_OK)
        return err;
    err = add_fixed(&change, row);
    for (size_t i = 0; err == SH_OK && row->metadata && i < row->metadata->count; i++)
        err = add_value(&change, &row->metadata->values[i]);
    if (err == SH_OK)
        err = add_positions(&change, row->metadata);
    if (err != SH_OK) {
        remove_values(&change, row);
        return err;
    }
    set_all(self, change.document, true);
    *number = change.document;
    return SH_OK;
}

void columns_remove(struct columns *self, const struct filter_row *row, uint32_t number)
{
    const struct change change = {self, number};
    if (number == UINT32_MAX)
        return;
    set_all(self, number, false);
    remove_values(&change, row);
}

enum sh_err columns_create(struct columns **out)
{
    struct columns *self = sh_alloc(sizeof(*self));
    *out = NULL;
    if (!self)
        return SH_NOMEM;
    self->all = roaring_bitmap_create();
    if (!self->all) {
        sh_free(self);
        return SH_NOMEM;
    }
    if (getrandom(&self->seed, sizeof(self->seed), GRND_NONBLOCK) < 0)
        self->seed = (uint64_t)(uintptr_t)self; /* early in a machine's life */
    *out = self;
    return SH_OK;
}

void columns_free(struct columns **out)
{
    struct columns *self = *out;
    if (!self)
        return;
    for (int i = 0; i < FIELD_METADATA; i++)
        column_clear(&self->fixed[i], &self->bytes);
    for (uint32_t i = 0; i < self->bucket_count; i++) {
        for (struct column *column = self->buckets[i], *next; column; column = next) {
            next = column->next;
            column_clear(column, &self->bytes);
            sh_free(column);
        }
    }
    sh_free(self->buckets);
    places_free(&self->places);
    roaring_bitmap_free(self->all);
    sh_free(self);
    *out = NULL;
}

size_t columns_bytes(const struct columns *self)
{
    return sizeof(*self) + self->bytes + self->places.bytes +
           roaring_bitmap_portable_size_in_bytes(self->all);
}
