/* verify_cli: `cairn-gateway --verify-audit`. Blocks; runs before, not in, the service.
 */
#ifndef GATEWAY_AUDIT_VERIFY_CLI_H
#define GATEWAY_AUDIT_VERIFY_CLI_H

#include <stdio.h>

#include "services/gateway/audit/audit.h"

struct verify_order {
    const struct audit_config *config;
    const struct sh_pg_config *pg;
    bool database;            /* check what is in PostgreSQL */
    const char *const *files; /* and these logs; ended by NULL */
    bool accept_unsealed;
    FILE *out;
};

enum { VERIFY_GOOD, VERIFY_FAULTS, VERIFY_FAILED };

/* With both, each record of the files must also be in PostgreSQL. */
int verify_run(const struct verify_order *order);

/* What the gateway's main() has. */
struct verify_settings {
    const struct sh_settings *groups; /* to be loaded */
    size_t count;
    const struct audit_config *config;
    const struct sh_pg_config *pg;
};

/* Whether the command line asks for it: then *status is the exit status. Arguments after
 * --verify-audit: nothing or `db` (PostgreSQL), files, --accept-unsealed. */
bool verify_cli(int argc, char **argv, const struct verify_settings *settings,
                int *status);

#endif
