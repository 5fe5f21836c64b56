/* Any bytes as a file of any type but PDF: told apart, decoded, read or refused. What is
 * taken for a PDF begins as one; text that comes out is valid UTF-8. */
#include <stdlib.h>
#include <utf8proc.h>

#include "services/search/extract/child/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct sh_bytes text)
{
    utf8proc_int32_t c;
    const uint8_t *at = text.data;

    for (size_t i = 0; i < text.len;) {
        utf8proc_ssize_t used =
            utf8proc_iterate(at + i, (utf8proc_ssize_t)(text.len - i), &c);
        if (used <= 0 || c == 0)
            abort();
        i += (size_t)used;
    }
}

static bool on_section(void *arg, const struct section *section)
{
    (void)arg;
    check(section->title);
    check(section->text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"x.txt", "x.md",   "x.html", "x.csv",
                                        "",      "x.docx", "x.pdf"};
    struct sh_bytes none = {0};

    if (size < 2)
        return 0;
    struct sh_bytes name = sh_bytes_of(names[data[0] % SH_COUNT(names)]);
    struct sh_bytes file = {data + 1, size - 1};
    struct out out = {
        .limits = {.pages = 100, .characters = 100000, .nesting = 64, .ratio = 50},
        .emit = on_section};
    struct sniffed sniffed = sniff(file, name, none);
    if (sniffed.type == FILE_PDF && (size < 6 || memcmp(data + 1, "%PDF-", 5) != 0))
        abort();
    if (sniffed.type == FILE_NONE && sniffed.reason == NULL)
        abort();
    if (sniffed.type == FILE_PDF) /* poppler is not ours to fuzz */
        return 0;
    read_file(file, name, none, &out);
    out_free(&out);
    return 0;
}
