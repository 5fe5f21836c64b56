#include "services/gateway/auth/claims.h"

#include <stdio.h>

#include "shared/mem.h"

enum { PAIRS_MAX = 256, DEPTH_MAX = 4 };

struct pair {
    struct sh_bytes claim;
    struct sh_bytes role; /* empty: none of ours */
};

struct claims_map {
    const struct auth_config *config;
    struct pair pairs[PAIRS_MAX];
    size_t count;
};

/* --- the map ---------------------------------------------------------------------- */

static struct sh_bytes trim(const char *from, const char *to)
{
    while (from < to && *from == ' ')
        from++;
    while (to > from && to[-1] == ' ')
        to--;
    return (struct sh_bytes){from, (size_t)(to - from)};
}

static bool add_pair(struct claims_map *map, const char *from, const char *to)
{
    const char *equals = memchr(from, '=', (size_t)(to - from));

    if (trim(from, to).len == 0)
        return true;
    if (equals == NULL || trim(from, equals).len == 0 || map->count == PAIRS_MAX)
        return false;
    map->pairs[map->count++] = (struct pair){trim(from, equals), trim(equals + 1, to)};
    return true;
}

enum sh_err claims_map_create(const struct auth_config *config, struct claims_map **out)
{
    struct claims_map *map = sh_alloc(sizeof *map);
    const char *at = config->role_map;
    bool good = true;

    *out = map;
    if (map == NULL)
        return SH_NOMEM;
    map->config = config;
    while (good && *at != '\0') {
        const char *end = at + strcspn(at, ",");
        good = add_pair(map, at, end);
        at = *end == ',' ? end + 1 : end;
    }
    if (!good)
        claims_map_free(out);
    return good ? SH_OK : SH_INVALID;
}

void claims_map_free(struct claims_map **self)
{
    sh_free(*self);
    *self = NULL;
}

/* --- finding a claim -------------------------------------------------------------- */

/* "a.b": the member of that name, or b of a. */
static const json_t *follow(const json_t *object, struct sh_bytes path)
{
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        const json_t *whole = json_object_getn(object, path.data, path.len);
        const char *dot = whole == NULL ? memchr(path.data, '.', path.len) : NULL;
        if (dot == NULL)
            return whole;
        size_t len = (size_t)(dot - (const char *)path.data);
        object = json_object_getn(object, path.data, len);
        path = (struct sh_bytes){dot + 1, path.len - len - 1};
    }
    return NULL;
}

/* The first of "a|b" that is there, or of our own name for it in a token of ours; null
 * counts as absent. */
static const json_t *find(const struct jwt *jwt, const char *names, const char *own)
{
    const json_t *claims = jwt->claims;

    while (*names != '\0') {
        size_t len = strcspn(names, "|");
        const json_t *value = follow(claims, (struct sh_bytes){names, len});
        if (value != NULL && !json_is_null(value))
            return value;
        names += len + (names[len] == '|');
    }
    return jwt->alg == JWT_HS256 ? json_object_get(claims, own) : NULL;
}

static bool is_fit(struct sh_bytes text)
{
    const unsigned char *bytes = text.data;

    for (size_t i = 0; i < text.len; i++)
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return false;
    return text.len <= CLAIM_TEXT_MAX;
}

/* An absent one is empty. False: there is one, and it is no text that can be taken. */
static bool text_of(const struct jwt *jwt, const char *names, const char *own,
                    struct sh_bytes *out)
{
    const json_t *value = find(jwt, names, own);

    if (json_is_array(value) && json_array_size(value) == 1)
        value = json_array_get(value, 0);
    *out = (struct sh_bytes){json_string_value(value), json_string_length(value)};
    return (value == NULL || json_is_null(value) || json_is_string(value)) &&
           is_fit(*out);
}

/* --- the role --------------------------------------------------------------------- */

/* NULL: none of ours. */
static const struct role *role_for(const struct claims_map *map, const json_t *value,
                                   const struct role_table *table)
{
    struct sh_bytes claim = {json_string_value(value), json_string_length(value)};

    if (!json_is_string(value))
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (sh_bytes_equal(map->pairs[i].claim, claim))
            return role_find(table, map->pairs[i].role);
    return role_find(table, claim);
}

static const struct role *best_role(const struct claims_map *map, const json_t *value,
                                    const struct role_table *table)
{
    const struct role *best = NULL;

    if (!json_is_array(value))
        return role_for(map, value, table);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const struct role *role = role_for(map, json_array_get(value, i), table);
        if (role != NULL && (best == NULL || role->clearance > best->clearance))
            best = role;
    }
    return best;
}

enum sh_err claims_read(const struct claims_map *map, const struct jwt *jwt,
                        const struct role_table *table, struct principal **out)
{
    const struct auth_config *config = map->config;
    struct principal found = {.credential = CREDENTIAL_TOKEN,
                              .scopes = UINT64_MAX,
                              .expires_s = jwt->expires_s};

    *out = NULL;
    if (!text_of(jwt, config->claim_user_id, "sub", &found.user_id) ||
        !text_of(jwt, config->claim_username, "username", &found.username) ||
        !text_of(jwt, config->claim_department, "department", &found.department) ||
        !text_of(jwt, config->claim_campus, "campus", &found.campus) ||
        found.user_id.len == 0)
        return SH_INVALID;
    const struct role *role =
        best_role(map, find(jwt, config->claim_role, "role"), table);
    if (role == NULL)
        role = role_find(table, sh_bytes_of(config->role_unknown));
    if (role == NULL)
        return SH_INVALID;
    found.role = sh_bytes_of(role->name);
    *out = principal_create(&found);
    return *out != NULL ? SH_OK : SH_NOMEM;
}
