/* admin: users and keys. */
#ifndef CAIRN_ADMIN_H
#define CAIRN_ADMIN_H

#include "cli/cairn/cli.h"

#define ADMIN_USERS "/api/admin/users"

/* The id of the user who is meant by an id or a name, to be freed; NULL with *code set,
 * after a message to stderr, when there is none. */
char *admin_user_id(struct cli *cli, const char *word, int *code);

#endif
