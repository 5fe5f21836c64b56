#include "services/search/glossary/terms_rules.h"

enum { TERM_CHARACTERS = 512 };

bool terms_status_ok(struct sh_bytes status)
{
    return sh_bytes_is(status, "draft") || sh_bytes_is(status, "validated") ||
           sh_bytes_is(status, "deprecated");
}

const char *terms_from(struct sh_bytes to, bool may_validate)
{
    if (!may_validate)
        return to.len == 0 || sh_bytes_is(to, "draft") ? "{draft}" : "{}";
    if (to.len == 0)
        return "{draft,validated,deprecated}";
    if (sh_bytes_is(to, "draft"))
        return "{draft,validated}";
    if (sh_bytes_is(to, "validated"))
        return "{draft,validated,deprecated}";
    return "{validated,deprecated}";
}

/* --- one entry -------------------------------------------------------------------- */

/* Letters, digits and hyphens, as BCP 47 has them. */
static bool is_language(struct sh_bytes text)
{
    const char *at = text.data;

    for (size_t i = 0; i < text.len; i++) {
        char c = at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool inside = i > 0 && ((c >= '0' && c <= '9') || c == '-');
        if (!letter && !inside)
            return false;
    }
    return text.len >= 2;
}

/* No control character, and nothing blank at an end. */
static bool is_line(struct sh_bytes text)
{
    const uint8_t *at = text.data;

    if (text.len == 0)
        return true;
    if (at[0] == ' ' || at[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (at[i] < 0x20 || at[i] == 0x7f)
            return false;
    return true;
}

static size_t characters(struct sh_bytes text)
{
    const uint8_t *at = text.data;
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (at[i] & 0xc0) != 0x80;
    return count;
}

static bool has_nul(struct sh_bytes text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

static void fill(struct glossary_term *term)
{
    if (term->language.len == 0)
        term->language = sh_bytes_of("en");
    if (term->status.len == 0)
        term->status = sh_bytes_of("draft");
    if (term->clearance_level == 0)
        term->clearance_level = 1;
    if (term->metadata.len == 0)
        term->metadata = sh_bytes_of("{}");
}

const char *terms_check(struct glossary_term *term, const char **field)
{
    const struct {
        const char *name;
        struct sh_bytes text;
    } lines[] = {{"id", term->id},
                 {"term", term->term},
                 {"domain", term->domain},
                 {"part_of_speech", term->part_of_speech},
                 {"source", term->source},
                 {"sense", term->sense},
                 {"department", term->department}};

    fill(term);
    for (size_t i = 0; i < SH_COUNT(lines); i++) {
        *field = lines[i].name;
        if (!is_line(lines[i].text))
            return "it must be one line without white space around it";
    }
    *field = "term";
    if (term->term.len == 0 || characters(term->term) > TERM_CHARACTERS)
        return "a term has 1 to 512 characters";
    *field = "definition";
    if (has_nul(term->definition))
        return "it must not hold a NUL";
    *field = "language";
    if (!is_language(term->language))
        return "it must be a language tag such as en or de-AT";
    *field = "status";
    if (!terms_status_ok(term->status))
        return "it must be draft, validated or deprecated";
    *field = NULL;
    return NULL;
}
