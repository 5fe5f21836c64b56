#include "services/graph/find/fold.h"

#include <stdlib.h>
#include <utf8proc.h>

/* --- folding ---------------------------------------------------------------------- */

static bool is_ascii(struct sh_bytes text)
{
    const unsigned char *bytes = text.data;
    unsigned char all = 0;
    for (size_t i = 0; i < text.len; i++)
        all |= bytes[i];
    return all < 0x80;
}

/* 0: it separates. */
static char fold_ascii(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return c;
    return '\0';
}

/* Append what belongs to a word; a blank before it where one is due. */
static void put(struct sh_buffer *out, size_t start, bool *apart, const void *data,
                size_t len)
{
    if (*apart && out->len > start)
        sh_buffer_append(out, " ", 1);
    *apart = false;
    sh_buffer_append(out, data, len);
}

static void fold_bytes(struct sh_bytes text, struct sh_buffer *out)
{
    const char *bytes = text.data;
    size_t start = out->len;
    bool apart = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = fold_ascii(bytes[i]);
        if (c == '\0')
            apart = true;
        else
            put(out, start, &apart, &c, 1);
    }
}

static bool belongs(utf8proc_int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO);
}

static void fold_decomposed(const utf8proc_uint8_t *text, size_t len,
                            struct sh_buffer *out)
{
    size_t start = out->len;
    bool apart = false;
    utf8proc_int32_t code;
    for (size_t at = 0; at < len;) {
        utf8proc_ssize_t taken =
            utf8proc_iterate(text + at, (utf8proc_ssize_t)(len - at), &code);
        if (taken <= 0)
            break;
        if (belongs(code))
            put(out, start, &apart, text + at, (size_t)taken);
        else
            apart = true;
        at += (size_t)taken;
    }
}

void fold_text(struct sh_bytes text, struct sh_buffer *out)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t len = -1;
    if (!is_ascii(text))
        len = utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &folded,
                           UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                               UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);
    if (len < 0)
        fold_bytes(text, out);
    else
        fold_decomposed(folded, (size_t)len, out);
    free(folded);
}

/* --- mistakes --------------------------------------------------------------------- */

/* Characters of a word; FOLD_WORD + 1: it has more. */
static size_t characters(struct sh_bytes word, utf8proc_int32_t out[FOLD_WORD])
{
    const utf8proc_uint8_t *bytes = word.data;
    size_t count = 0;
    for (size_t at = 0; at < word.len; count++) {
        if (count == FOLD_WORD)
            return FOLD_WORD + 1;
        utf8proc_ssize_t taken =
            utf8proc_iterate(bytes + at, (utf8proc_ssize_t)(word.len - at), &out[count]);
        if (taken <= 0) {
            out[count] = bytes[at];
            taken = 1;
        }
        at += (size_t)taken;
    }
    return count;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

struct alignment {
    utf8proc_int32_t left[FOLD_WORD];
    utf8proc_int32_t right[FOLD_WORD];
    unsigned rows[3][FOLD_WORD + 1];
};

/* One row; the least number in it. */
static unsigned align_row(struct alignment *a, size_t i, size_t width)
{
    unsigned *row = a->rows[i % 3];
    const unsigned *above = a->rows[(i + 2) % 3];
    const unsigned *before = a->rows[(i + 1) % 3];
    unsigned best = row[0] = (unsigned)i;
    for (size_t j = 1; j <= width; j++) {
        bool same = a->left[i - 1] == a->right[j - 1];
        row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
        if (i > 1 && j > 1 && a->left[i - 1] == a->right[j - 2] &&
            a->left[i - 2] == a->right[j - 1])
            row[j] = least(row[j], before[j - 2] + 1);
        best = least(best, row[j]);
    }
    return best;
}

bool fold_within(struct sh_bytes left, struct sh_bytes right, unsigned edits)
{
    struct alignment a;
    size_t apart = left.len > right.len ? left.len - right.len : right.len - left.len;
    if (apart > (size_t)edits * 4) /* bytes of so many characters */
        return false;
    size_t height = characters(left, a.left);
    size_t width = characters(right, a.right);
    if (height > FOLD_WORD || width > FOLD_WORD)
        return false;
    apart = height > width ? height - width : width - height;
    if (apart > edits)
        return false;
    for (size_t j = 0; j <= width; j++)
        a.rows[0][j] = (unsigned)j;
    unsigned before = 0;
    for (size_t i = 1; i <= height; i++) {
        unsigned best = align_row(&a, i, width);
        if (best > edits && before > edits)
            return false; /* a swap looks two rows back */
        before = best;
    }
    return a.rows[height % 3][width] <= edits;
}

unsigned fold_edits(struct sh_bytes word)
{
    utf8proc_int32_t text[FOLD_WORD];
    size_t count = characters(word, text);
    unsigned edits = count >= 8 ? 2 : count >= 4;
    return count > FOLD_WORD ? 0 : edits;
}
