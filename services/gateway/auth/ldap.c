#include "services/gateway/auth/ldap.h"

#include <ldap.h>
#include <stdio.h>

#include "services/gateway/auth/ldap_text.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { NAME_MOST = 256, PASSWORD_MOST = 1024, GROUPS_MAX = 1000 };

/* One login. */
struct login {
    const struct ldap_config *config;
    const struct role_table *table;
    LDAP *ld;
    uint64_t deadline_ms;
    char *dn; /* of the user, ldap_memfree() */
    const struct role *role;
    char id[NAME_MOST + 1];
    char department[NAME_MOST + 1];
    char campus[NAME_MOST + 1];
};

/* --- the connection --------------------------------------------------------------- */

static enum sh_err err_of(const struct login *login, const char *what, int code)
{
    switch (code) {
    case LDAP_SUCCESS:
        return SH_OK;
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_INVALID_DN_SYNTAX:
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_UNWILLING_TO_PERFORM:
    case LDAP_INAPPROPRIATE_AUTH:
        return SH_FORBIDDEN;
    case LDAP_NO_MEMORY:
        return SH_NOMEM;
    case LDAP_TIMEOUT:
        sh_warning(NULL, "the directory did not %s in time", what);
        return SH_TIMEOUT;
    default:
        sh_warning(NULL, "the directory did not %s: %s", what, ldap_err2string(code));
        return sh_left_ms(login->deadline_ms) == 0 ? SH_TIMEOUT : SH_UNAVAILABLE;
    }
}

static struct timeval left(const struct login *login)
{
    uint64_t ms = sh_left_ms(login->deadline_ms);

    if (ms == 0)
        ms = 1;
    return (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
}

/* What the library waits for must end with the login. */
static enum sh_err set_times(struct login *login)
{
    struct timeval time = left(login);

    if (sh_left_ms(login->deadline_ms) == 0)
        return SH_TIMEOUT;
    int code = ldap_set_option(login->ld, LDAP_OPT_NETWORK_TIMEOUT, &time);
    if (code == LDAP_OPT_SUCCESS)
        code = ldap_set_option(login->ld, LDAP_OPT_TIMEOUT, &time);
    return code == LDAP_OPT_SUCCESS ? SH_OK : SH_NOMEM;
}

static int set_tls(const struct login *login)
{
    int demand = LDAP_OPT_X_TLS_DEMAND, client = 0;
    int least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    const char *ca_file = login->config->ca_file;
    int code = ldap_set_option(login->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);

    if (code == LDAP_OPT_SUCCESS)
        code = ldap_set_option(login->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least);
    if (code == LDAP_OPT_SUCCESS && ca_file[0] != '\0')
        code = ldap_set_option(login->ld, LDAP_OPT_X_TLS_CACERTFILE, ca_file);
    if (code == LDAP_OPT_SUCCESS) /* makes what was set count */
        code = ldap_set_option(login->ld, LDAP_OPT_X_TLS_NEWCTX, &client);
    return code;
}

static enum sh_err open_directory(struct login *login)
{
    int version = LDAP_VERSION3;

