#include "cli/stack/environment.h"

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

/* Children inherit the supervisor's environment: what the operator set there counts. */
void environment_set(const struct layout *layout)
{
    char value[PATH_MAX + 64];
    layout_database_url(layout, value, sizeof(value));
    (void)setenv("DATABASE_URL", value, 1);
    layout_redis_url(layout, value, sizeof(value));
    (void)setenv("REDIS_URL", value, 1);
    set_endpoints(layout);
    set_default("MODEL_DIR", layout_path(layout, "models/use-lite"));
    set_default("BACKUP_DIR", layout_path(layout, "backups"));
    (void)snprintf(value, sizeof(value), "%u", layout->api_port);
    (void)setenv("API_PORT", value, 1);
    (void)setenv("API_HOST", layout->api_host, 1);

    const char *ollama = getenv("OLLAMA");
    if (ollama && *ollama) {
        (void)snprintf(value, sizeof(value), "%s/api/embed", ollama);
        (void)setenv("EMBEDDING_URL", value, 1);
        (void)setenv("EMBEDDING_PROVIDER", "ollama", 1);
        set_default("EMBEDDING_MODEL", "nomic-embed-text");
    }
}

/* The environment with two more; lives as long as the process. */
char **environment_with(const char *rpc_bind, uint16_t ops_port)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **env = sh_alloc_array(count + 3, sizeof(*env));
    char *bind = *rpc_bind ? sh_alloc(256) : NULL;
    char *ops = sh_alloc(32);
    if (!env || (*rpc_bind && !bind) || !ops)
        return NULL; /* at start-up: the process is about to end */
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "RPC_BIND=", 9) != 0 &&
            strncmp(environ[i], "OPS_PORT=", 9) != 0)
            env[n++] = environ[i];
    }
    (void)snprintf(ops, 32, "OPS_PORT=%u", ops_port);
    if (bind) {
        (void)snprintf(bind, 256, "RPC_BIND=%s", rpc_bind);
        env[n++] = bind;
    }
    env[n] = ops;
    return env;
}
