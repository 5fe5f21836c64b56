#include "libshared/src/service_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "shared/log.h"
#include "shared/trace.h"

void sh_service_log_lines(enum sh_log_level level, struct sh_buffer *lines)
{
    static const struct sh_log_site site = {__FILE__, "settings", __LINE__};
    char *rest = NULL;
    sh_buffer_append(lines, "", 1);
    char *line = lines->err == SH_OK ? strtok_r(lines->data, "\n", &rest) : NULL;
    for (; line; line = strtok_r(NULL, "\n", &rest))
        sh_log_event(level, &site, NULL, line, NULL, 0);
    sh_buffer_free(lines);
}

enum sh_err sh_service_open_sentry(struct sh_service *service)
{
    enum sh_err err =
        sh_sentry_open(service->loop, &service->sentry_config, service->spec->name,
                       service->spec->process->environment, &service->sentry);
    if (err != SH_INVALID)
        return err;
    sh_warning(NULL, "SENTRY_DSN is not valid: errors are not told to anybody");
    return SH_OK;
}

enum sh_err sh_service_open_spans(struct sh_service *service)
{
    enum sh_err err =
        sh_spans_open(service->loop, &service->spans_config, service->spec->name,
                      service->spec->process->environment, &service->spans);
    if (err != SH_INVALID)
        return err;
    sh_warning(NULL, "OTEL_EXPORTER_OTLP_ENDPOINT or _HEADERS is not valid: traces are "
                     "not told to anybody");
    return SH_OK;
}

enum sh_err sh_service_open_log(const struct sh_service_spec *spec)
{
    const struct sh_process_config *config = spec->process;
    struct sh_log_options options = {
        .service = spec->name,
        .level = SH_INFO,
        .text = strcmp(config->log_format, "text") == 0,
        .dir = config->log_dir,
    };
    (void)sh_log_level_parse(config->log_level, &options.level); /* checked before */
    return sh_log_open(&options);
}

void sh_service_say_starting(const struct sh_service *service)
{
    static const struct sh_log_site site = {__FILE__, "starting", __LINE__};
    const struct sh_service_spec *spec = service->spec;
    struct sh_buffer settings = {0};
    char message[96];
    struct sh_log_field fields[] = {
        {"version", CAIRN_VERSION, 0},
        {"environment", spec->process->environment, 0},
        {"instance", service->instance, 0},
    };
    (void)snprintf(message, sizeof(message), "cairn-%s starting...", spec->name);
    sh_log_event(SH_INFO, &site, NULL, message, fields, SH_COUNT(fields));
    sh_config_print_changed(service->groups.list, service->groups.count, &settings);
    sh_service_log_lines(SH_INFO, &settings);
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        sh_warning(NULL, "cannot raise the limit of open files");
}

/* No core file, and none through a pipe either (core_pattern asks no limit); nobody but
 * root reads this process's memory or attaches to it. */
static void keep_memory_private(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        sh_warning(NULL, "cannot switch off core dumps");
}

/* A random (version 4) uuid. */
void sh_service_name_instance(char out[static SH_INSTANCE_LEN + 1])
{
    uint8_t id[16];
    sh_random(id, sizeof(id));
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof(id); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        (void)snprintf(out + at, 3, "%02x", id[i]);
        at += 2;
    }
}

void sh_service_prepare_process(struct sh_service *service)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "cairn-%s", service->spec->name);
    pthread_setname_np(pthread_self(), name);
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error, not an end */
    raise_file_limit();
    if (!service->spec->process->core_dumps)
        keep_memory_private();
}