    if (ldap_initialize(&login->ld, login->config->url) != LDAP_SUCCESS)
        return SH_NOMEM;
    if (ldap_set_option(login->ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
        ldap_set_option(login->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
        ldap_set_option(login->ld, LDAP_OPT_RESTART, LDAP_OPT_ON) != 0)
        return SH_NOMEM;
    if (strncmp(login->config->url, "ldapi:", 6) == 0)
        return SH_OK;
    if (set_tls(login) != LDAP_OPT_SUCCESS) {
        sh_warning(NULL, "LDAP_CA_FILE: TLS cannot be set up with it");
        return SH_UNAVAILABLE;
    }
    enum sh_err err = set_times(login);
    if (err != SH_OK || !login->config->starttls ||
        strncmp(login->config->url, "ldap:", 5) != 0)
        return err;
    return err_of(login, "turn to TLS", ldap_start_tls_s(login->ld, NULL, NULL));
}

static enum sh_err bind_as(struct login *login, const char *dn, struct sh_bytes password)
{
    char copy[PASSWORD_MOST + 1];
    struct berval secret = {password.len, copy};
    enum sh_err err = set_times(login);

    if (err != SH_OK)
        return err;
    memcpy(copy, password.data, password.len);
    copy[password.len] = '\0';
    int code =
        ldap_sasl_bind_s(login->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
    explicit_bzero(copy, sizeof copy);
    return err_of(login, "take the bind", code);
}

/* --- searching -------------------------------------------------------------------- */

struct search {
    const char *base;
    int scope;
    const char *filter;
    const char **attributes; /* ended by NULL */
    int most;                /* entries that are wanted */
};

/* *found is NULL on an error; else ldap_msgfree(). */
static enum sh_err search(struct login *login, const struct search *search,
                          LDAPMessage **found)
{
    enum sh_err err = set_times(login);
    struct timeval time = left(login);

    *found = NULL;
    if (err != SH_OK)
        return err;
    /* the library takes char ** and changes nothing of it */
    char *attributes[8] = {0};
    for (size_t i = 0; i < 7 && search->attributes[i] != NULL; i++)
        memcpy(&attributes[i], &search->attributes[i], sizeof attributes[i]);
    int code = ldap_search_ext_s(login->ld, search->base, search->scope, search->filter,
                                 attributes, 0, NULL, NULL, &time, search->most, found);
    if (code == LDAP_SIZELIMIT_EXCEEDED && *found != NULL)
        return SH_OK; /* who asked counts */
    if (code != LDAP_SUCCESS && *found != NULL) {
        ldap_msgfree(*found);
        *found = NULL;
    }
    return err_of(login, "answer a search", code);
}

/* The first value; what is no short text counts as absent. */
static void read_value(const struct login *login, LDAPMessage *entry, const char *name,
                       char out[NAME_MOST + 1])
{
    struct berval **values =
        name[0] != '\0' ? ldap_get_values_len(login->ld, entry, name) : NULL;

    out[0] = '\0';
    if (values == NULL)
        return;
    size_t len = values[0] != NULL ? values[0]->bv_len : 0;
    if (len > 0 && len <= NAME_MOST && memchr(values[0]->bv_val, '\0', len) == NULL) {
        memcpy(out, values[0]->bv_val, len);
        out[len] = '\0';
    }
    ldap_value_free_len(values);
}

static void join(struct login *login, const char *group)
{
    login->role =
        ldap_role_of_group(login->config->group_map, login->table, group, login->role);
}

static void read_groups(struct login *login, LDAPMessage *entry)
{
    const char *name = login->config->group_attribute;
    struct berval **values =
        name[0] != '\0' ? ldap_get_values_len(login->ld, entry, name) : NULL;

    for (size_t i = 0; values != NULL && values[i] != NULL && i < GROUPS_MAX; i++)
        join(login, values[i]->bv_val); /* the library ends them with a NUL */
    if (values != NULL)
        ldap_value_free_len(values);
}

static void read_entry(struct login *login, LDAPMessage *entry)
{
    const struct ldap_config *config = login->config;

    read_value(login, entry, config->attribute_id, login->id);
    read_value(login, entry, config->attribute_department, login->department);
    read_value(login, entry, config->attribute_campus, login->campus);
    read_groups(login, entry);
}

/* Exactly one entry, or nobody. */
static enum sh_err find_user(struct login *login, const char *base, int scope,
                             const char *filter)
{
    const struct ldap_config *config = login->config;
    const char *attributes[] = {config->attribute_id, config->attribute_department,
                                config->attribute_campus, config->group_attribute, NULL};
    const struct search wanted = {base, scope, filter, attributes, 2};
    LDAPMessage *found;
    enum sh_err err = search(login, &wanted, &found);

    if (err != SH_OK)
        return err;
    LDAPMessage *entry = ldap_first_entry(login->ld, found);
    if (entry == NULL || ldap_count_entries(login->ld, found) != 1) {
        err = SH_FORBIDDEN;
    } else {
        if (login->dn == NULL)
            login->dn = ldap_get_dn(login->ld, entry);
        read_entry(login, entry);
        err = login->dn != NULL ? SH_OK : SH_NOMEM;
    }
    ldap_msgfree(found);
    return err;
}

static enum sh_err find_groups(struct login *login)
{
    static const char *none[] = {LDAP_NO_ATTRS, NULL};
    const struct ldap_config *config = login->config;
    struct sh_buffer filter = {0};
    LDAPMessage *found = NULL;

    if (config->group_base[0] == '\0')
        return SH_OK;
    ldap_fill(config->group_filter, sh_bytes_of(login->dn), &filter);
    const struct search wanted = {config->group_base, LDAP_SCOPE_SUBTREE, filter.data,
                                  none, GROUPS_MAX};
    enum sh_err err = filter.err == SH_OK ? search(login, &wanted, &found) : filter.err;
    for (LDAPMessage *entry = found != NULL ? ldap_first_entry(login->ld, found) : NULL;
         entry != NULL; entry = ldap_next_entry(login->ld, entry)) {
        char *dn = ldap_get_dn(login->ld, entry);
        if (dn != NULL)
            join(login, dn);
        ldap_memfree(dn);
    }
    if (found != NULL)
        ldap_msgfree(found);
    sh_buffer_free(&filter);
    return err;
}

/* --- the two ways ----------------------------------------------------------------- */

/* The name is made from a template: who can bind by it reads the own entry. */
static enum sh_err by_template(struct login *login, struct sh_bytes username,
                               struct sh_bytes password)
{
    struct sh_buffer dn = {0};

    ldap_fill(login->config->dn_template, username, &dn);
    enum sh_err err = dn.err == SH_OK ? bind_as(login, dn.data, password) : dn.err;
    if (err == SH_OK)
        err = find_user(login, dn.data, LDAP_SCOPE_BASE, "(objectClass=*)");
    if (err == SH_OK)
        err = find_groups(login);
    sh_buffer_free(&dn);
    return err;
}

/* Our own account must work, whatever was typed. */
static enum sh_err bind_for_search(struct login *login)
{
    const struct ldap_config *config = login->config;

    if (config->search_dn[0] == '\0')
        return SH_OK;
    enum sh_err err =
        bind_as(login, config->search_dn, sh_bytes_of(config->search_password));
    if (err == SH_FORBIDDEN) {
        sh_error(NULL, "LDAP_BIND_DN cannot bind to the directory");
        err = SH_UNAVAILABLE;
    }
    return err;
}

/* Groups are looked for before the password is checked: afterwards it would be the user
 * who searches. */
static enum sh_err by_search(struct login *login, struct sh_bytes username,
                             struct sh_bytes password)
{
    struct sh_buffer filter = {0};
    enum sh_err err = bind_for_search(login);

    ldap_fill(login->config->user_filter, username, &filter);
    if (err == SH_OK)
        err = filter.err;
    if (err == SH_OK)
        err = find_user(login, login->config->user_base, LDAP_SCOPE_SUBTREE, filter.data);
    if (err == SH_OK)
        err = find_groups(login);
    if (err == SH_OK)
        err = bind_as(login, login->dn, password);
    sh_buffer_free(&filter);
    return err;
}

static enum sh_err make_principal(const struct login *login, struct sh_bytes username,
                                  struct principal **out)
{
    const struct role *role = login->role;

    if (role == NULL)
        role = role_find(login->table, sh_bytes_of(login->config->role_unknown));
    if (role == NULL || login->id[0] == '\0')
        return SH_FORBIDDEN;
    *out = principal_create(&(struct principal){
        .credential = CREDENTIAL_SESSION,
        .user_id = sh_bytes_of(login->id),
        .username = username,
        .role = sh_bytes_of(role->name),
        .department = sh_bytes_of(login->department),
        .campus = sh_bytes_of(login->campus),
        .scopes = UINT64_MAX,
        .expires_s = UINT64_MAX,
    });
    return *out != NULL ? SH_OK : SH_NOMEM;
}

/* A bind with an empty password succeeds as nobody (RFC 4513 section 5.1.2). */
static bool is_usable(struct sh_bytes username, struct sh_bytes password)
{
    return username.len > 0 && username.len <= NAME_MOST && password.len > 0 &&
           password.len <= PASSWORD_MOST &&
           memchr(password.data, '\0', password.len) == NULL;
}

enum sh_err directory_check(const struct ldap_config *config,
                            const struct role_table *table, struct sh_bytes username,
                            struct sh_bytes password, struct principal **out)
{
    struct login login = {.config = config,
                          .table = table,
                          .deadline_ms = sh_now_ms() + config->timeout_ms};

    *out = NULL;
    if (!is_usable(username, password))
        return SH_FORBIDDEN;
    enum sh_err err = open_directory(&login);
    if (err == SH_OK)
        err = config->dn_template[0] != '\0' ? by_template(&login, username, password)
                                             : by_search(&login, username, password);
    if (err == SH_OK)
        err = make_principal(&login, username, out);
    ldap_memfree(login.dn);
    if (login.ld != NULL)
        (void)ldap_unbind_ext_s(login.ld, NULL, NULL); /* frees it, whatever it says */
    return err;
}
