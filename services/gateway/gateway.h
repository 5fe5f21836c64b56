/* gateway: what the whole process shares. Filled at start, then only read by the loops,
 * but for what is atomic or locks by itself. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdatomic.h>

#include "services/gateway/audit/audit.h"
#include "services/gateway/auth/account_settings.h"
#include "services/gateway/auth/ldap.h"
#include "services/gateway/auth/settings.h"
#include "services/gateway/bolt/settings.h"
#include "services/gateway/cache/cache.h"
#include "services/gateway/health/board.h"
#include "services/gateway/limits/settings.h"
#include "services/gateway/router.h"
#include "services/gateway/settings.h"
#include "services/gateway/shell/shell.h"
#include "services/gateway/web/files.h"
#include "shared/file_store.h"
#include "shared/pg.h"
#include "shared/redis.h"
#include "shared/service.h"

struct auth;
struct limits;
struct edges;
struct watch;
struct maintenance;
struct history;
struct survey;

struct gateway {
    struct gateway_config config;
    struct health_config health_config;
    struct shell_config shell_config;
    struct sh_process_config process;
    struct sh_pg_config pg_config;
    struct sh_redis_config redis_config;
    struct cache_config cache_config;
    struct audit_config audit_config;
    struct account_config account_config;
    struct auth_config auth_config;
    struct ldap_config ldap_config;
    struct bolt_config bolt_config;
    struct auth *auth;        /* roles, keys of tokens: auth/auth.h */
    struct sh_health *health; /* all checks of this process */
    struct limits_config limits_config;
    struct sh_file_config file_config;
    struct sh_s3_config s3_config;
    struct limits *limits;            /* limits/limits.h */
    struct sh_health_check *database; /* kept current by the main loop's edge */
    struct sh_health_check *cache;
    struct audit *audit; /* NULL: nothing is recorded */
    double started;      /* Unix seconds */
    unsigned loops;
    struct route *routes; /* owned */
    size_t route_count;
    struct router *router;
    struct sh_buffer openapi; /* /openapi.json */
    struct sh_buffer docs;    /* /docs */
    struct sh_buffer docs_policy;
    struct shell shell;
    struct web_files *pages; /* NULL: there are none */
    struct board *board;     /* the answers of /health */
    struct history *history; /* the last hour of requests */
    struct survey *survey;   /* what it keeps of the services */
    struct cache *answers;   /* to searches; NULL: none are kept */
    struct edges *edges;
    struct watch *watch;
    struct maintenance *maintenance;
    atomic_bool ready; /* search can be asked, and nothing is draining */
};

#endif
