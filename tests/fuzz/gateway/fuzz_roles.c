/* A file of roles, and the claims and groups that lead to one, as strangers write them.
 * The first byte says which. */
#include <stdint.h>
#include <stdlib.h>

#include "services/gateway/auth/claims.h"
#include "services/gateway/auth/ldap_text.h"
#include "services/gateway/auth/roles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char role_map[] = "academic_staff=academic,it_administrator=admin,nobody=";

static void read_claims(struct roles *roles, struct sh_bytes json)
{
    const struct auth_config config = {.claim_user_id = "guid|sub|user_id",
                                       .claim_username = "username",
                                       .claim_role = "role|realm_access.roles",
                                       .claim_department = "department",
                                       .claim_campus = "campus|a.b.c.d.e",
                                       .role_map = role_map,
                                       .role_unknown = "anonymous"};
    struct claims_map *map = NULL;
    struct principal *principal = NULL;
    struct jwt jwt = {json_loadb(json.data, json.len, 0, NULL), 1, JWT_HS256};
    if (claims_map_create(&config, &map) != SH_OK)
        abort();
    if (json_is_object(jwt.claims) &&
        claims_read(map, &jwt, roles_now(roles), &principal) == SH_OK &&
        (principal->user_id.len == 0 || principal->user_id.len > CLAIM_TEXT_MAX ||
         role_find(roles_now(roles), principal->role) == NULL))
        abort();
    principal_drop(principal);
    claims_map_free(&map);
    jwt_free(&jwt);
}

/* What was filled in is one value: nothing of it ends the filter's or the name's part. */
static void fill(struct sh_bytes value)
{
    struct sh_buffer out = {0};
    ldap_fill("uid={}", value, &out);
    for (size_t i = 4; out.err == SH_OK && out.data[i] != '\0'; i++)
        if (strchr(",=+<>;\"#*()", out.data[i]) != NULL)
            abort();
    sh_buffer_free(&out);
}

static void map_groups(const struct roles *roles, struct sh_bytes text)
{
    char *map = sh_strndup(text.data, text.len);
    if (map != NULL && ldap_map_is_good(map))
        (void)ldap_role_of_group(map, roles_now(roles), "cn=staff,dc=example", NULL);
    sh_free(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct roles *roles = NULL;
    char why[64];
    if (size == 0 || roles_create(&roles) != SH_OK)
        return 0;
    struct sh_bytes rest = {data + 1, size - 1};
    if (data[0] % 4 == 0) {
        if (roles_load(roles, rest, why, sizeof why) == SH_OK &&
            role_count(roles_now(roles)) == 0)
            abort();
        const struct role *anonymous = role_anonymous(roles_now(roles));
        if (strcmp(anonymous->name, "anonymous") != 0 ||
            role_may(anonymous, PERMIT_ADMIN_USERS))
            abort();
    } else if (data[0] % 4 == 1) {
        read_claims(roles, rest);
    } else if (data[0] % 4 == 2) {
        fill(rest);
    } else {
        map_groups(roles, rest);
    }
    roles_free(&roles);
    return 0;
}
