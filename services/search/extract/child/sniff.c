#include "services/search/extract/child/sniff.h"

#include <strings.h>

enum {
    HEAD_BYTES = 1024,             /* readers look for a PDF header that far */
    TAIL_BYTES = 22 + 65535 + 512, /* a ZIP's end record, its comment, and a little */
    PROBE_BYTES = 65536,           /* that far text is told from what is not */
};

struct magic {
    size_t at;
    const char *bytes;
    size_t len;
    const char *reason;
};

#define RUNS    "it can be run, such files are not taken"
#define ARCHIVE "archives are not taken"
#define PICTURE "pictures, sound and films are not taken"
#define M(at, text, reason)                                                              \
    {                                                                                    \
        at, text, sizeof(text) - 1, reason                                               \
    }

static const struct magic refused[] = {
    M(0,
      "\x7f"
      "ELF",
      RUNS),
    M(0, "\xfe\xed\xfa\xce", RUNS),
    M(0, "\xfe\xed\xfa\xcf", RUNS),
    M(0, "\xce\xfa\xed\xfe", RUNS),
    M(0, "\xcf\xfa\xed\xfe", RUNS),
    M(0, "\xca\xfe\xba\xbe", RUNS), /* Mach-O of several machines, and Java classes */
    M(0, "\xca\xfe\xba\xbf", RUNS),
    M(0, "\0asm", RUNS),
    M(0, "dex\n", RUNS),
    M(0, "#!", RUNS),
    M(0, "\xef\xbb\xbf#!", RUNS),
    M(0, "\x1f\x8b", ARCHIVE),
    M(0, "BZh", ARCHIVE),
    M(0,
      "\xfd"
      "7zXZ",
      ARCHIVE),
    M(0, "7z\xbc\xaf\x27\x1c", ARCHIVE),
    M(0, "Rar!\x1a\x07", ARCHIVE),
    M(0, "\x28\xb5\x2f\xfd", ARCHIVE),
    M(0, "MSCF\0", ARCHIVE),
    M(0, "!<arch>\n", ARCHIVE),
    M(257, "ustar", ARCHIVE),
    M(0, "\x89PNG", PICTURE),
    M(0, "GIF8", PICTURE),
    M(0, "\xff\xd8\xff", PICTURE),
    M(0, "RIFF", PICTURE),
    M(0, "II*\0", PICTURE),
    M(0, "MM\0*", PICTURE),
    M(4, "ftyp", PICTURE),
    M(0, "ID3\x03", PICTURE),
    M(0, "OggS\0", PICTURE),
};

static bool has_at(struct sh_bytes file, size_t at, const char *bytes, size_t len)
{
    return at + len <= file.len && memcmp((const char *)file.data + at, bytes, len) == 0;
}

static struct sh_bytes head_of(struct sh_bytes file, size_t most)
{
    return (struct sh_bytes){file.data, file.len < most ? file.len : most};
}

static struct sh_bytes tail_of(struct sh_bytes file, size_t most)
{
    size_t len = file.len < most ? file.len : most;
    return (struct sh_bytes){(const char *)file.data + file.len - len, len};
}

/* Letters of any case. */
static bool holds(struct sh_bytes text, const char *word)
{
    const char *at = text.data;
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        if (strncasecmp(at + i, word, len) == 0)
            return true;
    return false;
}

/* --- two things at once ----------------------------------------------------------- */

static uint32_t le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* A ZIP reader would find a directory in it, whatever stands before and after. */
static bool zip_at_end(struct sh_bytes file)
{
    struct sh_bytes tail = tail_of(file, TAIL_BYTES);
    const uint8_t *at = tail.data;
    size_t before = file.len - tail.len;

    for (size_t i = 0; i + 22 <= tail.len; i++) {
        if (memcmp(at + i, "PK\5\6", 4) != 0)
            continue;
        uint32_t size = le32(at + i + 12);
        if (size <= before + i && has_at(file, before + i - size, "PK\1\2", 4))
            return true;
    }
    return false;
}

