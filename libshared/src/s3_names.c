#include <string.h>

#include "s3_internal.h"

bool s3_bucket_ok(const char *name, size_t len)
{
    if (len < 3 || len >= SH_S3_BUCKET_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-_", name[i]) == NULL)
            return false;
    return name[0] != '.' && name[0] != '-';
}

bool sh_s3_place_parse(const char *url, struct sh_s3_place *out)
{
    *out = (struct sh_s3_place){0};
    if (strncmp(url, "s3://", 5) != 0)
        return false;
    const char *bucket = url + 5;
    size_t len = strcspn(bucket, "/");
    const char *prefix = bucket + len + (bucket[len] == '/');
    size_t rest = strlen(prefix);
    if (!s3_bucket_ok(bucket, len) || rest + 1 >= sizeof(out->prefix))
        return false;
    memcpy(out->bucket, bucket, len);
    memcpy(out->prefix, prefix, rest);
    if (rest > 0 && prefix[rest - 1] != '/')
        out->prefix[rest] = '/';
    return true;
}

void s3_escape(struct sh_buffer *out, const char *text, const char *keep)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || strchr("-_.~", *at) != NULL ||
                     strchr(keep, *at) != NULL;
        if (plain)
            sh_buffer_append(out, at, 1);
        else
            sh_buffer_printf(out, "%%%02X", (unsigned char)*at);
    }
}

bool s3_key_ok(const char *key)
{
    size_t len = strlen(key);

    if (len == 0 || len > SH_S3_KEY_MAX || key[0] == '/')
        return false;
    for (const char *part = key; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        size_t size = strcspn(part, "/");
        if (size <= 2 && strspn(part, ".") >= size)
            return false; /* empty, "." or ".." */
    }
    return true;
}
