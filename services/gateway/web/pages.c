#include "services/gateway/web/pages.h"

#include <string.h>
#include <strings.h>

#include "services/gateway/exchange.h"
#include "services/gateway/uploads/range.h"

/* --- which ------------------------------------------------------------------------ */

/* Where the script of index.html has a page, and below; and at "/". */
static const char *const areas[] = {"/search",   "/documents",  "/graph",
                                    "/glossary", "/operations", "/login"};
/* What belongs to programs, also where there is nothing: they want JSON. */
static const char *const programs[] = {"/api",     "/v1",           "/health",
                                       "/metrics", "/readyz",       "/livez",
                                       "/docs",    "/openapi.json", "/assets"};

static bool is_below(struct sh_bytes path, const char *area)
{
    size_t len = strlen(area);

    return path.len >= len && memcmp(path.data, area, len) == 0 &&
           (path.len == len || ((const char *)path.data)[len] == '/');
}

static bool is_one_of(struct sh_bytes path, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_below(path, list[i]))
            return true;
    return false;
}

static bool holds(struct sh_bytes text, const char *word)
{
    return text.len > 0 && memmem(text.data, text.len, word, strlen(word)) != NULL;
}

struct web_choice web_choose(const struct web_files *files, struct sh_bytes method,
                             struct sh_bytes path, struct sh_bytes accept)
{
    struct web_choice none = {0};

    if (files == NULL || !(sh_bytes_is(method, "GET") || sh_bytes_is(method, "HEAD")))
        return none;
    const struct web_file *file = web_files_find(files, path);
    if (file != NULL)
        return (struct web_choice){file, 200};
    const struct web_file *index = web_files_find(files, sh_bytes_of("/index.html"));
    if (sh_bytes_is(path, "/") || is_one_of(path, areas, SH_COUNT(areas)))
        return (struct web_choice){index, 200};
    if (holds(accept, "text/html") && !is_one_of(path, programs, SH_COUNT(programs)))
        return (struct web_choice){index, 404};
    return none;
}

/* --- how -------------------------------------------------------------------------- */

static struct sh_bytes strip(struct sh_bytes text)
{
    const char *data = text.data;
    size_t from = 0, to = text.len;

    while (from < to && (data[from] == ' ' || data[from] == '\t'))
        from++;
    while (to > from && (data[to - 1] == ' ' || data[to - 1] == '\t'))
        to--;
    return (struct sh_bytes){data + from, to - from};
}

/* "gzip", "gzip;q=0.5"; not with a weight of 0, which is all noughts and a point. */
static bool names_gzip(struct sh_bytes part)
{
    const char *semicolon = memchr(part.data, ';', part.len);
    size_t len =
        semicolon != NULL ? (size_t)(semicolon - (const char *)part.data) : part.len;
    struct sh_bytes name = strip((struct sh_bytes){part.data, len});

    if (name.len != 4 || strncasecmp(name.data, "gzip", 4) != 0)
        return false;
    if (semicolon == NULL)
        return true;
    const char *equals = memchr(semicolon, '=', part.len - len);
    const char *end = (const char *)part.data + part.len;
    for (const char *c = equals; c != NULL && c < end; c++)
        if (*c >= '1' && *c <= '9')
            return true;
    return false;
}

bool web_takes_gzip(struct sh_bytes line)
{
    const char *data = line.data;

    for (size_t from = 0; from < line.len;) {
        const char *comma = memchr(data + from, ',', line.len - from);
        size_t to = comma != NULL ? (size_t)(comma - data) : line.len;
        if (to > from && names_gzip(strip((struct sh_bytes){data + from, to - from})))
            return true;
        from = to + 1;
    }
    return false;
}

void web_answer(struct exchange *x)
{
    const struct web_file *file = x->page.file;
    struct sh_http_request *request = x->request;
    struct sh_bytes known = sh_http_header(request, "If-None-Match");
    bool packed = file->packed.len > 0 &&
                  web_takes_gzip(sh_http_header(request, "Accept-Encoding"));
    const char *tag = packed ? file->packed_tag : file->tag;

    sh_http_leave_unpacked(request); /* it is packed, or nobody asked */
    sh_http_add_header(request, "ETag", tag);
    sh_http_add_header(request, "Vary", "Accept-Encoding");
    sh_http_add_header(request, "Cache-Control",
                       file->hashed ? "public, max-age=31536000, immutable" : "no-cache");
    if (x->page.status == 200 && known.len > 0 && range_names(known, tag, true)) {
        exchange_answer_as(x, 304, NULL, (struct sh_bytes){0});
        return;
    }
    if (packed)
        sh_http_add_header(request, "Content-Encoding", "gzip");
    exchange_answer_as(x, x->page.status, file->type,
                       packed ? file->packed : file->plain);
}
