#include "services/embedder/model/tokenizer.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "shared/mem.h"

static const char mark[] = "\xe2\x96\x81"; /* U+2581 */

/* The best way to spell the text up to a place. */
struct way {
    double score;
    uint32_t from;
    int32_t piece;
};

enum { NO_WAY = -1, UNKNOWN = 0 };

static bool is_ascii(struct sh_bytes text)
{
    const uint8_t *bytes = text.data;
    for (size_t i = 0; i < text.len; i++) {
        if (bytes[i] >= 0x80)
            return false;
    }
    return true;
}

/* Shorten to TOKENIZER_TEXT_MAX at the start of a character. */
static struct sh_bytes shorten(struct sh_bytes text, bool *cut)
{
    if (text.len <= TOKENIZER_TEXT_MAX)
        return text;
    const uint8_t *bytes = text.data;
    size_t len = TOKENIZER_TEXT_MAX;
    while (len > 0 && (bytes[len] & 0xc0) == 0x80)
        len--;
    *cut = true;
    return (struct sh_bytes){text.data, len};
}

static void append_marked(struct sh_buffer *out, struct sh_bytes text)
{
    const char *at = text.data;
    const char *end = at + text.len;
    sh_buffer_append(out, mark, 3);
    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space ? space : end;
        sh_buffer_append(out, at, (size_t)(stop - at));
        if (space)
            sh_buffer_append(out, mark, 3);
        at = space ? space + 1 : end;
    }
}

static enum sh_err normalise(struct sh_bytes text, struct sh_buffer *out)
{
    if (is_ascii(text)) {
        append_marked(out, text);
        return out->err;
    }
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t len =
        utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    if (len < 0)
        return len == UTF8PROC_ERROR_NOMEM ? SH_NOMEM : SH_MALFORMED;
    append_marked(out, (struct sh_bytes){folded, (size_t)len});
    free(folded); /* libc's: utf8proc allocated it */
    return out->err;
}

static size_t character_bytes(uint8_t lead)
{
    if (lead < 0xc0)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : 4;
}

/* All pieces that start at `at`. */
static void extend(const struct tokenizer *tokenizer, struct sh_bytes text, size_t at,
                   struct way *ways)
{
    const uint8_t *bytes = text.data;
    uint32_t state = 0;
    for (size_t i = at; i < text.len && trie_step(&tokenizer->trie, &state, bytes[i]);
         i++) {
        int32_t piece = tokenizer->trie.units[state].value;
        if (piece < 0 || (size_t)piece >= tokenizer->count)
            continue;
        struct way *way = &ways[i + 1];
        double score = ways[at].score + tokenizer->scores[piece];
        if (way->piece == NO_WAY || score > way->score)
            *way = (struct way){score, (uint32_t)at, piece};
    }
}

static void search(const struct tokenizer *tokenizer, struct sh_bytes text,
                   struct way *ways)
{
    const uint8_t *bytes = text.data;
    for (size_t i = 1; i <= text.len; i++)
        ways[i].piece = NO_WAY;
    for (size_t at = 0; at < text.len;) {
        extend(tokenizer, text, at, ways);
        size_t next = at + character_bytes(bytes[at]);
        next = next < text.len ? next : text.len;
        if (ways[next].piece == NO_WAY)
            ways[next] = (struct way){ways[at].score - 20, (uint32_t)at, UNKNOWN};
        at = next;
    }
}

/* Fill `ids` from its end with the way to `end`; how many were written. */
static size_t walk_back(const struct way *ways, size_t end, uint32_t *ids)
{
    size_t room = end;
    size_t count = 0;
    for (size_t at = end; at > 0; at = ways[at].from) {
        uint32_t piece = (uint32_t)ways[at].piece;
        if (piece == UNKNOWN && count > 0 && ids[room - count] == UNKNOWN)
            continue;
        count++;
        ids[room - count] = piece;
    }
    return count;
}

static enum sh_err split(const struct tokenizer *tokenizer, struct sh_bytes text,
                         size_t max, struct pieces *out)
{
    enum sh_err err = SH_NOMEM;
    struct way *ways = sh_alloc_array(text.len + 1, sizeof(*ways));
    uint32_t *ids = sh_alloc_array(text.len, sizeof(*ids));
    if (!ways || !ids)
        goto out;
    search(tokenizer, text, ways);
    size_t count = walk_back(ways, text.len, ids);
    size_t kept = count < max ? count : max;
    out->ids = sh_alloc_array(kept + 1, sizeof(*ids));
    if (!out->ids)
        goto out;
    memcpy(out->ids, ids + text.len - count, kept * sizeof(*ids));
    out->count = kept;
    out->cut = out->cut || kept < count;
    err = SH_OK;
out:
    sh_free(ways);
    sh_free(ids);
    return err;
}

enum sh_err tokenizer_encode(const struct tokenizer *tokenizer, struct sh_bytes text,
                             size_t max, struct pieces *out)
{
    *out = (struct pieces){0};
    struct sh_bytes kept = shorten(text, &out->cut);
    if (kept.len == 0)
        return SH_OK;
    struct sh_buffer marked = {0};
    enum sh_err err = normalise(kept, &marked);
    if (err == SH_OK)
        err = split(tokenizer, sh_buffer_bytes(&marked), max, out);
    sh_buffer_free(&marked);
    return err;
}

void pieces_free(struct pieces *pieces)
{
    sh_free(pieces->ids);
    *pieces = (struct pieces){0};
}
