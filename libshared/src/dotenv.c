#include "libshared/src/dotenv.h"

struct sh_dotenv_entry {
    struct sh_dotenv_entry *before;
    const char *name;
    const char *value;
};

struct parser {
    const char *at;
    const char *end;
    unsigned line;
};

static bool more(const struct parser *p)
{
    return p->at < p->end && *p->at != '\n';
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct parser *p)
{
    while (more(p) && blank(*p->at))
        p->at++;
}

static void skip_line(struct parser *p)
{
    while (more(p))
        p->at++;
    if (p->at < p->end)
        p->at++;
    p->line++;
}

static bool name_char(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || (!first && c >= '0' && c <= '9');
}

static struct sh_bytes parse_name(struct parser *p)
{
    const char *start = p->at;
    while (more(p) && name_char(*p->at, p->at == start))
        p->at++;
    return (struct sh_bytes){start, (size_t)(p->at - start)};
}

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* False when the quote is never closed, or something follows it. */
static bool parse_quoted(struct parser *p, struct sh_buffer *value)
{
    char quote = *p->at++;
    for (; p->at < p->end && *p->at != quote; p->at++) {
        char c = *p->at;
        if (c == '\n')
            p->line++;
        if (quote == '"' && c == '\\' && p->end - p->at > 1 &&
            strchr("nrt\"\\$", p->at[1]) && p->at[1] != '\0')
            c = unescape(*++p->at);
        sh_buffer_append(value, &c, 1);
    }
    if (p->at == p->end)
        return false;
    p->at++;
    skip_blanks(p);
    return !more(p) || *p->at == '#';
}

static void parse_plain(struct parser *p, struct sh_buffer *value)
{
    const char *start = p->at;
    const char *end = start;
    for (; more(p) && !(*p->at == '#' && (p->at == start || blank(p->at[-1]))); p->at++) {
        if (!blank(*p->at))
            end = p->at + 1;
    }
    sh_buffer_append(value, start, (size_t)(end - start));
}

/* Between the = and the end of the line. */
static bool parse_value(struct parser *p, struct sh_buffer *value)
{
    bool good = true;
    skip_blanks(p);
    if (more(p) && (*p->at == '"' || *p->at == '\''))
        good = parse_quoted(p, value);
    else
        parse_plain(p, value);
    return good && (value->len == 0 || !memchr(value->data, '\0', value->len));
}

static void add(struct sh_dotenv *env, struct sh_bytes name, struct sh_buffer *value)
{
    struct sh_dotenv_entry *entry = sh_arena_alloc(&env->arena, sizeof(*entry));
    char *name_copy = sh_arena_strndup(&env->arena, name.data, name.len);
    char *value_copy = sh_arena_strndup(&env->arena, value->data, value->len);
    if (!entry || !name_copy || !value_copy) {
        value->err = SH_NOMEM;
        return;
    }
    *entry = (struct sh_dotenv_entry){env->last, name_copy, value_copy};
    env->last = entry;
}

/* False when the line is no assignment. */
static bool parse_line(struct parser *p, struct sh_dotenv *env, struct sh_buffer *value)
{
    sh_buffer_clear(value);
    skip_blanks(p);
    if (!more(p) || *p->at == '#')
        return true;
    struct sh_bytes name = parse_name(p);
    if (sh_bytes_is(name, "export") && more(p) && blank(*p->at)) {
        skip_blanks(p);
        name = parse_name(p);
    }
    skip_blanks(p);
    if (name.len == 0 || !more(p) || *p->at != '=')
        return false;
    p->at++;
    if (!parse_value(p, value))
        return false;
    add(env, name, value);
    return true;
}

enum sh_err sh_dotenv_parse(struct sh_dotenv *env, struct sh_bytes text,
                            struct sh_buffer *faults)
{
    struct parser p = {text.data, NULL, 1};
    struct sh_buffer value = {0};
    enum sh_err err = SH_OK;

    if (text.len == 0)
        return SH_OK;
    p.end = p.at + text.len;
    while (p.at < p.end && value.err == SH_OK) {
        unsigned line = p.line;
        if (!parse_line(&p, env, &value)) {
            sh_buffer_printf(faults, ".env: line %u is not NAME=value\n", line);
            err = SH_INVALID;
        }
        skip_line(&p);
    }
    if (value.err != SH_OK)
        err = value.err;
    sh_buffer_free(&value);
    return err;
}

const char *sh_dotenv_get(const struct sh_dotenv *env, const char *name)
{
    for (const struct sh_dotenv_entry *at = env->last; at; at = at->before) {
        if (strcmp(at->name, name) == 0)
            return at->value;
    }
    return NULL;
}

void sh_dotenv_free(struct sh_dotenv *env)
{
    sh_arena_free(&env->arena);
    env->last = NULL;
}
