#include "services/search/extract/child/charset.h"

#include <strings.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <utf8proc.h>

enum {
    NAME_MAX_BYTES = 64,
    HEAD_BYTES = 1024,
    PROBE_BYTES = 65536, /* ICU guesses from that many */
    STEP_BYTES = 65536,
};

struct mark {
    const char *bytes;
    size_t len;
    const char *name;
};

/* The longer ones first. */
static const struct mark marks[] = {
    {"\xef\xbb\xbf", 3, "UTF-8"},    {"\xff\xfe\0\0", 4, "UTF-32LE"},
    {"\0\0\xfe\xff", 4, "UTF-32BE"}, {"\xff\xfe", 2, "UTF-16LE"},
    {"\xfe\xff", 2, "UTF-16BE"},
};

static const struct mark *mark_of(struct sh_bytes file)
{
    for (size_t i = 0; i < SH_COUNT(marks); i++)
        if (file.len >= marks[i].len &&
            memcmp(file.data, marks[i].bytes, marks[i].len) == 0)
            return &marks[i];
    return NULL;
}

static bool is_utf8(struct sh_bytes text)
{
    const uint8_t *at = text.data;
    utf8proc_int32_t c;

    for (size_t i = 0; i < text.len;) {
        utf8proc_ssize_t used =
            at[i] < 0x80 ? 1
                         : utf8proc_iterate(at + i, (utf8proc_ssize_t)(text.len - i), &c);
        if (used <= 0 || at[i] == 0)
            return false;
        i += (size_t)used;
    }
    return true;
}

/* Two bytes a character, by where the NULs are; NULL when there are none. */
static const char *wide_name(struct sh_bytes file)
{
    const uint8_t *at = file.data;
    size_t nul[2] = {0};
    size_t len = file.len < PROBE_BYTES ? file.len : PROBE_BYTES;

    for (size_t i = 0; i < len; i++)
        nul[i % 2] += at[i] == 0;
    if (nul[0] + nul[1] == 0)
        return NULL;
    return nul[1] > nul[0] ? "UTF-16LE" : "UTF-16BE";
}

/* ICU's guess into `name`. */
static void guess(struct sh_bytes file, char name[static NAME_MAX_BYTES])
{
    UErrorCode code = U_ZERO_ERROR;
    UCharsetDetector *detector = ucsdet_open(&code);
    int32_t len = (int32_t)(file.len < PROBE_BYTES ? file.len : PROBE_BYTES);
    const UCharsetMatch *match = NULL;
    const char *found = NULL;

    ucsdet_setText(detector, file.data, len, &code);
    if (U_SUCCESS(code))
        match = ucsdet_detect(detector, &code);
    if (U_SUCCESS(code) && match != NULL)
        found = ucsdet_getName(match, &code);
    if (U_FAILURE(code) || found == NULL || strlen(found) >= NAME_MAX_BYTES)
        found = "windows-1252";
    memcpy(name, found, strlen(found) + 1);
    ucsdet_close(detector);
}

static bool is_known(const char *name)
{
    UErrorCode code = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(name, &code);

    ucnv_close(converter);
    return U_SUCCESS(code);
}

static void choose(struct sh_bytes file, struct sh_bytes hint,
                   char name[static NAME_MAX_BYTES])
{
    const char *wide = wide_name(file);

    if (wide != NULL) {
        memcpy(name, wide, strlen(wide) + 1);
        return;
    }
    if (hint.len > 0 && hint.len < NAME_MAX_BYTES) {
        memcpy(name, hint.data, hint.len);
        name[hint.len] = '\0';
        /* It is no UTF-8, whatever it says; UTF-16 would have NULs. */
        if (strncasecmp(name, "utf", 3) != 0 && is_known(name))
            return;
    }
    guess(file, name);
}

static enum sh_err convert(struct sh_bytes file, const char *name, size_t most,
                           struct sh_buffer *room)
{
    UErrorCode code = U_ZERO_ERROR;
    UConverter *from = ucnv_open(name, &code);
    UConverter *to = ucnv_open("UTF-8", &code);
    UChar pivot[4096];
    UChar *pivot_from = pivot;
    UChar *pivot_to = pivot;
    const char *at = file.data;
    const char *end = at + file.len;
    enum sh_err err = U_SUCCESS(code) ? SH_OK : SH_MALFORMED;
    UBool reset = 1;

    while (err == SH_OK) {
        char *into = sh_buffer_reserve(room, STEP_BYTES);
        char *start = into;
        if (into == NULL) {
            err = SH_NOMEM;
            break;
        }
        code = U_ZERO_ERROR;
        ucnv_convertEx(to, from, &into, into + STEP_BYTES, &at, end, pivot, &pivot_from,
                       &pivot_to, pivot + SH_COUNT(pivot), reset, 1, &code);
        reset = 0;
        room->len += (size_t)(into - start);
        if (room->len > most)
            err = SH_TOOBIG;
        else if (code != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(code))
            err = SH_MALFORMED;
        else if (code != U_BUFFER_OVERFLOW_ERROR)
            break;
    }
    ucnv_close(from);
    ucnv_close(to);
    return err;
}

enum sh_err charset_read(struct sh_bytes file, struct sh_bytes hint, size_t most,
                         struct sh_buffer *room, struct sh_bytes *out)
{
    const struct mark *mark = mark_of(file);
    char name[NAME_MAX_BYTES];
    enum sh_err err;

    if (mark != NULL) {
        file =
            (struct sh_bytes){(const char *)file.data + mark->len, file.len - mark->len};
        memcpy(name, mark->name, strlen(mark->name) + 1);
    }
    if ((mark == NULL && is_utf8(file)) || (mark == &marks[0])) {
        *out = file;
        return file.len > most ? SH_TOOBIG : SH_OK;
    }
    if (mark == NULL)
        choose(file, hint, name);
    err = convert(file, name, most, room);
    *out = sh_buffer_bytes(room);
    return err;
}

struct sh_bytes charset_of_page(struct sh_bytes file)
{
    const char *at = file.data;
    size_t end = file.len < HEAD_BYTES ? file.len : HEAD_BYTES;
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_:.+";

    for (size_t i = 0; i + 8 < end; i++) {
        if (strncasecmp(at + i, "charset", 7) != 0)
            continue;
        size_t from = i + 7;
        while (from < end && strchr(" =\"'", at[from]) != NULL && at[from] != '\0')
            from++;
        size_t to = from;
        while (to < end && at[to] != '\0' && strchr(allowed, at[to]) != NULL)
            to++;
        if (to > from)
            return (struct sh_bytes){at + from, to - from};
    }
    return (struct sh_bytes){0};
}
