/* From the settings to the process's ring of keys. */
#include <stdlib.h>
#include <sys/stat.h>

#include "libshared/src/service_internal.h"

/* A secret that every user of the machine can read is none. */
static bool is_open(const char *path)
{
    struct stat about;
    return path && *path && stat(path, &about) == 0 && (about.st_mode & S_IROTH) != 0;
}

static void check_file(bool production, struct sh_buffer *faults)
{
    if (!is_open(getenv("RPC_KEY_FILE")))
        return;
    if (production)
        sh_buffer_text(faults, "RPC_KEY_FILE: every user can read it: chmod 0600\n");
    else
        sh_warning(NULL, "RPC_KEY_FILE can be read by every user");
}

bool sh_service_read_keys(const struct sh_service_spec *spec, struct sh_buffer *faults)
{
    const struct sh_process_config *config = spec->process;
    bool production = strcmp(config->environment, "production") == 0;
    const struct rpc_keys_options options = {
        .service = spec->name,
        .secret = config->rpc_key,
        .directory = config->rpc_keys_dir,
        .callers = spec->rpc ? config->rpc_callers : "",
        .remote = !production,
    };
    struct rpc_keys *keys = NULL;
    size_t before = faults->len;
    enum sh_err err = rpc_keys_read(&options, &keys, faults);
    if (err == SH_NOMEM)
        sh_buffer_text(faults, "RPC_KEY: out of memory\n");
    if (*config->rpc_key)
        check_file(production, faults);
    else if (spec->rpc && rpc_curve_exposed(config->rpc_bind))
        sh_buffer_text(faults, "RPC_BIND: only a loopback address or ipc, since the bus "
                               "has no keys (RPC_KEY)\n");
    if (faults->err != SH_OK || faults->len > before) {
        rpc_keys_free(&keys);
        return false;
    }
    rpc_keys_install(keys);
    return true;
}
