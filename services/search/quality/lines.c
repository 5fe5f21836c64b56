#include "services/search/quality/lines.h"

#include <ctype.h>
#include <xxhash.h>

enum { LINE_MOST = 200, LEADER = 4, PAGE_DIGITS = 5 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct line line_at(struct sh_bytes text, uint32_t pos)
{
    const char *data = text.data;
    const char *newline = memchr(data + pos, '\n', text.len - pos);
    uint32_t end = newline != NULL ? (uint32_t)(newline - data) : (uint32_t)text.len;
    struct line line = {pos, end, newline != NULL ? end + 1 : end};

    while (line.start < line.end && is_blank(data[line.start]))
        line.start++;
    while (line.end > line.start && is_blank(data[line.end - 1]))
        line.end--;
    return line;
}

static size_t numbers_in(const char *data, size_t len)
{
    size_t numbers = 0;

    for (size_t i = 0; i < len; i++)
        numbers += is_digit(data[i]) && (i == 0 || !is_digit(data[i - 1]));
    return numbers;
}

/* The letters that stand in the line, in lower case; false when there are more. */
static bool letters_of(struct sh_bytes line, char *out, size_t size)
{
    const unsigned char *data = line.data;
    size_t used = 0;

    for (size_t i = 0; i < line.len; i++) {
        if (!isalpha(data[i]))
            continue;
        if (used + 1 >= size)
            return false;
        out[used++] = (char)tolower(data[i]);
    }
    out[used] = '\0';
    return true;
}

bool line_is_page_number(struct sh_bytes line)
{
    static const char *const words[] = {"",   "p",     "pp",       "page", "pageof",
                                        "of", "seite", "seitevon", "s",    "von"};
    const unsigned char *data = line.data;
    size_t numbers = line.len <= 32 ? numbers_in(line.data, line.len) : 0;
    char letters[16];

    if (numbers == 0 || numbers > 2 || !letters_of(line, letters, sizeof(letters)))
        return false;
    for (size_t i = 0; i < line.len; i++) /* other scripts: not for us to say */
        if (data[i] >= 0xc3 && data[i] != 0xe2)
            return false;
    for (size_t i = 0; i < SH_COUNT(words); i++)
        if (strcmp(letters, words[i]) == 0)
            return true;
    return false;
}

static uint64_t plain_hash(struct sh_bytes line)
{
    char plain[LINE_MOST];
    const char *data = line.data;
    size_t used = 0;

    if (line.len > LINE_MOST)
        return XXH3_64bits(line.data, line.len);
    bool sentence = line.len > 0 && strchr(".!?", data[line.len - 1]) != NULL;
    bool fold = !sentence && numbers_in(data, line.len) <= 2;
    for (size_t i = 0; i < line.len; i++) {
        char c = data[i];
        if (is_blank(c))
            c = ' ';
        else if (fold && is_digit(c))
            c = '#';
        if (used > 0 && (c == ' ' || c == '#') && plain[used - 1] == c)
            continue;
        plain[used++] = c;
    }
    return XXH3_64bits(plain, used);
}

static uint32_t first_number(struct sh_bytes line)
{
    const char *data = line.data;
    uint32_t number = 0;
    size_t at = 0;

    while (at < line.len && !is_digit(data[at]))
        at++;
    for (; at < line.len && is_digit(data[at]); at++)
        number = number * 10 + (uint32_t)(data[at] - '0');
    return number;
}

uint64_t line_hash(struct sh_bytes line, uint32_t page)
{
    if (!line_is_page_number(line))
        return plain_hash(line);
    uint32_t distance = first_number(line) - page;
    return XXH3_64bits(&distance, sizeof(distance));
}

/* Dots in a row before `end`, with blanks between them or not. */
static size_t dots_before(const char *data, size_t end)
{
    size_t dots = 0;

    while (end > 0) {
        char c = data[end - 1];
        if (c == '.')
            dots++;
        else if (c != ' ')
            break;
        end--;
    }
    return dots;
}

uint32_t line_contents_page(struct sh_bytes line)
{
    const char *data = line.data;
    size_t at = line.len;
    uint32_t page = 0;
    uint32_t place = 1;

    if (line.len > LINE_MOST)
        return 0;
    for (size_t digits = 0; at > 0 && is_digit(data[at - 1]); at--) {
        if (++digits > PAGE_DIGITS)
            return 0;
        page += place * (uint32_t)(data[at - 1] - '0');
        place *= 10;
    }
    if (page == 0 || at == line.len || dots_before(data, at) < LEADER)
        return 0;
    return isalnum((unsigned char)data[0]) || (data[0] & 0x80) != 0 ? page : 0;
}
