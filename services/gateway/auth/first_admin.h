/* first_admin: somebody who can let others in, from ADMIN_USERNAME and ADMIN_PASSWORD
 * while there is no admin, or by `cairn-gateway --create-admin NAME`. */
#ifndef GATEWAY_FIRST_ADMIN_H
#define GATEWAY_FIRST_ADMIN_H

#include "services/gateway/edge.h"

struct first_admin;

/* Looks, and looks again every few seconds until PostgreSQL has answered; nothing to do
 * without ADMIN_USERNAME. Loop thread of the edge. Errors: SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err first_admin_open(struct edge *edge, struct first_admin **out);
/* *self becomes NULL; memory goes on a later turn. NULL is fine. */
void first_admin_close(struct first_admin **self);

/* The command: settings from the environment, the password from ADMIN_PASSWORD(_FILE) or
 * a line of stdin, never from the command line, which everybody can read. Blocks. The
 * process's exit status. */
int first_admin_command(const char *username);

#endif
