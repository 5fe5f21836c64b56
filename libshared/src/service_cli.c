#include "libshared/src/service_internal.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/log.h"

enum { EXIT_USAGE = 2 };

enum command {
    COMMAND_HELP = 256,
    COMMAND_VERSION,
    COMMAND_CHECK,
    COMMAND_PRINT,
    COMMAND_MARKDOWN,
    COMMAND_PROBE,
};

static const struct option options[] = {
    {"help", no_argument, NULL, COMMAND_HELP},
    {"version", no_argument, NULL, COMMAND_VERSION},
    {"check-config", no_argument, NULL, COMMAND_CHECK},
    {"print-config", no_argument, NULL, COMMAND_PRINT},
    {"config-markdown", no_argument, NULL, COMMAND_MARKDOWN},
    {"probe", required_argument, NULL, COMMAND_PROBE},
    {0},
};

/* Writes and frees the buffer; the exit status says whether it worked. */
static int flush(FILE *to, struct sh_buffer *text)
{
    bool good = text->err == SH_OK;
    if (good && text->len > 0)
        good = fwrite(text->data, 1, text->len, to) == text->len && fflush(to) == 0;
    sh_buffer_free(text);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- settings --------------------------------------------------------------------- */

bool sh_service_strict(const struct sh_service_spec *spec, struct sh_buffer *faults)
{
    const struct sh_process_config *config = spec->process;
    enum sh_log_level level = SH_INFO;
    size_t before = faults->len;
    if (!sh_log_level_parse(config->log_level, &level))
        sh_buffer_text(faults, "LOG_LEVEL: not one of DEBUG, INFO, WARNING, ERROR and "
                               "CRITICAL\n");
    if (strcmp(config->environment, "production") != 0)
        return faults->len == before;
    if (level == SH_DEBUG)
        sh_buffer_text(faults, "LOG_LEVEL: DEBUG is refused in production\n");
    return faults->len == before;
}

bool sh_service_load(const struct sh_groups *groups, const struct sh_service_spec *spec)
{
    struct sh_buffer faults = {0};
    enum sh_err err = sh_config_load(groups->list, groups->count, &faults);
    bool good = err == SH_OK && sh_service_strict(spec, &faults);
    if (err == SH_OK && !sh_service_read_keys(spec, &faults))
        good = false;
    size_t before = faults.len;
    if (err == SH_OK && strcmp(spec->process->environment, "production") == 0)
        sh_config_refuse_weak(groups->list, groups->count, &faults);
    good = good && faults.len == before;
    if (err == SH_NOMEM)
        (void)fprintf(stderr, "%s\n", sh_err_text(err));
    (void)flush(stderr, &faults);
    return good;
}

/* --- commands --------------------------------------------------------------------- */

static int usage(const struct sh_service_spec *spec)
{
    (void)fprintf(stderr, "cairn-%s: wrong arguments; try --help\n", spec->name);
    return EXIT_USAGE;
}

static int help(const struct sh_service_spec *spec, const struct sh_groups *groups)
{
    struct sh_buffer out = {0};
    sh_buffer_printf(&out, "cairn-%s %s: %s\n\n", spec->name, CAIRN_VERSION,
                     spec->summary);
    sh_buffer_printf(
        &out,
        "Usage: cairn-%s [OPTION]\n"
        "  --help              this text\n"
        "  --version           name and version\n"
        "  --check-config      check the settings; exit 2 and name the faults\n"
        "  --print-config      the settings in force, secrets masked\n"
        "  --config-markdown   the settings as tables for the documentation\n"
        "  --probe ready|live  ask the running service; exit 0 if it is so\n\n"
        "Settings come from the environment:\n\n",
        spec->name);
    sh_config_describe(groups->list, groups->count, false, &out);
    return flush(stdout, &out);
}

static int describe(const struct sh_groups *groups)
{
    struct sh_buffer out = {0};
    sh_config_describe(groups->list, groups->count, true, &out);
    return flush(stdout, &out);
}

static int print(const struct sh_service_spec *spec, const struct sh_groups *groups)
{
    struct sh_buffer out = {0};
    if (!sh_service_load(groups, spec))
        return EXIT_USAGE;
    sh_config_print(groups->list, groups->count, &out);
    return flush(stdout, &out);
}

/* Only the process's own settings count, so that a probe works with half an environment.
 */
static int probe(const struct sh_service_spec *spec, const struct sh_groups *groups,
                 const char *what)
{
    struct sh_buffer faults = {0};
    if (strcmp(what, "ready") != 0 && strcmp(what, "live") != 0)
        return usage(spec);
    enum sh_err err = sh_config_load(groups->list, 1, &faults);
    (void)flush(stderr, &faults);
    if (err != SH_OK)
        return EXIT_USAGE;
    return sh_service_probe(spec->process->ops_host, spec->process->ops_port,
                            strcmp(what, "ready") == 0 ? "/readyz" : "/livez");
}

static int run_command(int command, const struct sh_service_spec *spec,
                       const struct sh_groups *groups)
{
    switch (command) {
    case COMMAND_HELP:
        return help(spec, groups);
    case COMMAND_VERSION:
        return printf("cairn-%s %s\n", spec->name, CAIRN_VERSION) > 0 ? EXIT_SUCCESS
                                                                      : EXIT_FAILURE;
    case COMMAND_CHECK:
        return sh_service_load(groups, spec) ? EXIT_SUCCESS : EXIT_USAGE;
    case COMMAND_PRINT:
        return print(spec, groups);
    case COMMAND_MARKDOWN:
        return describe(groups);
    case COMMAND_PROBE:
        return probe(spec, groups, optarg);
    default:
        return usage(spec);
    }
}

bool sh_service_cli(int argc, char **argv, const struct sh_service_spec *spec,
                    const struct sh_groups *groups, int *status)
{
    opterr = 0;
    optind = 1;
    int command = getopt_long(argc, argv, "", options, NULL);
    if (command < 0 && optind >= argc)
        return true;
    *status = command < 0 ? usage(spec) : run_command(command, spec, groups);
    return false;
}
