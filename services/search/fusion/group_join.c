#include "services/search/fusion/group.h"

enum { LONGEST_REPEATED = 32 * 1024 };

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Of each beginning of the text, how long its longest border is: what it both begins and
 * ends with (Knuth, Morris and Pratt 1977). */
static void find_borders(const char *text, size_t len, uint32_t *borders)
{
    uint32_t matched = 0;
    borders[0] = 0;
    for (size_t i = 1; i < len; i++) {
        while (matched > 0 && text[i] != text[matched])
            matched = borders[matched - 1];
        matched += text[i] == text[matched];
        borders[i] = matched;
    }
}

/* The longest beginning of `below` that `above` ends with. */
static size_t match_end(const char *above, const char *below, size_t len,
                        const uint32_t *borders)
{
    size_t matched = 0;
    for (size_t i = 0; i < len; i++) {
        while (matched > 0 && above[i] != below[matched])
            matched = borders[matched - 1];
        matched += above[i] == below[matched];
        if (matched == len && i + 1 < len)
            matched = borders[matched - 1];
    }
    return matched;
}

enum sh_err group_repeated(struct sh_bytes above, struct sh_bytes below,
                           struct sh_arena *arena, size_t *bytes)
{
    size_t len = above.len < below.len ? above.len : below.len;
    *bytes = 0;
    if (len > LONGEST_REPEATED)
        len = LONGEST_REPEATED;
    if (len < GROUP_REPEATED)
        return SH_OK;
    uint32_t *borders = sh_arena_array(arena, len, sizeof(*borders));
    if (!borders)
        return SH_NOMEM;
    const char *text = above.data;
    find_borders(below.data, len, borders);
    size_t matched = match_end(text + (above.len - len), below.data, len, borders);
    while (matched >= GROUP_REPEATED && matched < above.len &&
           !is_blank(text[above.len - matched - 1]))
        matched = borders[matched - 1];
    *bytes = matched >= GROUP_REPEATED ? matched : 0;
    return SH_OK;
}

enum sh_err group_join(const struct sh_bytes *texts, size_t count, struct sh_arena *arena,
                       struct sh_bytes *joined)
{
    size_t bound = 1;
    size_t len = 0;
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < count; i++)
        bound += texts[i].len + 1;
    char *out = sh_arena_alloc(arena, bound);
    if (!out)
        return SH_NOMEM;
    for (size_t i = 0; err == SH_OK && i < count; i++) {
        size_t repeated = 0;
        if (texts[i].len == 0)
            continue;
        if (i > 0)
            err = group_repeated(texts[i - 1], texts[i], arena, &repeated);
        if (len > 0 && repeated == 0)
            out[len++] = '\n';
        memcpy(out + len, (const char *)texts[i].data + repeated,
               texts[i].len - repeated);
        len += texts[i].len - repeated;
    }
    *joined = (struct sh_bytes){out, len};
    return err;
}
