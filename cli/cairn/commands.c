#include "cli/cairn/command.h"

#include <string.h>

/* clang-format off */
const struct command *const commands[] = {
    &ingest_command,
    &rows_command,
    &search_command,
    &suggest_command,
    &documents_command,
    &jobs_command,
    &collections_command,
    &backup_command,
    &graph_command,
    &glossary_command,
    &embed_command,
    &models_command,
    &generations_command,
    &users_command,
    &roles_command,
    &keys_command,
    &audit_command,
    &doctor_command,
    &status_command,
    &history_command,
    &health_command,
    &ping_command,
    &metrics_command,
    &errors_command,
    &cache_command,
    &maintenance_command,
    &bench_command,
    &mcp_command,
    &login_command,
    &logout_command,
    &whoami_command,
    &refresh_command,
    &password_command,
    &profile_command,
    &openapi_command,
    &completion_command,
    &manual_command,
    &help_command,
    &version_command,
    NULL};

const struct option_row common_options[] = {
    {.name = "url", .type = OPTION_TEXT, .value = "URL",
     .help = "the gateway; before CAIRN_URL and the profile"},
    {.name = "profile", .type = OPTION_TEXT, .value = "NAME",
     .help = "which profile of the configuration; before CAIRN_PROFILE"},
    {.name = "cacert", .type = OPTION_FILE, .value = "FILE",
     .help = "certificates to trust, PEM, in place of the system's"},
    {.name = "help", .letter = 'h', .help = "help about the command"},
    {0}};
/* clang-format on */

const struct command *command_find(const char *word)
{
    for (const struct command *const *at = commands; *at; at++) {
        if (strcmp((*at)->name, word) == 0)
            return *at;
    }
    return NULL;
}

const struct command *command_sub(const struct command *of, const char *word)
{
    for (const struct command *at = of->subs; at && at->name; at++) {
        if (strcmp(at->name, word) == 0)
            return at;
    }
    return NULL;
}
