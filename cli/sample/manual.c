#include "cli/sample/manual.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <zlib.h>

#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/mem.h"

/* Replace what is not UTF-8, so that a manual in Latin-1 loses letters, not pages. */
static void append_clean(struct sh_buffer *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                              (utf8proc_ssize_t)(len - at), &point);
        if (n <= 0 || point == 0) {
            sh_buffer_text(out, "\xef\xbf\xbd");
            at++;
            continue;
        }
        sh_buffer_append(out, text + at, (size_t)n);
        at += (size_t)n;
    }
}

static bool add_line(struct manual *manual, struct sh_bytes text)
{
    struct sh_buffer clean = {0};
    append_clean(&clean, text.data, text.len);
    while (clean.len > 0 && isspace((unsigned char)clean.data[clean.len - 1]))
        clean.len--;
    struct manual_line *grown =
        sh_realloc(manual->lines, (manual->count + 1) * sizeof(*grown));
    if (!grown || clean.err != SH_OK) {
        sh_buffer_free(&clean);
        return false;
    }
    manual->lines = grown;
    grown[manual->count] = (struct manual_line){
        sh_strndup(clean.data ? clean.data : "", clean.len), clean.len};
    sh_buffer_free(&clean);
    return grown[manual->count++].text != NULL;
}

static bool read_lines(gzFile file, struct manual *out)
{
    struct sh_buffer line = {0};
    char piece[4096];
    bool ok = true;
    while (ok && gzgets(file, piece, sizeof(piece))) {
        sh_buffer_text(&line, piece);
        if (line.len > 0 && line.data[line.len - 1] == '\n') {
            ok = add_line(out, (struct sh_bytes){line.data, line.len - 1});
            sh_buffer_clear(&line);
        }
    }
    if (ok && line.len > 0)
        ok = add_line(out, sh_buffer_bytes(&line));
    sh_buffer_free(&line);
    return ok;
}

bool manual_read(const char *path, struct manual *out)
{
    *out = (struct manual){0};
    gzFile file = gzopen(path, "rb");
    if (!file)
        return false;
    bool ok = read_lines(file, out);
    (void)gzclose(file); /* only read from: nothing to lose */
    return ok;
}

void manual_free(struct manual *manual)
{
    for (size_t i = 0; i < manual->count; i++)
        sh_free(manual->lines[i].text);
    sh_free(manual->lines);
    *manual = (struct manual){0};
}

static const struct manual_line *line_at(const struct manual *manual, size_t at)
{
    static char nothing[1];
    static const struct manual_line empty = {nothing, 0};
    return at < manual->count ? &manual->lines[at] : &empty;
}

/* The mark when the line is nothing but one punctuation mark, else 0. */
static char rule_mark(const struct manual_line *line)
{
    if (line->len < 3 || !strchr("=-*~^\"#+.`'", line->text[0]))
        return 0;
    for (size_t i = 1; i < line->len; i++) {
        if (line->text[i] != line->text[0])
            return 0;
    }
    return line->text[0];
}

static unsigned level_of(struct manual_marks *marks, char mark, bool over)
{
    for (size_t i = 0; i < marks->count; i++) {
        if (marks->seen[i][0] == mark && marks->seen[i][1] == (char)over)
            return (unsigned)i + 1;
    }
    if (marks->count == SH_COUNT(marks->seen))
        return (unsigned)marks->count;
    marks->seen[marks->count][0] = mark;
    marks->seen[marks->count][1] = (char)over;
    return (unsigned)++marks->count;
}

/* DocBook puts a no-break space between a number and its title. */
static size_t space(const char *text)
{
    return *text == ' ' ? 1 : strncmp(text, "\xc2\xa0", 2) == 0 ? 2 : 0;
}

/* "9.2.", "A.1.", "Chapter 9." at the line's start: how many numbers, 0 for none. */
static unsigned numbers(const char *text)
{
    unsigned count = 0;
    static const char *const words[] = {"Chapter", "Appendix"};
    for (size_t i = 0; i < SH_COUNT(words); i++) {
        size_t len = strlen(words[i]);
        if (strncmp(text, words[i], len) == 0 && space(text + len) > 0)
            text += len + space(text + len);
    }
    for (;;) {
        const char *start = text;
        while (isdigit((unsigned char)*text))
            text++;
        if (text == start && count == 0 && isupper((unsigned char)*text))
            text++;
        if (text == start || *text != '.' || text - start > 3)
            break;
        count++;
        text++;
    }
    return space(text) > 0 ? count : 0;
}

bool manual_is_numbered(const char *title)
{
    return numbers(title) > 0;
}

static bool numbered(const struct manual *manual, size_t at)
{
    bool alone = (at == 0 || line_at(manual, at - 1)->len == 0) &&
                 line_at(manual, at + 1)->len == 0;
    return alone && numbers(line_at(manual, at)->text) > 0;
}

unsigned manual_heading(const struct manual *manual, size_t at,
                        struct manual_marks *marks, size_t *span, const char **title)
{
    const struct manual_line *line = line_at(manual, at);
    const struct manual_line *next = line_at(manual, at + 1);
    char mark = rule_mark(next);
    if (line->len > 0 && !rule_mark(line) && mark && next->len >= line->len / 2 &&
        (at == 0 || line_at(manual, at - 1)->len == 0)) {
        *span = 2;
        *title = line->text;
        return level_of(marks, mark, false);
    }
    mark = rule_mark(line);
    if (mark && next->len > 0 && rule_mark(line_at(manual, at + 2)) == mark) {
        *span = 3;
        *title = next->text + strspn(next->text, " ");
        return level_of(marks, mark, true);
    }
    /* Where headings are underlined, a line that starts with a number is a list's. */
    if (marks->count > 0 || !numbered(manual, at))
        return 0;
    *span = 1;
    *title = line->text;
    return numbers(line->text);
}
