#include "services/gateway/graphs/graphml_keys.h"

enum { KEYS_MAX = 65536 };

const char *graphml_attribute(const char **list, const char *name)
{
    for (; *list != NULL; list += 2)
        if (strcmp(list[0], name) == 0)
            return list[1];
    return NULL;
}

static bool make_room(struct graphml_keys *keys)
{
    if ((keys->count & (keys->count - 1)) != 0)
        return true;
    size_t room = keys->count > 0 ? 2 * keys->count : 1;
    struct graphml_key *items = sh_realloc(keys->items, room * sizeof(*items));
    if (items != NULL)
        keys->items = items;
    return items != NULL;
}

static bool is_for(const char **list, const char *what)
{
    const char *of = graphml_attribute(list, "for");

    return of == NULL || strcmp(of, "all") == 0 || strcmp(of, what) == 0;
}

enum sh_err graphml_key_add(struct graphml_keys *keys, const char **list)
{
    const char *id = graphml_attribute(list, "id");
    const char *name = graphml_attribute(list, "attr.name");
    const char *type = graphml_attribute(list, "c:type");
    struct graphml_key key = {.of_nodes = is_for(list, "node"),
                              .of_edges = is_for(list, "edge")};

    type = type != NULL ? type : graphml_attribute(list, "attr.type");
    if (id == NULL || keys->count == KEYS_MAX ||
        (type != NULL && !reader_type(sh_bytes_of(type), &key.type)))
        return SH_INVALID;
    key.name = sh_strdup(name != NULL ? name : id);
    if (key.name == NULL || !make_room(keys) ||
        json_object_set_new(keys->places, id, json_integer((json_int_t)keys->count)) !=
            0) {
        sh_free(key.name);
        return SH_NOMEM;
    }
    keys->items[keys->count++] = key;
    return SH_OK;
}

struct graphml_key *graphml_key_find(struct graphml_keys *keys, const char *id)
{
    json_t *place = json_object_get(keys->places, id);

    return place != NULL ? &keys->items[json_integer_value(place)] : NULL;
}

void graphml_keys_free(struct graphml_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        sh_free(keys->items[i].name);
        json_decref(keys->items[i].fallback);
    }
    sh_free(keys->items);
    json_decref(keys->places);
    *keys = (struct graphml_keys){0};
}
