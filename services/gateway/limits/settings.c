#include "services/gateway/limits/settings.h"

#include <string.h>

SH_SETTINGS_DEFINE(limits, "Limits", LIMITS_SETTINGS)

bool limits_enabled(const struct limits_config *config, const char *auth_mode)
{
    static const char *const yes[] = {"true", "on", "1", "yes"};

    if (strcmp(config->enabled, "auto") == 0)
        return strcmp(auth_mode, "trusted") != 0;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (strcmp(config->enabled, yes[i]) == 0)
            return true;
    return false;
}
