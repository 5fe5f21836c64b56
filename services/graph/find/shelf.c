#include "services/graph/find/shelf.h"

#include <uv.h>

enum { PLACES = 8, NAME_ROOM = 256, DIFFERING_PART = 16 };

struct shelved {
    const struct shelf_kind *kind;
    void *index;
    size_t users; /* the shelf is one */
};

struct place {
    struct shelved *shelved; /* NULL: none yet */
    char property[NAME_ROOM];
    size_t len;
    uint64_t used;
    bool taken;
    bool building;
};

struct shelf {
    const struct shelf_kind *kind;
    uv_mutex_t lock;
    uv_cond_t built;
    struct place places[PLACES];
    uint64_t clock;
};

/* --- life ------------------------------------------------------------------------- */

static void let_go(struct shelved *shelved)
{
    if (shelved == NULL || --shelved->users > 0)
        return;
    shelved->kind->free(shelved->index);
    sh_free(shelved);
}

enum sh_err shelf_create(const struct shelf_kind *kind, struct shelf **out)
{
    struct shelf *shelf = sh_alloc(sizeof(*shelf));
    *out = NULL;
    if (shelf == NULL)
        return SH_NOMEM;
    if (uv_mutex_init(&shelf->lock) != 0) {
        sh_free(shelf);
        return SH_NOMEM;
    }
    if (uv_cond_init(&shelf->built) != 0) {
        uv_mutex_destroy(&shelf->lock);
        sh_free(shelf);
        return SH_NOMEM;
    }
    shelf->kind = kind;
    *out = shelf;
    return SH_OK;
}

void shelf_free(struct shelf **shelf_p)
{
    struct shelf *shelf = *shelf_p;
    *shelf_p = NULL;
    if (shelf == NULL)
        return;
    for (size_t i = 0; i < PLACES; i++)
        let_go(shelf->places[i].shelved);
    uv_cond_destroy(&shelf->built);
    uv_mutex_destroy(&shelf->lock);
    sh_free(shelf);
}

/* --- under the lock --------------------------------------------------------------- */

static struct place *find(struct shelf *shelf, struct sh_bytes property)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &shelf->places[i];
        if (place->taken &&
            sh_bytes_equal((struct sh_bytes){place->property, place->len}, property))
            return place;
    }
    return NULL;
}

/* One that was not used for longest and is not being built in; NULL: there is none. */
static struct place *clear_one(struct shelf *shelf, struct sh_bytes property)
{
    struct place *oldest = NULL;
    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &shelf->places[i];
        if (!place->building && (oldest == NULL || place->used < oldest->used))
            oldest = place;
    }
    if (oldest == NULL)
        return NULL;
    let_go(oldest->shelved);
    *oldest = (struct place){.taken = true, .len = property.len};
    if (property.len > 0)
        memcpy(oldest->property, property.data, property.len);
    return oldest;
}

static bool serves(const struct shelved *shelved, const struct graph_version *version)
{
    uint32_t enough = version->nodes.page_count / DIFFERING_PART;
    return shelved && seen_differing(shelved->index, version) <= enough;
}

static struct shelved *hand_out(struct shelf *shelf, struct place *place)
{
    place->used = ++shelf->clock;
    place->shelved->users++;
    return place->shelved;
}

/* The place to build in; NULL with *out: that one is to be used; NULL without: there is
 * no place for it. */
static struct place *choose(struct shelf *shelf, const struct graph_version *version,
                            struct sh_bytes property, struct shelved **out)
{
    *out = NULL;
    for (;;) {
        struct place *place = find(shelf, property);
        if (place == NULL)
            place = clear_one(shelf, property);
        if (place == NULL)
            return NULL;
        if (place->shelved && (place->building || serves(place->shelved, version))) {
            *out = hand_out(shelf, place);
            return NULL;
        }
        if (!place->building) {
            place->building = true;
            return place;
        }
        uv_cond_wait(&shelf->built, &shelf->lock);
    }
}

/* --- taking ----------------------------------------------------------------------- */

static enum sh_err build(const struct shelf_kind *kind,
                         const struct graph_version *version, const void *about,
                         struct shelved **out)
{
    struct shelved *shelved = sh_alloc(sizeof(*shelved));
    *out = shelved;
    if (shelved == NULL)
        return SH_NOMEM;
    shelved->users = 1;
    shelved->kind = kind;
    enum sh_err err = kind->build(version, about, &shelved->index);
    if (err != SH_OK) {
        sh_free(shelved);
        *out = NULL;
    }
    return err;
}

enum sh_err shelf_take(struct shelf *shelf, const struct graph_version *version,
                       struct sh_bytes property, const void *about, struct shelved **out)
{
    struct shelved *made = NULL;
    if (property.len > NAME_ROOM)
        return SH_TOOBIG;
    uv_mutex_lock(&shelf->lock);
    struct place *place = choose(shelf, version, property, out);
    uv_mutex_unlock(&shelf->lock);
    if (*out != NULL)
        return SH_OK;
    enum sh_err err = build(shelf->kind, version, about, &made);
    if (place == NULL) { /* for this question only */
        *out = made;
        return err;
    }
    uv_mutex_lock(&shelf->lock);
    place->building = false;
    if (err == SH_OK) {
        let_go(place->shelved);
        place->shelved = made;
        *out = hand_out(shelf, place);
    }
    uv_cond_broadcast(&shelf->built);
    uv_mutex_unlock(&shelf->lock);
    return err;
}

const void *shelf_index(const struct shelved *shelved)
{
    return shelved->index;
}

void shelf_give_back(struct shelf *shelf, struct shelved *shelved)
{
    uv_mutex_lock(&shelf->lock);
    let_go(shelved);
    uv_mutex_unlock(&shelf->lock);
}

void shelf_each(struct shelf *shelf, shelf_each_fn *each, void *arg)
{
    uv_mutex_lock(&shelf->lock);
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *place = &shelf->places[i];
        if (place->shelved != NULL)
            each(arg, (struct sh_bytes){place->property, place->len},
                 place->shelved->index);
    }
    uv_mutex_unlock(&shelf->lock);
}
