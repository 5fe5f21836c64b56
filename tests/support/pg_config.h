/* pg_config: how tests reach a database: a small pool, and statements that may take as
 * long as a slow machine wants. Header only. */
#ifndef TESTS_PG_CONFIG_H
#define TESTS_PG_CONFIG_H

#include "shared/pg.h"

enum { PG_CONFIG_STATEMENT_MS = 60000 };

/* `url` is borrowed; TEST_DATABASE_URL is the private server's (servers.h). */
static inline struct sh_pg_config pg_config_of(const char *url)
{
    return (struct sh_pg_config){.url = url,
                                 .host = "",
                                 .port = 5432,
                                 .name = "",
                                 .user = "",
                                 .password = "",
                                 .read_hosts = "",
                                 .pool_min = 1,
                                 .pool_max = 4,
                                 .statement_timeout_ms = PG_CONFIG_STATEMENT_MS};
}

#endif
