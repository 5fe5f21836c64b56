#include "services/gateway/bolt/settings.h"

#include <stdlib.h>

SH_SETTINGS_DEFINE(bolt, "Bolt", BOLT_SETTINGS)

bool bolt_takes_any(const struct bolt_config *config, uint32_t api_port)
{
    return api_port == 0 && config->port != 0 && getenv("BOLT_PORT") == NULL;
}
