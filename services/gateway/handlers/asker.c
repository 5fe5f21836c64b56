#include "services/gateway/handlers/asker.h"

#include "services/gateway/auth/auth.h"
#include "services/gateway/auth/authorise.h"

/* On whose behalf: with AUTH_MODE=trusted whoever the body names, while nobody showed a
 * credential; else the caller, or somebody whom the caller may impersonate. */
static enum sh_err find_caller(struct exchange *x, const struct identity_user *user)
{
    const struct auth *auth = x->edge->gateway->auth;
    const struct role_table *table = roles_now(auth->roles);

    if (x->principal == NULL && !auth->jwt_mode)
        return identity_of_user(table, user, &x->caller, &x->role);
    if (user == NULL || !authorised(x, PERMIT_IMPERSONATE))
        return SH_OK;
    return identity_narrow(table, user, &x->caller, &x->role);
}

bool asker_identify(struct exchange *x, const struct identity_user *user)
{
    enum sh_err err = find_caller(x, user);

    if (err == SH_INVALID)
        exchange_invalid(x, "user.role", "user.role must be the name of a role");
    else if (err != SH_OK)
        exchange_fail(x, &(struct sh_problem){.status = 403,
                                              .code = "forbidden",
                                              .field = "user",
                                              .error = "user may see more than you do"});
    return err == SH_OK;
}

bool asker_filters(struct exchange *x, json_t *filters, struct sh_bytes *out)
{
    *out = (struct sh_bytes){0};
    if (filters == NULL || json_object_size(filters) == 0)
        return true;
    size_t size = json_dumpb(filters, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS);
    char *text = sh_arena_alloc(&x->arena, size + 1);
    if (text == NULL ||
        json_dumpb(filters, text, size, JSON_COMPACT | JSON_SORT_KEYS) != size) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    *out = (struct sh_bytes){text, size};
    return true;
}
