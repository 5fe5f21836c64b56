#include "services/search/view/title_words.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Ended by NUL, to be given to free(). Errors: SH_INVALID, SH_NOMEM. */
static enum sh_err fold(struct sh_bytes text, utf8proc_uint8_t **out)
{
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                                      UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                      UTF8PROC_STRIPMARK;
    *out = NULL;
    utf8proc_ssize_t len = utf8proc_map(text.len > 0 ? text.data : (const void *)"",
                                        (utf8proc_ssize_t)text.len, out, options);
    if (len >= 0)
        return SH_OK;
    return len == UTF8PROC_ERROR_NOMEM ? SH_NOMEM : SH_INVALID;
}

enum sh_err title_words_make(struct sh_bytes text, struct sh_arena *arena,
                             struct title_words *out)
{
    static const char blanks[] = " \t\r\n\f\v";
    utf8proc_uint8_t *folded = NULL;
    *out = (struct title_words){0};
    enum sh_err err = fold(text, &folded);
    if (err != SH_OK)
        return err;
    struct sh_bytes copy = sh_arena_copy(arena, sh_bytes_of((const char *)folded));
    free(folded);
    out->words = sh_arena_array(arena, copy.len / 2 + 1, sizeof(*out->words));
    if (!copy.data || !out->words)
        return SH_NOMEM;
    const char *at = copy.data;
    const char *end = at + copy.len;
    while (at < end) {
        const char *first = at;
        while (at < end && !strchr(blanks, *at))
            at++;
        if (at > first)
            out->words[out->count++] = (struct sh_bytes){first, (size_t)(at - first)};
        else
            at++;
    }
    return SH_OK;
}

static bool has(const char *folded, struct sh_bytes word)
{
    return memmem(folded, strlen(folded), word.data, word.len) != NULL;
}

enum sh_err title_words_fit(const struct title_words *self, struct sh_bytes title,
                            struct sh_bytes id, bool *fits)
{
    utf8proc_uint8_t *in_title = NULL;
    utf8proc_uint8_t *in_id = NULL;
    *fits = self->count == 0;
    if (*fits)
        return SH_OK;
    enum sh_err err = fold(title, &in_title);
    if (err != SH_NOMEM)
        err = fold(id, &in_id);
    *fits = err != SH_NOMEM;
    for (size_t i = 0; *fits && i < self->count; i++)
        *fits = (in_title && has((const char *)in_title, self->words[i])) ||
                (in_id && has((const char *)in_id, self->words[i]));
    free(in_title);
    free(in_id);
    return err == SH_NOMEM ? SH_NOMEM : SH_OK; /* what is not UTF-8 has no words */
}
