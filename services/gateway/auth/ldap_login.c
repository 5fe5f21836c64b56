/* A login by the directory, from a loop: settings and the way over a worker. */
#include <stdio.h>

#include "services/gateway/auth/auth.h"
#include "services/gateway/auth/ldap.h"
#include "services/gateway/auth/ldap_text.h"
#include "services/gateway/edge.h"
#include "shared/mem.h"

SH_SETTINGS_DEFINE(ldap, "Directory (LDAP)", LDAP_SETTINGS)

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_near(const char *url)
{
    static const char *const near[] = {"ldapi:", "ldap://127.", "ldap://localhost",
                                       "ldap://[::1]"};

    for (size_t i = 0; i < SH_COUNT(near); i++)
        if (begins(url, near[i]))
            return true;
    return false;
}

static bool refuse(char *why, size_t size, const char *sentence)
{
    (void)snprintf(why, size, "%s", sentence);
    return false;
}

bool ldap_settings_check(const struct ldap_config *config, bool production, char *why,
                         size_t size)
{
    const char *url = config->url;

    if (!directory_is_used(config))
        return true;
    if (!begins(url, "ldap://") && !begins(url, "ldaps://") && !begins(url, "ldapi://"))
        return refuse(why, size,
                      "LDAP_URL must begin with ldaps://, ldap:// or ldapi://");
    if (begins(url, "ldap:") && !config->starttls && (production || !is_near(url)))
        return refuse(why, size,
                      "LDAP_URL would send passwords in plain text: use ldaps:// or "
                      "LDAP_STARTTLS=true");
    if (config->dn_template[0] != '\0' && strstr(config->dn_template, "{}") == NULL)
        return refuse(why, size, "LDAP_USER_DN must hold {}");
    if (config->dn_template[0] == '\0' &&
        (config->user_base[0] == '\0' || strstr(config->user_filter, "{}") == NULL))
        return refuse(why, size,
                      "LDAP_URL needs LDAP_USER_DN, or LDAP_USER_BASE and a "
                      "LDAP_USER_FILTER with {}");
    if (config->search_dn[0] != '\0' && config->search_password[0] == '\0')
        return refuse(why, size, "LDAP_BIND_DN needs LDAP_BIND_PASSWORD");
    if (!ldap_map_is_good(config->group_map))
        return refuse(why, size,
                      "LDAP_GROUP_MAP must be name of group=role, separated by "
                      "semicolons");
    return true;
}

/* --- over a worker ---------------------------------------------------------------- */

struct directory_call {
    struct sh_work work;
    const struct ldap_config *config;
    const struct role_table *table;
    directory_done_fn *done; /* NULL: cancelled */
    void *arg;
    struct directory_call **slot;
    struct sh_bytes username; /* in `texts`, like the password */
    struct sh_bytes password;
    enum sh_err err;
    struct principal *principal;
    char texts[];
};

static void on_worker(struct sh_work *work)
{
    struct directory_call *call = SH_CONTAINER_OF(work, struct directory_call, work);

    call->err = directory_check(call->config, call->table, call->username, call->password,
                                &call->principal);
}

static void on_done(struct sh_work *work, enum sh_err err)
{
    struct directory_call *call = SH_CONTAINER_OF(work, struct directory_call, work);

    if (call->done != NULL) {
        *call->slot = NULL;
        call->done(call->arg, err == SH_OK ? call->err : err, call->principal);
    }
    principal_drop(call->principal);
    explicit_bzero(call->texts, call->username.len + call->password.len);
    sh_free(call);
}

enum sh_err directory_login(struct edge *edge, struct sh_bytes username,
                            struct sh_bytes password, directory_done_fn *done, void *arg,
                            struct directory_call **out)
{
    const struct ldap_config *config = &edge->gateway->ldap_config;
    struct directory_call *call = NULL;

    *out = NULL;
    if (!directory_is_used(config))
        return SH_NOTFOUND;
    call = sh_alloc(sizeof *call + username.len + password.len);
    if (call == NULL)
        return SH_NOMEM;
    *call =
        (struct directory_call){.work = {.run = on_worker, .done = on_done},
                                .config = config,
                                .table = roles_now(edge->gateway->auth->roles),
                                .done = done,
                                .arg = arg,
                                .slot = out,
                                .username = {call->texts, username.len},
                                .password = {call->texts + username.len, password.len}};
    if (username.len > 0)
        memcpy(call->texts, username.data, username.len);
    if (password.len > 0)
        memcpy(call->texts + username.len, password.data, password.len);
    enum sh_err err = sh_workers_submit(edge->workers, &call->work);
    if (err == SH_OK) {
        *out = call;
        return SH_OK;
    }
    explicit_bzero(call->texts, username.len + password.len);
    sh_free(call);
    return err;
}

void directory_cancel(struct directory_call **call)
{
    if (*call != NULL)
        (*call)->done = NULL;
    *call = NULL;
}
