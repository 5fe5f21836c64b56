#include "services/gateway/auth/first_admin.h"

#include "services/gateway/auth/password.h"
#include "services/gateway/auth/users.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { AGAIN_MS = 2000 };

struct first_admin {
    struct sh_work work;
    struct edge *edge;
    uv_timer_t timer;
    char hash[PASSWORD_HASH]; /* empty until it is made */
    enum sh_err err;          /* of making it */
    bool busy;                /* PostgreSQL or a worker will call back */
    bool closing;
    bool closed; /* the timer is */
    bool said;   /* that PostgreSQL is away */
};

static void look(struct first_admin *self);

static void free_when_idle(struct first_admin *self)
{
    if (self->closed && !self->busy)
        sh_free(self);
}

static void on_closed(uv_handle_t *handle)
{
    struct first_admin *self = handle->data;

    self->closed = true;
    free_when_idle(self);
}

static void on_timer(uv_timer_t *timer)
{
    look(timer->data);
}

static void again(struct first_admin *self, enum sh_err err)
{
    if (!self->said)
        sh_warning(NULL, "whether there is an admin is not known yet: %s",
                   sh_err_text(err));
    self->said = true;
    (void)uv_timer_start(&self->timer, on_timer, AGAIN_MS, 0); /* the callback is set */
}

/* False: it is being closed, and may be gone now. */
static bool goes_on(struct first_admin *self)
{
    self->busy = false;
    if (!self->closing)
        return true;
    free_when_idle(self);
    return false;
}

static enum sh_err run(struct first_admin *self, const struct sh_pg_statement *statement,
                       const struct sh_pg_param *params, unsigned count,
                       sh_pg_done_fn *done)
{
    const struct sh_pg_step step = {statement, params, count, false};
    const struct sh_pg_call call = {
        .steps = &step,
        .count = 1,
        .deadline_ms = sh_now_ms() + self->edge->gateway->config.write_timeout_ms};
    enum sh_err err = sh_pg_run(self->edge->pg, &call, done, self);

    self->busy = err == SH_OK;
    return err;
}

/* --- making ----------------------------------------------------------------------- */

static void on_made(void *arg, const struct sh_pg_reply *reply)
{
    struct first_admin *self = arg;

    if (!goes_on(self))
        return;
    if (reply->err != SH_OK)
        again(self, reply->err);
    else if (strcmp(PQcmdTuples(reply->results[0]), "1") == 0)
        sh_info(NULL, "made the first admin, %s",
                self->edge->gateway->account_config.admin_username);
    else
        sh_warning(NULL, "ADMIN_USERNAME was not made admin: somebody has that name, or "
                         "there is an admin by now");
}

static void make(struct first_admin *self)
{
    const char *name = self->edge->gateway->account_config.admin_username;
    char key[USER_KEY];

    if (!username_fold(sh_bytes_of(name), key)) /* was checked at the start */
        return;
    const struct sh_pg_param params[] = {{.value = sh_bytes_of(name)},
                                         {.value = sh_bytes_of(key)},
                                         {.value = sh_bytes_of(self->hash)}};
    enum sh_err err = run(self, &users_first_admin, params, SH_COUNT(params), on_made);
    if (err != SH_OK)
        again(self, err);
}

/* On a worker. */
static void hash(struct sh_work *work)
{
    struct first_admin *self = SH_CONTAINER_OF(work, struct first_admin, work);
    const char *password = self->edge->gateway->account_config.admin_password;

    self->err = password_hash(sh_bytes_of(password), self->hash);
}

static void on_hashed(struct sh_work *work, enum sh_err err)
{
    struct first_admin *self = SH_CONTAINER_OF(work, struct first_admin, work);

    if (!goes_on(self))
        return;
    if (err == SH_OK)
        err = self->err;
    if (err == SH_OK)
        make(self);
    else
        again(self, err);
}

/* --- looking ---------------------------------------------------------------------- */

static void on_counted(void *arg, const struct sh_pg_reply *reply)
{
    struct first_admin *self = arg;

    if (!goes_on(self))
        return;
    if (reply->err != SH_OK) {
        again(self, reply->err);
        return;
    }
    if (sh_pg_u64(reply->results[0], 0, 0) > 0)
        return; /* there is one, whoever it is */
    self->work = (struct sh_work){.run = hash, .done = on_hashed};
    enum sh_err err = sh_workers_submit(self->edge->workers, &self->work);
    self->busy = err == SH_OK;
    if (err != SH_OK)
        again(self, err);
}

static void look(struct first_admin *self)
{
    enum sh_err err = run(self, &users_admins, NULL, 0, on_counted);

    if (err != SH_OK)
        again(self, err);
}

enum sh_err first_admin_open(struct edge *edge, struct first_admin **out)
{
    *out = NULL;
    if (edge->gateway->account_config.admin_username[0] == '\0')
        return SH_OK;
    struct first_admin *self = sh_alloc(sizeof *self);
    if (self == NULL)
        return SH_NOMEM;
    enum sh_err err = sh_err_from_uv(uv_timer_init(edge->loop, &self->timer));
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    self->edge = edge;
    self->timer.data = self;
    *out = self;
    look(self);
    return SH_OK;
}

void first_admin_close(struct first_admin **self)
{
    struct first_admin *admin = *self;

    if (admin == NULL)
        return;
    *self = NULL;
    admin->closing = true;
    uv_close((uv_handle_t *)&admin->timer, on_closed);
}
