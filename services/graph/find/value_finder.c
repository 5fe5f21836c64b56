#include "services/graph/find/value_finder.h"

#include "services/graph/find/shelf.h"

struct value_finder {
    struct shelf *shelf;
};

static enum sh_err build(const struct graph_version *version, const void *about,
                         void **out)
{
    const uint32_t *key = about;
    struct value_index *index = NULL;
    enum sh_err err = value_index_build(version, *key, &index);
    *out = index;
    return err;
}

static void release(void *index)
{
    struct value_index *values = index;
    value_index_free(&values);
}

static const struct shelf_kind values_kind = {build, release};

enum sh_err value_finder_create(struct value_finder **out)
{
    struct value_finder *self = sh_alloc(sizeof(*self));
    enum sh_err err = self ? shelf_create(&values_kind, &self->shelf) : SH_NOMEM;
    if (err != SH_OK) {
        sh_free(self);
        self = NULL;
    }
    *out = self;
    return err;
}

void value_finder_free(struct value_finder **self)
{
    if (*self == NULL)
        return;
    shelf_free(&(*self)->shelf);
    sh_free(*self);
    *self = NULL;
}

static enum sh_err gather(const struct value_index *index,
                          const struct graph_version *version,
                          const struct value_question *question, roaring_bitmap_t **out)
{
    size_t found = (size_t)seen_differing(&index->seen, version) * PAGE_ITEMS;
    for (size_t i = 0; i < question->count && found <= question->most; i++)
        found += value_index_count(index, &question->ranges[i]);
    if (found > question->most)
        return SH_OK;
    *out = roaring_bitmap_create();
    if (*out == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < question->count; i++)
        value_index_add(index, version, &question->ranges[i], *out);
    value_index_add_changed(index, version, *out);
    return SH_OK;
}

enum sh_err value_finder_find(struct value_finder *self,
                              const struct graph_reader *reader,
                              const struct value_question *question,
                              roaring_bitmap_t **out)
{
    struct sh_bytes name = symbols_text(graph_keys(reader->graph), question->key);
    struct shelved *shelved;
    *out = NULL;
    enum sh_err err =
        shelf_take(self->shelf, reader->version, name, &question->key, &shelved);
    if (err != SH_OK)
        return err == SH_TOOBIG ? SH_OK : err; /* such a name is in no index */
    err = gather(shelf_index(shelved), reader->version, question, out);
    shelf_give_back(self->shelf, shelved);
    return err;
}

struct telling {
    value_finder_each_fn *each;
    void *arg;
};

static void tell(void *arg, struct sh_bytes property, const void *index)
{
    const struct telling *telling = arg;
    const struct value_index *values = index;
    telling->each(telling->arg, property, value_index_bytes(values),
                  values->starts[VALUE_KINDS]);
}

void value_finder_each(struct value_finder *self, value_finder_each_fn *each, void *arg)
{
    struct telling telling = {each, arg};
    shelf_each(self->shelf, tell, &telling);
}
