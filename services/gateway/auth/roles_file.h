/* roles_file: the JSON of ROLES_FILE, read strictly: a member that is missing, unknown or
 * of the wrong kind refuses the whole file. Any thread. */
#ifndef GATEWAY_ROLES_FILE_H
#define GATEWAY_ROLES_FILE_H

#include "services/gateway/auth/roles.h"

/* At most ROLES_MAX, each name once; the name lasts as long as the call. */
typedef void roles_found_fn(void *arg, const char *name, const struct role *role);

/* Errors: SH_INVALID (`why` says what and where), SH_TOOBIG. */
SH_CHECK enum sh_err roles_read(struct sh_bytes json, roles_found_fn *found, void *arg,
                                char *why, size_t size);

#endif
