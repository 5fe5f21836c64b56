#include "cli/stack/environment.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/buffer.h"
#include "shared/mem.h"

extern char **environ;

static void set_default(const char *name, const char *value)
{
    (void)setenv(name, value, 0);
}

static void set_endpoints(const struct layout *layout)
{
    for (size_t s = 0; s < SERVICES; s++) {
        const struct service_layout *service = &layout->services[s];
        struct sh_buffer list = {0};
        if (!service->endpoints_variable)
            continue;
        for (unsigned r = 0; r < service->replicas; r++)
            sh_buffer_printf(&list, "%s%s", r > 0 ? "," : "",
                             service->replica[r].endpoint);
        if (list.len > 0)
            (void)setenv(service->endpoints_variable, list.data, 1);
        sh_buffer_free(&list);
    }
}

/* A login gives a token out of the box. It is signed by a key made of the stack's own
 * secret, unless the operator brings another one. */
static void set_token_secret(const struct layout *layout)
{
    static const char *const names[] = {"JWT_SECRET_KEY", "JWT_SECRET",
                                        "JWT_SECRET_KEY_FILE", "JWT_SECRET_FILE"};
    unsigned char key[crypto_auth_hmacsha256_BYTES];
    static const char purpose[] = "cairn-stack: tokens";
    crypto_auth_hmacsha256_state state;
    char hex[2 * sizeof(key) + 1];

    for (size_t i = 0; i < SH_COUNT(names); i++)
        if (getenv(names[i]))
            return;
    (void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)layout->secret,
                                      strlen(layout->secret)); /* none can fail */
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)purpose,
                                        sizeof(purpose) - 1);
    (void)crypto_auth_hmacsha256_final(&state, key);
    set_default("JWT_SECRET_KEY", sodium_bin2hex(hex, sizeof(hex), key, sizeof(key)));
}

/* The pages that were built beside the programs; installed ones are where the gateway
 * looks by itself. */
static void set_pages(const struct layout *layout)
{
    char dir[PATH_MAX + 64];
    char index[PATH_MAX + 80];

    (void)snprintf(dir, sizeof(dir), "%s/../../web", layout->bin);
    (void)snprintf(index, sizeof(index), "%s/index.html", dir);
    if (access(index, R_OK) == 0)
        set_default("WEB_DIR", dir);
}

/* Children inherit the supervisor's environment: what the operator set there counts. */
void environment_set(const struct layout *layout)
{
    char value[PATH_MAX + 64];
    layout_database_url(layout, value, sizeof(value));
    (void)setenv("DATABASE_URL", value, 1);
    layout_redis_url(layout, value, sizeof(value));
    (void)setenv("REDIS_URL", value, 1);
    set_endpoints(layout);
    set_token_secret(layout);
    if (layout->keys)
        (void)setenv("RPC_KEYS_DIR", layout_path(layout, "keys/public"), 1);
    set_default("MODEL_DIR", layout_path(layout, "models/use-lite"));
    set_pages(layout);
    set_default("BACKUP_DIR", layout_path(layout, "backups"));
    set_default("AUDIT_DIR", layout_path(layout, "audit"));
    (void)snprintf(value, sizeof(value), "dir:%s", layout_path(layout, "files"));
    set_default("FILE_STORE", value);
    (void)snprintf(value, sizeof(value), "%u", layout->api_port);
    (void)setenv("API_PORT", value, 1);
    (void)snprintf(value, sizeof(value), "%u", layout->bolt_port);
    (void)setenv("BOLT_PORT", value, 1);
    (void)setenv("API_HOST", layout->api_host, 1);

    const char *ollama = getenv("OLLAMA");
    if (ollama && *ollama) {
        (void)snprintf(value, sizeof(value), "%s/api/embed", ollama);
        (void)setenv("EMBEDDING_URL", value, 1);
        (void)setenv("EMBEDDING_PROVIDER", "ollama", 1);
        set_default("EMBEDDING_MODEL", "nomic-embed-text");
    }
}

static bool names(const char *entry, const char *variable)
{
    size_t len = strlen(variable);
    return strncmp(entry, variable, len) == 0 && entry[len] == '=';
}

/* The operator's directory, or DIR/data, has one for each replica. What was set to
 * nothing stays so: nothing is kept then. */
static bool data_of(const struct layout *layout, const struct service_layout *service,
                    const struct replica *replica, struct sh_buffer *out)
{
    const char *dir = service->data_variable ? getenv(service->data_variable) : "";
    if (!dir)
        dir = layout_path(layout, "data");
    if (*dir)
        sh_buffer_printf(out, "%s=%s/%s", service->data_variable, dir, replica->name);
    return out->err == SH_OK;
}

char **environment_with(const struct layout *layout, const struct service_layout *service,
                        const struct replica *replica)
{
    struct sh_buffer own[4] = {0}; /* kept */
    size_t count = 0;
    while (environ[count])
        count++;
    char **env = sh_alloc_array(count + SH_COUNT(own) + 1, sizeof(*env));
    sh_buffer_printf(&own[0], "OPS_PORT=%u", replica->ops_port);
    if (*replica->endpoint)
        sh_buffer_printf(&own[1], "RPC_BIND=%s", replica->endpoint);
    if (layout->keys)
        sh_buffer_printf(&own[3], "RPC_KEY_FILE=%s/%s.key", layout_path(layout, "keys"),
                         service->name);
    if (!env || own[0].err != SH_OK || own[1].err != SH_OK || own[3].err != SH_OK ||
        !data_of(layout, service, replica, &own[2]))
        return NULL; /* at start-up: the process is about to end */
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!names(environ[i], "RPC_BIND") && !names(environ[i], "OPS_PORT") &&
            !(own[2].len > 0 && names(environ[i], service->data_variable)) &&
            !(layout->keys && names(environ[i], "RPC_KEY_FILE")))
            env[n++] = environ[i];
    }
    for (size_t i = 0; i < SH_COUNT(own); i++) {
        if (own[i].len > 0)
            env[n++] = own[i].data;
    }
    return env;
}
