/* Routes: logins, users and keys. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

/* clang-format off */
static const struct route_param page_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 100; 20 when absent"},
    {0}};
static const struct route_param user_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 100; 20 when absent"},
    {"q", "string", "only those whose name begins so"},
    {0}};
/* clang-format on */

static const struct route routes[] = {
    {ROUTE_POST, 200, "/api/auth/login", "login", login_post, &login_schema,
     PERMIT_PUBLIC, ROUTE_LOGIN | ROUTE_ENTRY, "Identity",
     "Log in: a token, and a cookie for browsers", NULL, "Entry"},
    {ROUTE_POST, 200, "/api/auth/logout", "logout", logout_post, NULL, PERMIT_PUBLIC,
     ROUTE_ENTRY, "Identity", "End the session of the cookie", NULL, "LoggedOut"},
    {ROUTE_GET, 200, "/api/auth/me", "whoami", me_get, NULL, PERMIT_SESSION, 0,
     "Identity", "Who one is", NULL, "Identity"},
    {ROUTE_POST, 200, "/api/auth/refresh", "refresh_login", refresh_post, NULL,
     PERMIT_SESSION, ROUTE_ENTRY, "Identity",
     "A new token, for the session of the cookie", NULL, "Entry"},
    {ROUTE_POST, 200, "/api/auth/password", "change_password", password_post,
     &password_schema, PERMIT_SESSION, 0, "Identity",
     "Another password for oneself; all other sessions end", NULL, "Entry"},
    {ROUTE_GET, 200, "/api/admin/keys", "list_api_keys", key_list, NULL,
     PERMIT_ADMIN_KEYS, 0, "Administration", "A page of API keys, newest first",
     page_params, "ApiKeyPage"},
    {ROUTE_POST, 201, "/api/admin/keys", "create_api_key", key_post, &key_schema,
     PERMIT_ADMIN_KEYS, 0, "Administration", "Make an API key: it is shown this once",
     NULL, "ApiKeyMade"},
    {ROUTE_GET, 200, "/api/admin/keys/{id}", "get_api_key", key_get, NULL,
     PERMIT_ADMIN_KEYS, 0, "Administration", "An API key, without the key itself", NULL,
     "ApiKey"},
    {ROUTE_DELETE, 200, "/api/admin/keys/{id}", "revoke_api_key", key_delete, NULL,
     PERMIT_ADMIN_KEYS, 0, "Administration", "Revoke an API key, at once and for good",
     NULL, "ApiKeyRevoked"},
    {ROUTE_GET, 200, "/api/admin/roles", "list_roles", role_list, NULL,
     PERMIT_ADMIN_USERS, 0, "Administration", "What each role may do", NULL, "RoleList"},
    {ROUTE_GET, 200, "/api/admin/users", "list_users", user_list, NULL,
     PERMIT_ADMIN_USERS, 0, "Administration", "A page of users", user_params, "UserPage"},
    {ROUTE_POST, 201, "/api/admin/users", "create_user", user_post, &user_new_schema,
     PERMIT_ADMIN_USERS, 0, "Administration", "Make a user", NULL, "Account"},
    {ROUTE_GET, 200, "/api/admin/users/{id}", "get_user", user_get, NULL,
     PERMIT_ADMIN_USERS, 0, "Administration", "One user", NULL, "Account"},
    {ROUTE_PUT, 200, "/api/admin/users/{id}", "change_user", user_put,
     &user_change_schema, PERMIT_ADMIN_USERS, 0, "Administration",
     "Change a user: role, department, password, whether they may log in", NULL,
     "Account"},
    {ROUTE_DELETE, 200, "/api/admin/users/{id}", "delete_user", user_delete, NULL,
     PERMIT_ADMIN_USERS, 0, "Administration", "Remove a user", NULL, "UserDeleted"},
};

const struct route_table routes_of_identity = {routes, SH_COUNT(routes)};
