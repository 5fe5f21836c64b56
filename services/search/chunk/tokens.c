#include "services/search/chunk/tokens.h"

#include <utf8proc.h>

struct point {
    int32_t code;
    uint32_t bytes;
};

static struct point point_at(struct sh_bytes text, uint32_t pos)
{
    const uint8_t *data = text.data;
    if (data[pos] < 0x80)
        return (struct point){data[pos], 1};
    utf8proc_int32_t code = -1;
    utf8proc_ssize_t n =
        utf8proc_iterate(data + pos, (utf8proc_ssize_t)(text.len - pos), &code);
    if (n < 1)
        return (struct point){-1, 1};
    return (struct point){code, (uint32_t)n};
}

static bool is_ideograph(int32_t code)
{
    return (code >= 0x3040 && code <= 0x30ff) || (code >= 0x3400 && code <= 0x9fff) ||
           (code >= 0xf900 && code <= 0xfaff) || (code >= 0x20000 && code <= 0x3ffff);
}

static bool is_blank(int32_t code)
{
    if (code < 0x80)
        return code >= 0 && code <= ' ';
    utf8proc_category_t category = utf8proc_category(code);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_CC;
}

static bool is_word(int32_t code)
{
    if (code < 0)
        return false;
    if (code < 0x80)
        return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
               (code >= 'a' && code <= 'z');
    utf8proc_category_t category = utf8proc_category(code);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) ||
           category == UTF8PROC_CATEGORY_CF;
}

static enum run_kind kind_of(int32_t code)
{
    if (code < 0)
        return RUN_MARK;
    if (is_blank(code))
        return RUN_BLANK;
    if (is_ideograph(code))
        return RUN_IDEOGRAPH;
    return is_word(code) ? RUN_WORD : RUN_MARK;
}

static struct run blanks(struct sh_bytes text, struct run run)
{
    uint32_t characters = 0;
    while (run.end < text.len && characters < RUN_BLANKS) {
        struct point point = point_at(text, run.end);
        if (!is_blank(point.code))
            break;
        run.lines += point.code == '\n' || point.code == 0x2029;
        run.end += point.bytes;
        characters++;
    }
    run.tokens = characters / 16;
    return run;
}

/* Sub-word vocabularies spend about one token on six Latin letters and on three of other
 * scripts. */
static uint32_t word_tokens(uint32_t ascii, uint32_t others)
{
    return (ascii + 5) / 6 + (others + 2) / 3;
}

static struct run word(struct sh_bytes text, struct run run)
{
    uint32_t ascii = 0;
    uint32_t others = 0;
    int32_t before = 0;
    utf8proc_int32_t state = 0;

    while (run.end < text.len) {
        struct point point = point_at(text, run.end);
        uint32_t characters = ascii + others;
        if (!is_word(point.code) || is_ideograph(point.code))
            break;
        bool may_break = characters > 0 &&
                         utf8proc_grapheme_break_stateful(before, point.code, &state);
        if ((characters >= RUN_CHARACTERS && may_break) ||
            characters >= 4 * RUN_CHARACTERS)
            break;
        if (point.code < 0x80)
            ascii++;
        else
            others++;
        before = point.code;
        run.end += point.bytes;
    }
    run.tokens = word_tokens(ascii, others);
    return run;
}

struct run run_next(struct sh_bytes text, uint32_t pos)
{
    struct run run = {.kind = RUN_END, .start = pos, .end = pos};
    if (pos >= text.len)
        return run;
    struct point point = point_at(text, pos);
    run.first = point.code;
    run.kind = kind_of(point.code);
    if (run.kind == RUN_BLANK)
        return blanks(text, run);
    if (run.kind == RUN_WORD)
        return word(text, run);
    run.end = pos + point.bytes;
    run.tokens = 1;
    return run;
}
