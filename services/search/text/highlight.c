#include "services/search/text/highlight.h"

/* Of a passage only so many places count. */
enum { SPANS = 256, LEAD = 40 };

struct span {
    uint32_t start;
    uint32_t end;
    uint32_t term; /* in the query */
};

struct spans {
    struct span items[SPANS]; /* ascending */
    size_t count;
};

struct window {
    uint32_t start;
    uint32_t end;
};

static void find_spans(struct analyzer *analyzer, const struct text_query *query,
                       struct sh_bytes text, struct spans *spans)
{
    struct token token;
    uint32_t term = 0;
    analyzer_start(analyzer, text);
    while (spans->count < SPANS && analyzer_next(analyzer, &token)) {
        if (text_query_mark(query, token.term, &term))
            spans->items[spans->count++] = (struct span){token.start, token.end, term};
    }
}

/* Different words count far more than repeated ones. */
static unsigned value_of(const struct spans *spans, size_t first, size_t end)
{
    uint64_t seen[(TEXT_QUERY_WORDS + 63) / 64] = {0};
    unsigned value = 0;
    for (size_t i = first; i < end; i++) {
        uint32_t term = spans->items[i].term;
        bool again = (seen[term / 64] >> (term % 64) & 1) != 0;
        seen[term / 64] |= UINT64_C(1) << (term % 64);
        value += again ? 1 : 16;
    }
    return value;
}

/* The spans [first, end) within HIGHLIGHT_BYTES that are worth most. */
static struct window best_window(const struct spans *spans)
{
    struct window best = {0};
    unsigned best_value = 0;
    size_t end = 0;
    for (size_t first = 0; first < spans->count; first++) {
        uint32_t start = spans->items[first].start;
        while (end < spans->count && spans->items[end].end - start <= HIGHLIGHT_BYTES)
            end++;
        end = end > first ? end : first + 1;
        unsigned value = value_of(spans, first, end);
        if (value > best_value) {
            best_value = value;
            best = (struct window){start, spans->items[end - 1].end};
        }
    }
    return best;
}

static bool is_boundary(const char *data, size_t len, uint32_t pos)
{
    return pos == 0 || pos >= len || data[pos - 1] == ' ' || data[pos - 1] == '\n';
}

static bool inside_character(const char *data, size_t len, uint32_t pos)
{
    return pos < len && ((uint8_t)data[pos] & 0xc0) == 0x80;
}

/* From `from` back to a place between words within LEAD bytes, else between characters;
 * never before `least`. */
static uint32_t start_near(const char *data, size_t len, uint32_t from)
{
    for (uint32_t pos = from; pos + LEAD > from; pos--) {
        if (is_boundary(data, len, pos))
            return pos;
        if (pos == 0)
            break;
    }
    while (from > 0 && inside_character(data, len, from))
        from--;
    return from;
}

/* Widens to HIGHLIGHT_BYTES, a little ahead of the first word, most behind. */
static struct window widen(struct window window, const struct sh_bytes *text)
{
    const char *data = text->data;
    uint32_t len = (uint32_t)text->len;
    uint32_t spare = HIGHLIGHT_BYTES > window.end - window.start
                         ? HIGHLIGHT_BYTES - (window.end - window.start)
                         : 0;
    uint32_t lead = spare / 2 < 2 * LEAD ? spare / 2 : 2 * LEAD;
    uint32_t after = len - window.end;
    if (spare > lead && after < spare - lead)
        lead = spare - after;
    lead = lead < window.start ? lead : window.start;
    window.start = start_near(data, len, window.start - lead);
    uint32_t end = window.end;
    uint32_t behind = spare - (lead < spare ? lead : spare);
    uint32_t limit = behind < len - end ? end + behind : len;
    uint32_t cut = start_near(data, len, limit);
    window.end = cut > end ? cut : end;
    return window;
}

/* All that are escaped are among the first 64 characters. */
static bool is_special(char c)
{
    const uint64_t specials = UINT64_C(1) << '&' | UINT64_C(1) << '<' |
                              UINT64_C(1) << '>' | UINT64_C(1) << '"' |
                              UINT64_C(1) << '\'';
    return (uint8_t)c < 64 && (specials >> (uint8_t)c & 1) != 0;
}

static void escape(struct sh_buffer *out, const char *data, size_t len)
{
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_special(data[i]))
            continue;
        const char *text = data[i] == '&'   ? "&amp;"
                           : data[i] == '<' ? "&lt;"
                           : data[i] == '>' ? "&gt;"
                           : data[i] == '"' ? "&quot;"
                                            : "&#39;";
        sh_buffer_append(out, data + from, i - from);
        sh_buffer_text(out, text);
        from = i + 1;
    }
    sh_buffer_append(out, data + from, len - from);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void write_marked(const char *data, struct window window,
                         const struct spans *spans, struct sh_buffer *out)
{
    uint32_t at = window.start;
    for (size_t i = 0; i < spans->count && at < window.end;) {
        uint32_t start = spans->items[i].start;
        uint32_t end = spans->items[i].end;
        /* pairs of ideographs overlap: one mark around the run */
        for (i++; i < spans->count && spans->items[i].start <= end; i++)
            end = end > spans->items[i].end ? end : spans->items[i].end;
        end = least(end, window.end);
        if (start < at || start >= end)
            continue;
        escape(out, data + at, start - at);
        sh_buffer_text(out, "<em>");
        escape(out, data + start, end - start);
        sh_buffer_text(out, "</em>");
        at = end;
    }
    if (at < window.end)
        escape(out, data + at, window.end - at);
}

enum sh_err highlight(struct analyzer *analyzer, const struct text_query *query,
                      struct sh_bytes text, struct sh_buffer *out)
{
    struct spans spans = {.count = 0};
    if (text.len > INT32_MAX)
        text.len = INT32_MAX;
    find_spans(analyzer, query, text, &spans);
    struct window window = widen(best_window(&spans), &text);
    if (window.start > 0)
        sh_buffer_text(out, "… ");
    write_marked(text.data, window, &spans, out);
    if (window.end < text.len)
        sh_buffer_text(out, " …");
    return out->err;
}
