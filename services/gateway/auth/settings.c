#include "services/gateway/auth/settings.h"

#include <stdio.h>
#include <string.h>

#include "services/gateway/auth/jwt_keys.h"

SH_SETTINGS_DEFINE(auth, "Identity", AUTH_SETTINGS)

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool refuse(char *why, size_t size, const char *sentence)
{
    (void)snprintf(why, size, "%s", sentence);
    return false;
}

static bool pem_is_good(const char *pem)
{
    struct jwt_keys *keys = NULL;
    bool good = jwt_keys_create(&keys) == SH_OK &&
                jwt_keys_add_pem(keys, sh_bytes_of(pem), NULL) == SH_OK;

    jwt_keys_free(&keys);
    return good;
}

bool auth_settings_check(const struct auth_config *config, bool jwt_mode, bool production,
                         char *why, size_t size)
{
    bool keyless = config->secret[0] == '\0' && config->pem[0] == '\0' &&
                   config->jwks_url[0] == '\0';

    if (config->secret[0] != '\0' && strlen(config->secret) < JWT_SECRET_LEAST)
        return refuse(why, size, "JWT_SECRET_KEY must be at least 32 bytes long");
    if (config->pem[0] != '\0' && !pem_is_good(config->pem))
        return refuse(why, size,
                      "JWT_PUBLIC_KEY must be a public key in PEM: RSA of 2,048 to 8,192 "
                      "bits, or P-256");
    if (config->jwks_url[0] != '\0' && !begins(config->jwks_url, "https://") &&
        !begins(config->jwks_url, "http://"))
        return refuse(why, size, "JWT_JWKS_URL must begin with https://");
    if (production && begins(config->jwks_url, "http://"))
        return refuse(why, size, "JWT_JWKS_URL must begin with https:// in production");
    if (production && !jwt_mode)
        return refuse(why, size,
                      "AUTH_MODE=trusted is refused in production: set AUTH_MODE=jwt");
    if (jwt_mode && keyless)
        return refuse(why, size,
                      "AUTH_MODE=jwt needs JWT_SECRET_KEY, JWT_PUBLIC_KEY or "
                      "JWT_JWKS_URL to check tokens with");
    return true;
}