/* The last record's comment ends the file: nothing is hung on behind the archive. */
static bool zip_is_whole(struct sh_bytes file)
{
    const uint8_t *all = file.data;

    for (size_t back = 22; back <= file.len && back <= 22 + 65535; back++) {
        const uint8_t *at = all + file.len - back;
        if (memcmp(at, "PK\5\6", 4) == 0)
            return (size_t)(at[20] | at[21] << 8) + 22 == back;
    }
    return false;
}

static bool pdf_inside(struct sh_bytes file)
{
    return holds(head_of(file, HEAD_BYTES), "%PDF-") &&
           (holds(tail_of(file, 2048), "%%EOF") ||
            holds(tail_of(file, 2048), "startxref"));
}

static bool page_inside(struct sh_bytes file)
{
    static const char *const marks[] = {"<html", "<script", "<!doctype",
                                        "<body", "<iframe", "<svg"};
    struct sh_bytes head = head_of(file, HEAD_BYTES);

    for (size_t i = 0; i < SH_COUNT(marks); i++)
        if (holds(head, marks[i]))
            return true;
    return false;
}

/* --- by name ---------------------------------------------------------------------- */

struct named {
    const char *name;
    enum file_type type;
};

static const struct named endings[] = {
    {"pdf", FILE_PDF},   {"docx", FILE_DOCX},   {"txt", FILE_TEXT},
    {"text", FILE_TEXT}, {"md", FILE_MARKDOWN}, {"markdown", FILE_MARKDOWN},
    {"html", FILE_HTML}, {"htm", FILE_HTML},    {"xhtml", FILE_HTML},
    {"csv", FILE_CSV},   {"tsv", FILE_CSV},
};

/* The first of each type is its own name. */
static const struct named mimes[] = {
    {"application/pdf", FILE_PDF},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     FILE_DOCX},
    {"text/plain", FILE_TEXT},
    {"text/markdown", FILE_MARKDOWN},
    {"text/x-markdown", FILE_MARKDOWN},
    {"text/html", FILE_HTML},
    {"application/xhtml+xml", FILE_HTML},
    {"text/csv", FILE_CSV},
    {"text/tab-separated-values", FILE_CSV},
};

const char *file_type_mime(enum file_type type)
{
    for (size_t i = 0; i < SH_COUNT(mimes); i++)
        if (mimes[i].type == type)
            return mimes[i].name;
    return "";
}

static enum file_type find(const struct named *all, size_t count, struct sh_bytes name)
{
    for (size_t i = 0; name.len > 0 && i < count; i++)
        if (strlen(all[i].name) == name.len &&
            strncasecmp(all[i].name, name.data, name.len) == 0)
            return all[i].type;
    return FILE_NONE;
}

/* What stands behind the last dot; empty when there is none. */
static struct sh_bytes ending_of(struct sh_bytes name)
{
    const char *at = name.data;

    for (size_t i = name.len; i > 1; i--) {
        if (at[i - 1] == '/' || at[i - 1] == '\\')
            break;
        if (at[i - 1] == '.')
            return (struct sh_bytes){at + i, name.len - i};
    }
    return (struct sh_bytes){0};
}

static enum file_type declared_type(struct sh_bytes declared)
{
    const char *at = declared.data;
    size_t len = 0;

    while (len < declared.len && at[len] != ';' && at[len] != ' ')
        len++;
    return find(mimes, SH_COUNT(mimes), (struct sh_bytes){at, len});
}

/* --- the whole -------------------------------------------------------------------- */

static struct sniffed refuse(const char *reason)
{
    return (struct sniffed){.reason = reason};
}

static struct sniffed of_pdf(struct sh_bytes file, enum file_type named)
{
    if (named != FILE_PDF && named != FILE_NONE)
        return refuse("it is a PDF, its name says something else");
    if (zip_at_end(file) || page_inside(file))
        return refuse("it is a PDF and something else at once");
    return (struct sniffed){.type = FILE_PDF};
}

static struct sniffed of_zip(struct sh_bytes file, enum file_type named)
{
    if (named != FILE_DOCX)
        return refuse(ARCHIVE);
    if (!zip_is_whole(file) || pdf_inside(file))
        return (struct sniffed){.type = pdf_inside(file) || zip_at_end(file) ? FILE_NONE
                                                                             : FILE_DOCX,
                                .reason = "it is a DOCX and something else at once"};
    return (struct sniffed){.type = FILE_DOCX};
}

