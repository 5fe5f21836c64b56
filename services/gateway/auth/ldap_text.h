/* ldap_text: texts of a directory: names and filters from a template, and which role a
 * group means. Pure. */
#ifndef GATEWAY_LDAP_TEXT_H
#define GATEWAY_LDAP_TEXT_H

#include "services/gateway/auth/roles.h"
#include "shared/buffer.h"

/* `value` in place of each {} of the template, so that it can be nothing but a value,
 * neither in a name (RFC 4514) nor in a filter (RFC 4515): every byte that is no letter
 * or digit, and not one of . _ @ -, becomes \XX, which both take for any byte. */
void ldap_fill(const char *template, struct sh_bytes value, struct sh_buffer *out);

/* The role of `best` or the one that the map gives to this group, whichever has the
 * higher clearance. Names of groups are compared as directories do, whatever their case
 * and spacing. */
const struct role *ldap_role_of_group(const char *map, const struct role_table *table,
                                      const char *group, const struct role *best);
/* Every part of the map is name=role, with a name that can be one. */
bool ldap_map_is_good(const char *map);

#endif
