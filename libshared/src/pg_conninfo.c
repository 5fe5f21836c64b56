#include "shared/pg.h"

#include <stdlib.h>

#include "shared/buffer.h"
#include "shared/mem.h"

SH_SETTINGS_DEFINE(sh_pg, "PostgreSQL", SH_PG_SETTINGS)

/* key='value' with libpq's escapes; nothing when the value is empty. */
static void add(struct sh_buffer *out, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    sh_buffer_printf(out, "%s%s='", out->len > 0 ? " " : "", key);
    for (const char *c = value; *c; c++) {
        if (*c == '\'' || *c == '\\')
            sh_buffer_append(out, "\\", 1);
        sh_buffer_append(out, c, 1);
    }
    sh_buffer_append(out, "'", 1);
}

/* "host", "host:port", "[v6]:port", "v6" (several colons, no brackets) and
 * "/directory:port"; the port stays as it was when there is none. Both are copies. */
static void split(const char *text, char **host, char **port)
{
    const char *colon = strrchr(text, ':');
    const char *end = text + strlen(text);

    if (*text == '[' && strchr(text, ']')) {
        end = strchr(text, ']');
        colon = end[1] == ':' ? end + 1 : NULL;
        text++;
    } else if (colon && strchr(text, ':') != colon) {
        colon = NULL;
    } else if (colon) {
        end = colon;
    }
    *host = sh_strndup(text, (size_t)(end - text));
    if (colon && colon[1]) {
        sh_free(*port);
        *port = sh_strdup(colon + 1);
    }
}

static void add_parts(struct sh_buffer *out, const struct sh_pg_config *config,
                      const char *host, const char *port)
{
    add(out, "host", host);
    add(out, "port", port);
    add(out, "dbname", config->name);
    add(out, "user", config->user);
    add(out, "password", config->password);
}

/* The URL's keywords, but another host. */
static void add_url(struct sh_buffer *out, const struct sh_pg_config *config,
                    const char *host, const char *port)
{
    PQconninfoOption *options = PQconninfoParse(config->url, NULL);

    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, "host") == 0)
            add(out, o->keyword, host);
        else if (strcmp(o->keyword, "port") == 0)
            add(out, o->keyword, port);
        else if (strcmp(o->keyword, "hostaddr") != 0)
            add(out, o->keyword, o->val);
    }
    PQconninfoFree(options);
}

/* The port of the settings or of the URL; "" when the URL has none. */
static char *usual_port(const struct sh_pg_config *config)
{
    struct sh_buffer text = {0};

    if (*config->url) {
        PQconninfoOption *options = PQconninfoParse(config->url, NULL);
        for (PQconninfoOption *o = options; o && o->keyword; o++) {
            if (strcmp(o->keyword, "port") == 0 && o->val)
                sh_buffer_text(&text, o->val);
        }
        PQconninfoFree(options);
    } else {
        sh_buffer_printf(&text, "%u", config->port);
    }
    sh_buffer_append(&text, "", 1);
    if (text.err != SH_OK)
        sh_buffer_free(&text);
    return text.data;
}

char *sh_pg_conninfo(const struct sh_pg_config *config, const char *read_host)
{
    struct sh_buffer out = {0};
    char *host = NULL;
    char *port = NULL;

    if (*config->url && !read_host)
        return sh_strdup(config->url);
    port = usual_port(config);
    if (read_host)
        split(read_host, &host, &port);
    if (*config->url)
        add_url(&out, config, host, port);
    else
        add_parts(&out, config, read_host ? host : config->host, port);
    sh_buffer_append(&out, "", 1);
    if (out.err != SH_OK || !port || (read_host && !host)) {
        sh_buffer_free(&out);
        out.data = NULL;
    }
    sh_free(host);
    sh_free(port);
    return out.data;
}
