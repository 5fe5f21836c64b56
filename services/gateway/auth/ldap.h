/* ldap: users of a directory. Their password is checked by a simple bind as themselves:
 * under a name made from a template, or one that was searched for; their groups give
 * their role. It all happens on a worker, within LDAP_TIMEOUT_MS. */
#ifndef GATEWAY_LDAP_H
#define GATEWAY_LDAP_H

#include "services/gateway/auth/principal.h"
#include "shared/config.h"

/* clang-format off */
#define LDAP_SETTINGS(S)                                                                   \
    S(str, url, "LDAP_URL", "", 0, 1024, 0, "",                                            \
      "directory whose users may log in: ldaps://host, ldap://host or ldapi://…; empty: "  \
      "none")                                                                              \
    S(flag, starttls, "LDAP_STARTTLS", "true", 0, 0, 0, "",                                \
      "ldap:// turns to TLS before anything is said; without it only on loopback")         \
    S(str, ca_file, "LDAP_CA_FILE", "", 0, 4096, 0, "",                                    \
      "certificates that the directory's must come from; empty: the system's")             \
    S(u32, timeout_ms, "LDAP_TIMEOUT_MS", "3000", 10, 60000, 0, "",                        \
      "longest time for a login, over all it asks")                                        \
    S(str, dn_template, "LDAP_USER_DN", "", 0, 1024, 0, "",                                \
      "name of a user in the directory, {} is what was typed: "                            \
      "uid={},ou=people,dc=example,dc=org. Empty: LDAP_USER_BASE is searched")             \
    S(str, user_base, "LDAP_USER_BASE", "", 0, 1024, 0, "",                                \
      "where users are searched for")                                                      \
    S(str, user_filter, "LDAP_USER_FILTER", "(uid={})", 0, 1024, 0, "",                    \
      "filter that finds one user, {} is what was typed")                                  \
    S(str, search_dn, "LDAP_BIND_DN", "", 0, 1024, 0, "",                                  \
      "who searches; empty: anonymously")                                                  \
    S(str, search_password, "LDAP_BIND_PASSWORD", "", 0, 1024, SH_SECRET, "",              \
      "password of who searches")                                                          \
    S(str, group_attribute, "LDAP_GROUP_ATTRIBUTE", "memberOf", 0, 128, 0, "",             \
      "attribute of a user that names groups")                                             \
    S(str, group_base, "LDAP_GROUP_BASE", "", 0, 1024, 0, "",                              \
      "where groups are searched for besides; empty: not at all")                          \
    S(str, group_filter, "LDAP_GROUP_FILTER", "(member={})", 0, 1024, 0, "",               \
      "filter that finds the groups of a user, {} is the user's name in the directory")    \
    S(str, group_map, "LDAP_GROUP_MAP", "", 0, 16384, 0, "",                               \
      "name of group=role, separated by semicolons; the role with the highest clearance "  \
      "counts")                                                                            \
    S(str, role_unknown, "LDAP_ROLE_UNKNOWN", "anonymous", 1, 64, 0, "",                   \
      "role of a user whom no group gives one; refuse: no login")                          \
    S(str, attribute_id, "LDAP_ATTRIBUTE_USER_ID", "uid", 1, 128, 0, "",                   \
      "attribute with the user's id")                                                      \
    S(str, attribute_department, "LDAP_ATTRIBUTE_DEPARTMENT", "departmentNumber", 0, 128,  \
      0, "", "attribute with the department")                                              \
    S(str, attribute_campus, "LDAP_ATTRIBUTE_CAMPUS", "l", 0, 128, 0, "",                  \
      "attribute with the campus")
/* clang-format on */

struct ldap_config {
    LDAP_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings ldap_settings(struct ldap_config *into);
/* The rules between settings. False: `why` holds a sentence that names the setting. */
bool ldap_settings_check(const struct ldap_config *config, bool production, char *why,
                         size_t size);
/* Whether there is a directory to ask. */
static inline bool directory_is_used(const struct ldap_config *config)
{
    return config->url[0] != '\0';
}

/* Who typed this name and password: a new principal with the directory's id, the name as
 * it was typed, role, department, campus. Blocks: never on a loop. Errors: SH_FORBIDDEN
 * (no such user, another password, an empty one, no role: which of them is nobody's
 * business); SH_UNAVAILABLE, SH_TIMEOUT (nobody knows; logged); SH_NOMEM. */
SH_CHECK enum sh_err directory_check(const struct ldap_config *config,
                                     const struct role_table *table,
                                     struct sh_bytes username, struct sh_bytes password,
                                     struct principal **out);

/* --- the same from a loop --------------------------------------------------------- */

struct edge;
/* A login under way. Cancelling it drops `done`; the directory is asked anyway. */
struct directory_call;
void directory_cancel(struct directory_call **call);

/* The principal is borrowed; NULL unless err is SH_OK. */
typedef void directory_done_fn(void *arg, enum sh_err err, struct principal *principal);
/* On edge->workers; *out is for directory_cancel() and must be forgotten when `done` is
 * called. Errors at once, `done` is then never called: SH_NOTFOUND (there is no
 * directory), SH_BUSY, SH_CANCELED, SH_NOMEM. Later: those of directory_check(),
 * SH_CANCELED.
 */
SH_CHECK enum sh_err directory_login(struct edge *edge, struct sh_bytes username,
                                     struct sh_bytes password, directory_done_fn *done,
                                     void *arg, struct directory_call **out);

#endif
