#include "services/gateway/auth/auth.h"

#include "services/gateway/edge.h"
#include "shared/log.h"
#include "shared/mem.h"

/* --- the process ------------------------------------------------------------------ */

static enum sh_err load_roles(struct auth *self)
{
    char why[256];
    const char *path = self->config->roles_file;

    if (path[0] == '\0')
        return SH_OK;
    enum sh_err err = roles_load_file(self->roles, path, why, sizeof why);
    if (err != SH_OK)
        sh_error(NULL, "ROLES_FILE %s: %s", path, why);
    return err;
}

static enum sh_err fill(struct auth *self)
{
    enum sh_err err = roles_create(&self->roles);

    if (err == SH_OK)
        err = load_roles(self);
    if (err == SH_OK)
        err = keyring_create(self->config, &self->keyring);
    if (err != SH_OK)
        return err;
    err = claims_map_create(self->config, &self->claims);
    if (err == SH_INVALID)
        sh_error(NULL, "JWT_ROLE_MAP must be claim=role, separated by commas");
    return err;
}

static enum sh_err fetch_keys(struct auth *self, uv_loop_t *loop,
                              struct sh_health *health)
{
    struct sh_health_check *check = NULL;

    if (self->config->jwks_url[0] == '\0')
        return SH_OK;
    if (health != NULL &&
        (check = sh_health_add(health, "identity_provider", false)) == NULL)
        return SH_NOMEM;
    return jwks_open(loop, self->config, self->keyring, check, &self->jwks);
}

enum sh_err auth_open(const struct auth_config *config, bool jwt_mode, uv_loop_t *loop,
                      struct sh_health *health, struct auth **out)
{
    struct auth *self = sh_alloc(sizeof *self);

    *out = self;
    if (self == NULL)
        return SH_NOMEM;
    self->config = config;
    self->jwt_mode = jwt_mode;
    enum sh_err err = fill(self);
    if (err == SH_OK)
        err = fetch_keys(self, loop, health);
    if (err != SH_OK)
        auth_close(out);
    return err;
}

/* Also called when the connection was made anew: what happened meanwhile is not known. */
static void on_revoked(void *arg, const char *payload)
{
    struct auth *self = arg;

    (void)payload;
    atomic_fetch_add(&self->key_epoch, 1);
}

enum sh_err auth_listen(struct auth *self, uv_loop_t *loop,
                        const struct sh_pg_config *config)
{
    return sh_pg_listen(loop, config, "cairn_api_keys", on_revoked, self,
                        &self->listener);
}

void auth_reload(struct auth *self)
{
    if (load_roles(self) == SH_OK && self->config->roles_file[0] != '\0')
        sh_info(NULL, "roles were read again");
}

void auth_close(struct auth **self)
{
    if (*self == NULL)
        return;
    if ((*self)->listener != NULL)
        sh_pg_unlisten(&(*self)->listener);
    jwks_close(&(*self)->jwks);
    claims_map_free(&(*self)->claims);
    keyring_free(&(*self)->keyring);
    roles_free(&(*self)->roles);
    sh_free(*self);
    *self = NULL;
}

/* --- of a loop -------------------------------------------------------------------- */

enum sh_err auth_edge_open(struct edge *edge, struct auth_edge **out)
{
    struct auth_edge *self = sh_alloc(sizeof *self);

    *out = self;
    if (self == NULL)
        return SH_NOMEM;
    enum sh_err err = seen_create(&self->tokens);
    if (err == SH_OK)
        err = seen_create(&self->keys);
    if (err == SH_OK)
        err = key_use_open(edge->loop, edge->pg, &self->use);
    if (err != SH_OK)
        auth_edge_close(out);
    return err;
}

void auth_edge_close(struct auth_edge **self)
{
    if (*self == NULL)
        return;
    key_use_close(&(*self)->use);
    seen_free(&(*self)->keys);
    seen_free(&(*self)->tokens);
    sh_free(*self);
    *self = NULL;
}
