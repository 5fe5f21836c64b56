#include "multipart_head.h"

#include <strings.h>

#include "http_parse.h"
#include "shared/http_server.h"

enum { VALUE_MAX = 1024 };

/* --- parameters: ; name=value; name="value" --------------------------------------- */

struct param {
    struct sh_bytes name;
    char value[VALUE_MAX];
    size_t len;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_spaces(struct sh_bytes *rest)
{
    const char *at = rest->data;
    size_t skip = 0;
    while (skip < rest->len && is_space(at[skip]))
        skip++;
    *rest = (struct sh_bytes){at + skip, rest->len - skip};
}

static struct sh_bytes cut(struct sh_bytes *rest, size_t len)
{
    struct sh_bytes front = {rest->data, len};
    *rest = (struct sh_bytes){(const char *)rest->data + len, rest->len - len};
    return front;
}

/* Up to the first byte that no token may hold. */
static struct sh_bytes cut_token(struct sh_bytes *rest)
{
    const char *at = rest->data;
    size_t len = 0;
    while (len < rest->len && http_is_token((struct sh_bytes){at + len, 1}))
        len++;
    return cut(rest, len);
}

static bool add_byte(struct param *param, char c)
{
    if (param->len + 1 >= sizeof(param->value))
        return false;
    param->value[param->len++] = c;
    return true;
}

/* A backslash escapes a quote or itself and is otherwise what it looks like: browsers do
 * not escape, and some have sent paths of Windows. */
static bool take_quoted(struct sh_bytes *rest, struct param *param)
{
    const char *at = rest->data;
    size_t i = 1;
    for (; i < rest->len && at[i] != '"'; i++) {
        if (at[i] == '\\' && i + 1 < rest->len && (at[i + 1] == '"' || at[i + 1] == '\\'))
            i++;
        if (!add_byte(param, at[i]))
            return false;
    }
    if (i == rest->len)
        return false;
    cut(rest, i + 1);
    return true;
}

static bool take_value(struct sh_bytes *rest, struct param *param)
{
    param->len = 0;
    bool good = false;
    if (rest->len > 0 && *(const char *)rest->data == '"') {
        good = take_quoted(rest, param);
    } else {
        struct sh_bytes token = cut_token(rest);
        good = token.len > 0;
        for (size_t i = 0; i < token.len && good; i++)
            good = add_byte(param, ((const char *)token.data)[i]);
    }
    param->value[param->len] = '\0';
    return good;
}

enum next { PARAM, NO_MORE, BROKEN };

/* The next parameter from the front of `rest`. A semicolon may end the list. */
static enum next next_param(struct sh_bytes *rest, struct param *param)
{
    skip_spaces(rest);
    if (rest->len == 0)
        return NO_MORE;
    if (*(const char *)cut(rest, 1).data != ';')
        return BROKEN;
    skip_spaces(rest);
    if (rest->len == 0)
        return NO_MORE;
    param->name = cut_token(rest);
    if (param->name.len == 0 || rest->len == 0 ||
        *(const char *)cut(rest, 1).data != '=' || !take_value(rest, param))
        return BROKEN;
    return PARAM;
}

static bool same_word(struct sh_bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

/* --- the boundary ----------------------------------------------------------------- */

static bool is_boundary(const char *text, size_t len)
{
    static const char other[] = "'()+_,-./:=? ";
    if (len == 0 || len > MULTIPART_BOUNDARY_MAX || text[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain && (c == '\0' || !strchr(other, c)))
            return false;
    }
    return true;
}

bool multipart_boundary(struct sh_bytes content_type,
                        char out[static MULTIPART_BOUNDARY_MAX + 1])
{
    static const char wanted[] = "multipart/form-data";
    struct sh_bytes rest = content_type;
    struct param param;
    enum next next;
    bool found = false;

    if (rest.len < sizeof(wanted) - 1 ||
        !same_word(cut(&rest, sizeof(wanted) - 1), wanted))
        return false;
    while ((next = next_param(&rest, &param)) == PARAM) {
        if (!same_word(param.name, "boundary"))
            continue;
        if (found || !is_boundary(param.value, param.len))
            return false;
        memcpy(out, param.value, param.len + 1);
        found = true;
    }
    return found && next == NO_MORE;
}

/* --- the headers of a part -------------------------------------------------------- */

static bool copy_text(const char *value, size_t len, char *out, size_t size)
{
    char clean[VALUE_MAX];
    size_t used = 0;
    if (!http_is_value((struct sh_bytes){value, len}) || memchr(value, '\t', len))
        return false;
    /* checked as UTF-8 by the decoder of URLs, for which a percent sign is escaped */
    for (size_t i = 0; i < len; i++) {
        if (used + 4 > sizeof(clean))
            return false;
        clean[used++] = value[i];
        if (value[i] == '%') {
            clean[used++] = '2';
            clean[used++] = '5';
        }
    }
    return sh_http_decode((struct sh_bytes){clean, used}, out, size) == SH_OK;
}

/* RFC 7578 4.2: a path that came with the name is not to be used. */
static bool take_filename(struct sh_multipart_part *part, const char *value, size_t len)
{
    char whole[VALUE_MAX];
    if (!copy_text(value, len, whole, sizeof(whole)))
        return false;
    const char *name = whole;
    for (const char *at = whole; *at; at++)
        name = *at == '/' || *at == '\\' ? at + 1 : name;
    size_t left = strlen(name);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        left >= sizeof(part->filename))
        return false;
    memcpy(part->filename, name, left + 1);
    part->is_file = true;
    return true;
}

/* RFC 8187: UTF-8'en'%e2%82%ac */
static bool take_extended(struct sh_multipart_part *part, const struct param *param)
{
    static const char charset[] = "UTF-8'";
    char plain[VALUE_MAX];
    const char *value = param->value;

    if (strncasecmp(value, charset, sizeof(charset) - 1) != 0)
        return false;
    const char *text = strchr(value + sizeof(charset) - 1, '\'');
    if (!text || sh_http_decode(sh_bytes_of(text + 1), plain, sizeof(plain)) != SH_OK)
        return false;
    return take_filename(part, plain, strlen(plain));
}

struct disposition {
    bool name;
    bool filename;
    bool extended;
};

/* False for one that stands twice, or holds what it must not. */
static bool take_param(const struct param *param, struct disposition *seen,
                       struct sh_multipart_part *part)
{
    if (same_word(param->name, "name")) {
        bool again = seen->name;
        seen->name = true;
        return !again && param->len > 0 &&
               copy_text(param->value, param->len, part->name, sizeof(part->name));
    }
    if (same_word(param->name, "filename")) {
        bool again = seen->filename;
        seen->filename = true;
        return !again &&
               (seen->extended || take_filename(part, param->value, param->len));
    }
    if (same_word(param->name, "filename*")) {
        bool again = seen->extended;
        seen->extended = true;
        return !again && take_extended(part, param);
    }
    return true;
}

static const char *take_disposition(struct sh_bytes value, struct sh_multipart_part *part)
{
    struct disposition seen = {0};
    struct param param;
    enum next next;

    if (!same_word(cut_token(&value), "form-data"))
        return "a part's Content-Disposition is not form-data";
    while ((next = next_param(&value, &param)) == PARAM) {
        if (!take_param(&param, &seen, part))
            return "a name or file name of a part is not valid";
    }
    if (next == BROKEN || !seen.name)
        return "a part's Content-Disposition is not valid";
    return NULL;
}

/* Other encodings are long deprecated (RFC 7578 4.7), and a way past what looks at the
 * content. */
static const char *take_encoding(struct sh_bytes value)
{
    bool plain = same_word(value, "7bit") || same_word(value, "8bit") ||
                 same_word(value, "binary");
    return plain ? NULL : "a part's Content-Transfer-Encoding is not supported";
}

static const char *take_type(struct sh_bytes value, struct sh_multipart_part *part)
{
    if (value.len == 0 || value.len >= sizeof(part->type) || !http_is_value(value))
        return "a part's Content-Type is not valid";
    memcpy(part->type, value.data, value.len);
    part->type[value.len] = '\0';
    return NULL;
}

const char *multipart_header(struct sh_bytes line, struct multipart_seen *seen,
                             struct sh_multipart_part *part)
{
    static const char twice[] = "a header of a part stands twice";
    struct sh_bytes name = cut_token(&line);
    if (name.len == 0 || line.len == 0 || *(const char *)cut(&line, 1).data != ':' ||
        !http_is_value(line))
        return "a header line of a part is not valid";
    skip_spaces(&line);
    while (line.len > 0 && is_space(((const char *)line.data)[line.len - 1]))
        line.len--;

    bool again = false;
    if (same_word(name, "content-disposition")) {
        again = seen->disposition;
        seen->disposition = true;
        return again ? twice : take_disposition(line, part);
    }
    if (same_word(name, "content-type")) {
        again = seen->type;
        seen->type = true;
        return again ? twice : take_type(line, part);
    }
    if (same_word(name, "content-transfer-encoding")) {
        again = seen->encoding;
        seen->encoding = true;
        return again ? twice : take_encoding(line);
    }
    return NULL;
}
