#include <jansson.h>
#include <string.h>

#include "cli/api/api.h"

void api_segment(struct sh_buffer *path, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    for (; *text; text++) {
        if (strchr(plain, *text))
            sh_buffer_append(path, text, 1);
        else
            sh_buffer_printf(path, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void api_query(struct sh_buffer *path, const char *name, const char *value)
{
    if (!value)
        return;
    bool first = !path->data || !memchr(path->data, '?', path->len);
    sh_buffer_printf(path, "%c%s=", first ? '?' : '&', name);
    api_segment(path, value);
}

void api_query_file(struct sh_buffer *path, const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    const char *name = slash ? slash + 1 : file;
    json_t *text = name && strcmp(name, "-") != 0 ? json_string(name) : NULL;
    if (text)
        api_query(path, "file_name", name);
    json_decref(text);
}
