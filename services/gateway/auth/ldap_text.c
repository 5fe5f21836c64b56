#include "services/gateway/auth/ldap_text.h"

#include <ldap.h>
#include <strings.h>

#include "shared/mem.h"

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '@' || c == '-';
}

static void append_value(struct sh_buffer *out, struct sh_bytes value)
{
    const unsigned char *bytes = value.data;

    for (size_t i = 0; i < value.len; i++)
        if (is_plain(bytes[i]))
            sh_buffer_append(out, &bytes[i], 1);
        else
            sh_buffer_printf(out, "\\%02x", bytes[i]);
}

void ldap_fill(const char *template, struct sh_bytes value, struct sh_buffer *out)
{
    const char *place = strstr(template, "{}");

    while (place != NULL) {
        sh_buffer_append(out, template, (size_t)(place - template));
        append_value(out, value);
        template = place + 2;
        place = strstr(template, "{}");
    }
    sh_buffer_append(out, template, strlen(template) + 1); /* with the NUL */
}

/* --- groups ----------------------------------------------------------------------- */

/* One way to write it; NULL when it is no name. Release with ldap_memfree(). */
static char *normal(const char *name)
{
    LDAPDN dn = NULL;
    char *text = NULL;

    if (ldap_str2dn(name, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || dn == NULL)
        return NULL;
    if (ldap_dn2str(dn, &text, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        text = NULL;
    ldap_dnfree(dn);
    return text;
}

struct pair {
    char *name; /* a copy */
    char *role; /* within it */
};

/* The next name=role; the last `=` parts them, because names have some of their own.
 * False at the end; name NULL when there is something else. */
static bool next_pair(const char **at, struct pair *pair)
{
    *at += strspn(*at, "; ");
    size_t len = strcspn(*at, ";");
    *pair = (struct pair){0};
    if (len == 0)
        return false;
    char *text = sh_strndup(*at, len);
    char *equals = text != NULL ? strrchr(text, '=') : NULL;
    *at += len;
    if (equals == NULL || equals == text) {
        sh_free(text);
        return true;
    }
    *equals = '\0';
    *pair = (struct pair){text, equals + 1 + strspn(equals + 1, " ")};
    return true;
}

static bool is_same_name(const char *a, const char *normal_b)
{
    char *normal_a = normal(a);
    bool same = normal_a != NULL && strcasecmp(normal_a, normal_b) == 0;

    ldap_memfree(normal_a);
    return same;
}

const struct role *ldap_role_of_group(const char *map, const struct role_table *table,
                                      const char *group, const struct role *best)
{
    struct pair pair;
    char *name = normal(group);

    while (name != NULL && next_pair(&map, &pair)) {
        if (pair.name != NULL && is_same_name(pair.name, name)) {
            const struct role *role = role_find(table, sh_bytes_of(pair.role));
            if (role != NULL && (best == NULL || role->clearance > best->clearance))
                best = role;
        }
        sh_free(pair.name);
    }
    ldap_memfree(name);
    return best;
}

bool ldap_map_is_good(const char *map)
{
    struct pair pair;
    bool good = true;

    while (good && next_pair(&map, &pair)) {
        char *name = pair.name != NULL ? normal(pair.name) : NULL;
        good = name != NULL && pair.role[0] != '\0';
        ldap_memfree(name);
        sh_free(pair.name);
    }
    return good;
}