static bool is_office_of_old(struct sh_bytes file)
{
    return has_at(file, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
}

/* Word keeps a document with a password in an old-style file, in a stream of this name.
 */
static bool is_locked_docx(struct sh_bytes file, enum file_type named)
{
    static const char name[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
    const char *at = file.data;

    if (named != FILE_DOCX)
        return false;
    for (size_t i = 0; i + sizeof(name) <= file.len; i++)
        if (at[i] == 'E' && memcmp(at + i, name, sizeof(name)) == 0)
            return true;
    return false;
}

/* In text of two or four bytes a character about half or more of them are NUL; otherwise
 * text has none, and hardly any control characters. */
static bool is_text(struct sh_bytes file)
{
    struct sh_bytes probe = head_of(file, PROBE_BYTES);
    const uint8_t *at = probe.data;
    size_t nul[4] = {0};
    size_t control = 0;
    bool marked = has_at(file, 0, "\xff\xfe", 2) || has_at(file, 0, "\xfe\xff", 2) ||
                  has_at(file, 0, "\0\0\xfe\xff", 4);

    for (size_t i = 0; i < probe.len; i++) {
        nul[i % 4] += at[i] == 0;
        control += (at[i] < 0x20 && at[i] != 0 && !(at[i] >= '\t' && at[i] <= '\r') &&
                    at[i] != 0x1b && at[i] != 0x1a);
    }
    if (control > probe.len / 100 + 2)
        return marked;
    if (nul[0] + nul[1] + nul[2] + nul[3] == 0 || marked)
        return true;
    size_t quarter = probe.len / 4;
    bool big = nul[0] + nul[2] > quarter && nul[1] + nul[3] < quarter / 8 + 1;
    bool little = nul[1] + nul[3] > quarter && nul[0] + nul[2] < quarter / 8 + 1;
    return big || little;
}

static bool starts_as_page(struct sh_bytes file)
{
    const char *at = file.data;
    size_t i = has_at(file, 0, "\xef\xbb\xbf", 3) ? 3 : 0;

    while (i < file.len && i < HEAD_BYTES &&
           (at[i] == ' ' || (at[i] >= '\t' && at[i] <= '\r')))
        i++;
    struct sh_bytes rest = {at + i, file.len - i < 9 ? file.len - i : 9};
    return holds(rest, "<!doctype") || holds(rest, "<html");
}

static struct sniffed of_text(struct sh_bytes file, enum file_type named,
                              struct sh_bytes declared)
{
    enum file_type type = named != FILE_NONE ? named : declared_type(declared);

    if (type == FILE_PDF || type == FILE_DOCX)
        return refuse(named != FILE_NONE ? "its content is not what its name says"
                                         : "its content is not what it is said to be");
    if (!is_text(file))
        return refuse("neither its name nor its content is of a type that is taken");
    if (pdf_inside(file) || zip_at_end(file))
        return refuse("it is text and something else at once");
    if (type == FILE_NONE)
        type = starts_as_page(file) ? FILE_HTML : FILE_TEXT;
    return (struct sniffed){.type = type};
}

struct sniffed sniff(struct sh_bytes file, struct sh_bytes name, struct sh_bytes declared)
{
    struct sh_bytes ending = ending_of(name);
    enum file_type named = find(endings, SH_COUNT(endings), ending);

    for (size_t i = 0; i < SH_COUNT(refused); i++)
        if (has_at(file, refused[i].at, refused[i].bytes, refused[i].len))
            return refuse(refused[i].reason);
    if (has_at(file, 0, "MZ", 2) && !is_text(file))
        return refuse(RUNS);
    if (ending.len > 0 && named == FILE_NONE)
        return refuse("files of this ending are not taken");
    if (has_at(file, 0, "%PDF-", 5))
        return of_pdf(file, named);
    if (has_at(file, 0, "PK\3\4", 4) || has_at(file, 0, "PK\5\6", 4))
        return of_zip(file, named);
    if (is_office_of_old(file))
        return (struct sniffed){.encrypted = is_locked_docx(file, named),
                                .reason =
                                    is_locked_docx(file, named)
                                        ? "it is locked by a password"
                                        : "office files of the old kind are not taken"};
    return of_text(file, named, declared);
}
