#include "services/gateway/auth/roles_file.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/mem.h"

enum { FILE_MAX = 1 << 20 };

struct reader {
    const char *role; /* the one being read */
    char *why;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct reader *reader,
                                                         const char *format, ...)
{
    char sentence[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    (void)snprintf(reader->why, reader->size, "%s%s%s", reader->role,
                   reader->role[0] != '\0' ? ": " : "", sentence);
    return false;
}

/* --- one role --------------------------------------------------------------------- */

static bool read_number(const struct reader *reader, const json_t *object,
                        const char *name, uint32_t most, uint32_t *out)
{
    const json_t *value = json_object_get(object, name);
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 1 || number > (json_int_t)most)
        return refuse(reader, "%s must be a whole number from 1 to %u", name,
                      (unsigned)most);
    *out = (uint32_t)number;
    return true;
}

static bool read_reach(const struct reader *reader, const json_t *object,
                       enum role_reach *out)
{
    static const char *const names[] = {"public", "own", "all"};
    const char *text = json_string_value(json_object_get(object, "departments"));

    for (size_t i = 0; text != NULL && i < SH_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum role_reach)i;
            return true;
        }
    return refuse(reader, "departments must be \"public\", \"own\" or \"all\"");
}

static bool read_permissions(const struct reader *reader, const json_t *object,
                             uint64_t *out)
{
    const json_t *list = json_object_get(object, "permissions");

    if (!json_is_array(list))
        return refuse(reader, "permissions must be an array of texts");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct sh_bytes name = {json_string_value(one), json_string_length(one)};
        enum permission permission;
        if (!json_is_string(one) || !permission_parse(name, &permission))
            return refuse(reader, "permissions[%zu] is no permission", i);
        *out |= permission_bit(permission);
    }
    return true;
}

static bool knows_members(const struct reader *reader, json_t *object)
{
    static const char *const known[] = {"clearance",         "requests_per_minute",
                                        "requests_per_hour", "max_results",
                                        "departments",       "permissions"};
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(object, name, value)
    {
        bool found = false;
        for (size_t i = 0; i < SH_COUNT(known); i++)
            found = found || strcmp(name, known[i]) == 0;
        if (!found)
            return refuse(reader, "there is no member `%.64s`", name);
    }
    return true;
}

static bool read_role(const struct reader *reader, json_t *object, struct role *role)
{
    if (!json_is_object(object))
        return refuse(reader, "must be an object");
    return knows_members(reader, object) &&
           read_number(reader, object, "clearance", 5, &role->clearance) &&
           read_number(reader, object, "requests_per_minute", 1000000,
                       &role->requests_per_minute) &&
           read_number(reader, object, "requests_per_hour", 100000000,
                       &role->requests_per_hour) &&
           read_number(reader, object, "max_results", 1000, &role->max_results) &&
           read_reach(reader, object, &role->departments) &&
           read_permissions(reader, object, &role->permissions);
}

/* --- all -------------------------------------------------------------------------- */

/* Names show in metrics, headers and tokens. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= ROLE_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* What nobody may do without showing who they are. */
static bool is_harmless(const struct reader *reader, const struct role *role)
{
    static const enum permission kept[] = {
        PERMIT_SESSION,     PERMIT_BACKUPS,     PERMIT_OPERATE,
        PERMIT_ADMIN_USERS, PERMIT_ADMIN_KEYS,  PERMIT_ADMIN_CACHE,
        PERMIT_READ_AUDIT,  PERMIT_IMPERSONATE, PERMIT_ADMIN_MODELS};

    for (size_t i = 0; i < SH_COUNT(kept); i++)
        if (role_may(role, kept[i]))
            return refuse(reader, "%s is not for everybody", permission_name(kept[i]));
    return true;
}

static bool read_all(struct reader *reader, json_t *all, roles_found_fn *found, void *arg)
{
    const char *name = NULL;
    json_t *object = NULL;

    if (!json_is_object(all) || json_object_size(all) == 0 ||
        json_object_size(all) > ROLES_MAX)
        return refuse(reader, "roles must be an object of 1 to %d roles", ROLES_MAX);
    json_object_foreach(all, name, object)
    {
        struct role role = {0};
        if (!is_name(name))
            return refuse(reader, "the name of a role is 1 to %d of a-z, 0-9, _ and -",
                          ROLE_NAME_MAX);
        reader->role = name;
        if (!read_role(reader, object, &role) ||
            (strcmp(name, "anonymous") == 0 && !is_harmless(reader, &role)))
            return false;
        found(arg, name, &role);
    }
    reader->role = "";
    return true;
}

enum sh_err roles_read(struct sh_bytes json, roles_found_fn *found, void *arg, char *why,
                       size_t size)
{
    struct reader reader = {.role = "", .size = size};
    json_error_t fault;

    reader.why = why;
    if (json.len > FILE_MAX) {
        (void)refuse(&reader, "longer than %d bytes", FILE_MAX);
        return SH_TOOBIG;
    }
    json_t *root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL) {
        (void)refuse(&reader, "line %d: %s", fault.line, fault.text);
        return SH_INVALID;
    }
    bool good = json_is_object(root) && json_object_size(root) == 1
                    ? read_all(&reader, json_object_get(root, "roles"), found, arg)
                    : refuse(&reader, "must be an object whose one member is `roles`");
    json_decref(root);
    return good ? SH_OK : SH_INVALID;
}

/* --- the file --------------------------------------------------------------------- */

static enum sh_err read_file(int file, char *text, size_t *len)
{
    *len = 0;
    while (*len <= FILE_MAX) {
        ssize_t got = read(file, text + *len, FILE_MAX + 1 - *len);
        if (got < 0)
            return SH_IO;
        if (got == 0)
            return SH_OK;
        *len += (size_t)got;
    }
    return SH_OK; /* roles_read() refuses it */
}

enum sh_err roles_load_file(struct roles *self, const char *path, char *why, size_t size)
{
    size_t len = 0;
    char *text = sh_alloc(FILE_MAX + 1);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum sh_err err = text == NULL ? SH_NOMEM : SH_IO;

    if (text != NULL && file >= 0)
        err = read_file(file, text, &len);
    if (err == SH_OK)
        err = roles_load(self, (struct sh_bytes){text, len}, why, size);
    else
        (void)snprintf(why, size, "cannot be read");
    if (file >= 0)
        close(file);
    sh_free(text);
    return err;
}
