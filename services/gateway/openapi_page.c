/* The part of openapi that people read: the page, and what their browser may do with it.
 */
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "services/gateway/openapi.h"
#include "services/gateway/routes/also.h"

static void html_text(struct sh_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            sh_buffer_text(out, "&lt;");
        else if (*text == '&')
            sh_buffer_text(out, "&amp;");
        else
            sh_buffer_append(out, text, 1);
    }
}

static void write_row(struct sh_buffer *out, const char *name, const char *type,
                      const char *help)
{
    sh_buffer_printf(out, "<tr><td><code>%s</code><td>%s<td>", name, type);
    html_text(out, help != NULL ? help : "");
}

static void write_fields(struct sh_buffer *out, const struct schema *schema,
                         const char *prefix)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        const char *type = schema_type_name(field->type);
        char name[160];

        (void)snprintf(name, sizeof name, "%s%s%s", prefix, field->name,
                       field->type == SCHEMA_LIST ? "[]" : "");
        write_row(out, name, type != NULL ? type : "string or array", field->help);
        if (field->required)
            sh_buffer_text(out, " <b>required</b>");
        if (field->of == NULL)
            continue;
        (void)snprintf(name, sizeof name, "%s%s%s.", prefix, field->name,
                       field->type == SCHEMA_LIST ? "[]" : "");
        write_fields(out, field->of, name);
    }
}

static void write_operation(struct sh_buffer *out, const struct route *route)
{
    sh_buffer_printf(out, "<section id=\"%s\"><h2><b>%s</b> <code>", route->operation,
                     route_method_name(route->method));
    html_text(out, route->path);
    sh_buffer_text(out, "</code></h2><p>");
    html_text(out, route->summary);
    sh_buffer_printf(out, " &middot; <i>%s</i></p><p>%d", route->tag, route->success);
    for (const struct route_also *one = routes_also(route->operation, NULL); one != NULL;
         one = routes_also(route->operation, one))
        sh_buffer_printf(out, "; %d: %s", one->status, one->help);
    sh_buffer_text(out, "</p>");
    if (route->body != NULL || route->params != NULL)
        sh_buffer_text(out, "<table>");
    for (const struct route_param *p = route->params; p != NULL && p->name != NULL; p++)
        write_row(out, p->name, p->type, p->help);
    if (route->body != NULL)
        write_fields(out, route->body, "");
    if (route->body != NULL || route->params != NULL)
        sh_buffer_text(out, "</table>");
    sh_buffer_text(out, "</section>\n");
}

/* The page's policy names it by its hash. */
#define STYLE                                                                            \
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;"                            \
    "margin:2em auto;padding:0 1em;color-scheme:light dark}h2{font-size:1.1em;"          \
    "margin:2em 0 0}table{border-collapse:collapse}td{border-top:1px solid #8884;"       \
    "padding:.2em .8em .2em 0;vertical-align:top}"

enum sh_err openapi_policy(struct sh_buffer *out)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned char text[SHA256_DIGEST_LENGTH * 2];
    (void)SHA256((const unsigned char *)STYLE, sizeof STYLE - 1,
                 digest); /* cannot fail */
    (void)EVP_EncodeBlock(text, digest, sizeof digest);
    sh_buffer_printf(out,
                     "default-src 'none'; style-src 'sha256-%s'; frame-ancestors 'none'; "
                     "base-uri 'none'; form-action 'none'",
                     (const char *)text);
    sh_buffer_append(out, "", 1);
    return out->err;
}

enum sh_err openapi_page(const struct route *table, size_t count, struct sh_buffer *out)
{
    sh_buffer_text(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>Cairn: HTTP API"
        "</title><style>" STYLE "</style>"
        "<h1>Cairn " CAIRN_VERSION "</h1><p>The same for programs: "
        "<a href=\"/openapi.json\">/openapi.json</a>. Every <code>/api/</code> path "
        "also answers under <code>/api/v1/</code>.</p>\n");
    for (size_t i = 0; i < count; i++)
        if ((table[i].flags & ROUTE_HIDDEN) == 0)
            write_operation(out, &table[i]);
    sh_buffer_text(out, "</html>\n");
    return out->err;
}
