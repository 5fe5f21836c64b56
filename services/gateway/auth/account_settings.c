#include "services/gateway/auth/account_settings.h"

#include <stdio.h>
#include <string.h>

#include "services/gateway/auth/password.h"
#include "services/gateway/auth/users.h"

SH_SETTINGS_DEFINE(account, "Accounts", ACCOUNT_SETTINGS)

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

bool account_cookie_secure(const struct account_config *config, const char *environment,
                           const char *api_host)
{
    if (strcmp(config->cookie_secure, "auto") != 0)
        return strcmp(config->cookie_secure, "true") == 0;
    return strcmp(environment, "development") != 0 || !is_loopback(api_host);
}

static bool admin_check(const struct account_config *config, char *why, size_t size)
{
    bool named = config->admin_username[0] != '\0';

    if (named != (config->admin_password[0] != '\0')) {
        (void)snprintf(why, size, "ADMIN_USERNAME and ADMIN_PASSWORD go together");
        return false;
    }
    if (named && !username_valid(sh_bytes_of(config->admin_username))) {
        (void)snprintf(why, size, "ADMIN_USERNAME is none that a user can have");
        return false;
    }
    enum password_fault fault = password_check(sh_bytes_of(config->admin_password),
                                               sh_bytes_of(config->admin_username));
    if (named && fault != PASSWORD_GOOD) {
        (void)snprintf(why, size, "ADMIN_PASSWORD: %s", password_fault_text(fault));
        return false;
    }
    return true;
}

bool account_settings_check(const struct account_config *config, const char *environment,
                            char *why, size_t size)
{
    if (config->session_most_s < config->session_lifetime_s) {
        (void)snprintf(why, size, "SESSION_MAX_LIFETIME is less than SESSION_LIFETIME");
        return false;
    }
    if (strcmp(config->cookie_secure, "false") == 0 &&
        strcmp(environment, "production") == 0) {
        (void)snprintf(why, size,
                       "SESSION_COOKIE_SECURE=false would send sessions in plain text");
        return false;
    }
    return admin_check(config, why, size);
}
