#include "services/backup/manifest/manifest.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "services/backup/manifest/record.h"

static enum sh_err wrong(char fault[static 128], const char *member, const char *why)
{
    (void)snprintf(fault, 128, "\"%s\" %s", member, why);
    return SH_INVALID;
}

/* Absent is an empty text. */
static enum sh_err take_text(const json_t *json, const char *name, size_t max,
                             struct sh_arena *arena, struct sh_bytes *out,
                             char fault[static 128])
{
    const json_t *value = json_object_get(json, name);
    size_t len = json_string_length(value);

    if (value == NULL || json_is_null(value))
        return SH_OK;
    if (!json_is_string(value) || len > max)
        return wrong(fault, name, "is not a text or too long");
    *out = sh_arena_copy(arena, (struct sh_bytes){json_string_value(value), len});
    return len > 0 && out->data == NULL ? SH_NOMEM : SH_OK;
}

/* UTC with a Z, seconds and perhaps a fraction of them. */
static bool parse_time(const char *text, double *out)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    double fraction = 0;

    if (rest == NULL)
        return false;
    if (*rest == '.') {
        double unit = 1;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
            unit /= 10;
            fraction += unit * (*rest - '0');
        }
    }
    if (strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0)
        return false;
    *out = (double)timegm(&tm) + fraction;
    return true;
}

static enum sh_err take_time(const json_t *json, double *out, char fault[static 128])
{
    const json_t *value = json_object_get(json, "created_at");

    if (json_is_number(value) && json_number_value(value) >= 0) {
        *out = json_number_value(value);
        return SH_OK;
    }
    if (json_is_string(value) && parse_time(json_string_value(value), out))
        return SH_OK;
    return wrong(fault, "created_at",
                 "is neither an RFC 3339 time in UTC nor Unix seconds");
}

static enum sh_err take_members(const json_t *json, const char *folder,
                                struct sh_arena *arena, struct backup_set *out,
                                char fault[static 128])
{
    const json_t *size = json_object_get(json, "size_bytes");
    const json_t *verified = json_object_get(json, "verified");
    enum sh_err err;

    if ((err = take_text(json, "id", 128, arena, &out->id, fault)) ||
        (err = take_text(json, "kind", 32, arena, &out->kind, fault)) ||
        (err = take_text(json, "label", 256, arena, &out->label, fault)) ||
        (err = take_text(json, "proven", 16, arena, &out->proven, fault)) ||
        (err = take_time(json, &out->created_at, fault)))
        return err;
    if (!sh_bytes_is(out->id, folder))
        return wrong(fault, "id", "is not the folder's name");
    if (out->kind.len == 0)
        return wrong(fault, "kind", "is missing");
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return wrong(fault, "size_bytes", "is not a number of bytes");
    if (verified != NULL && !json_is_boolean(verified))
        return wrong(fault, "verified", "is neither true nor false");
    out->size_bytes = (uint64_t)json_integer_value(size);
    out->verified = json_is_true(verified);
    out->safety = json_is_true(json_object_get(json, "safety"));
    if (!out->verified)
        out->proven = (struct sh_bytes){0};
    return SH_OK;
}

/* What this program wrote has a mark; without the two members it is somebody else's. */
static enum sh_err check_mark(const json_t *json, char fault[static 128])
{
    const char *why = "";

    if (json_object_get(json, "format") == NULL && json_object_get(json, "mark") == NULL)
        return SH_OK;
    if (record_check(json, "", &why) == SH_OK)
        return SH_OK;
    (void)snprintf(fault, 128, "%s", why);
    return SH_INVALID;
}

enum sh_err manifest_parse(struct sh_bytes bytes, const char *folder,
                           struct sh_arena *arena, struct backup_set *out,
                           char fault[static 128])
{
    json_error_t error;
    json_t *json = json_loadb(bytes.data ? bytes.data : "", bytes.len, 0, &error);
    enum sh_err err = SH_INVALID;

    *out = (struct backup_set){0};
    if (json == NULL)
        (void)snprintf(fault, 128, "line %d: %.100s", error.line, error.text);
    else if (!json_is_object(json))
        (void)snprintf(fault, 128, "it is not a JSON object");
    else
        err = take_members(json, folder, arena, out, fault);
    if (err == SH_OK)
        err = check_mark(json, fault);
    json_decref(json);
    return err;
}
