/* What a file is taken for, by its bytes and its name. */
#include "tests/unit/extract/found.h"

#define BYTES(text) ((struct sh_bytes){text, sizeof(text) - 1})

/* An empty ZIP archive's end, which a reader of archives looks for at the end of a file.
 */
#define DIRECTORY                                                                        \
    "PK\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0"                                                                               \
    "\0\0"
#define ZIP_END DIRECTORY "PK\5\6\0\0\0\0\1\0\1\0\x2e\0\0\0\0\0\0\0\0\0"

static void takes(struct sh_bytes file, const char *name, enum file_type type)
{
    struct sniffed sniffed = sniff(file, sh_bytes_of(name), (struct sh_bytes){0});

    if (sniffed.type != type)
        fail_msg("%s: %d, %s", name, (int)sniffed.type,
                 sniffed.reason ? sniffed.reason : "");
}

static void refuses(struct sh_bytes file, const char *name)
{
    struct sniffed sniffed = sniff(file, sh_bytes_of(name), (struct sh_bytes){0});

    if (sniffed.type != FILE_NONE)
        fail_msg("%s of %zu bytes is taken as %d", name, file.len, (int)sniffed.type);
    assert_non_null(sniffed.reason);
}

static void name_and_bytes_agree(void **state)
{
    (void)state;
    takes(BYTES("%PDF-1.4\n"), "a.pdf", FILE_PDF);
    takes(BYTES("%PDF-1.4\n"), "A.PDF", FILE_PDF);
    takes(BYTES("%PDF-1.4\n"), "noname", FILE_PDF);
    takes(BYTES("%PDF-1.4\n"), "", FILE_PDF);
    takes(BYTES("text"), "a.txt", FILE_TEXT);
    takes(BYTES("text"), "", FILE_TEXT);
    takes(BYTES("text"), "folder.d/README", FILE_TEXT);
    takes(BYTES("# text"), "a.b.md", FILE_MARKDOWN);
    takes(BYTES("a,b"), "x.csv", FILE_CSV);
    takes(BYTES("<p>text"), "x.HTM", FILE_HTML);
    takes(BYTES("\xef\xbb\xbf <!DOCTYPE html><p>x"), "page", FILE_HTML);
    takes(BYTES("<html>as text"), "x.txt", FILE_TEXT);
    refuses(BYTES("text"), "a.pdf");
    refuses(BYTES("text"), "a.docx");
    refuses(BYTES("%PDF-1.4\n"), "a.docx");
    refuses(BYTES("%PDF-1.4\n"), "a.txt");
    refuses(BYTES("\1\2\3\4\0\5binary"), "a.txt");
}

static void the_sender_is_heard_last(void **state)
{
    (void)state;
    const struct sh_bytes text = BYTES("a,b\n1,2\n");
    struct sniffed sniffed = sniff(text, sh_bytes_of("x"), BYTES("text/csv; charset=x"));
    assert_int_equal(sniffed.type, FILE_CSV);
    sniffed = sniff(text, sh_bytes_of("x.md"), BYTES("text/csv"));
    assert_int_equal(sniffed.type, FILE_MARKDOWN);
    sniffed = sniff(text, sh_bytes_of("x"), BYTES("application/octet-stream"));
    assert_int_equal(sniffed.type, FILE_TEXT);
    sniffed = sniff(text, sh_bytes_of("x"), BYTES("application/pdf"));
    assert_int_equal(sniffed.type, FILE_NONE);
}

static void what_can_be_run_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"x", "x.txt", "x.pdf", "x.docx", "x.html"};
    for (size_t i = 0; i < SH_COUNT(names); i++) {
        refuses(BYTES("\x7f"
                      "ELF\2\1\1\0\0\0\0\0\0\0\0\0"),
                names[i]);
        refuses(BYTES("MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0"), names[i]);
        refuses(BYTES("\xcf\xfa\xed\xfe\7\0\0\1\3\0\0\0"), names[i]);
        refuses(BYTES("\xca\xfe\xba\xbe\0\0\0\2"), names[i]);
        refuses(BYTES("#!/bin/sh\necho text\n"), names[i]);
        refuses(BYTES("\xef\xbb\xbf#!/bin/sh\n"), names[i]);
        refuses(BYTES("\0asm\1\0\0\0"), names[i]);
    }
    refuses(BYTES("plain"), "x.exe");
    refuses(BYTES("plain"), "x.pdf.sh");
    refuses(BYTES("plain"), "x.js");
    takes(BYTES("MZ is a chapter of its own"), "x.txt", FILE_TEXT);
}

static void archives_and_pictures_are_refused(void **state)
{
    (void)state;
    refuses(BYTES("PK\3\4\24\0\0\0\10\0"), "x.zip");
    refuses(BYTES("PK\3\4\24\0\0\0\10\0"), "x.xlsx");
    refuses(BYTES("PK\3\4\24\0\0\0\10\0"), "x");
    refuses(BYTES("\x1f\x8b\10\0"), "x.txt");
    refuses(BYTES("7z\xbc\xaf\x27\x1c"), "x.txt");
    refuses(BYTES("Rar!\x1a\x07\0"), "x.txt");
    refuses(BYTES("GIF89a"), "x.txt");
    refuses(BYTES("\x89PNG\r\n\x1a\n"), "x.pdf");
}

static void two_things_at_once_are_refused(void **state)
{
    (void)state;
    refuses(BYTES("%PDF-1.4\n1 0 obj\n%%EOF\n" ZIP_END), "x.pdf");
    refuses(BYTES("%PDF-1.4\n<html><script>alert(1)</script>\n%%EOF\n"), "x.pdf");
    refuses(BYTES("junk before\n%PDF-1.4\n1 0 obj\n%%EOF\n"), "x.pdf");
    refuses(BYTES("junk before\n%PDF-1.4\n1 0 obj\n%%EOF\n"), "x.txt");
    refuses(BYTES("<html>\n%PDF-1.4\nstartxref\n0\n%%EOF\n"), "x.html");
    refuses(BYTES("GIF89a;" ZIP_END), "x.pdf");
    refuses(BYTES("text, text, text" ZIP_END), "x.txt");
    refuses(BYTES("PK\3\4 %PDF-1.4 " ZIP_END "%%EOF"), "x.docx");
    refuses(BYTES("PK\3\4 " ZIP_END "and more"), "x.docx");
    takes(BYTES("PK\3\4 " ZIP_END), "x.docx", FILE_DOCX); /* looked at closer later */
    takes(BYTES("A PDF begins with %PDF-1.4"), "x.txt", FILE_TEXT);
}

static void a_locked_document_is_known(void **state)
{
    (void)state;
    const struct sh_bytes locked = BYTES(
        "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0"
        "a\0g\0e\0");
    struct sniffed sniffed = sniff(locked, sh_bytes_of("x.docx"), (struct sh_bytes){0});
    assert_int_equal(sniffed.type, FILE_NONE);
    assert_true(sniffed.encrypted);
    sniffed = sniff(locked, sh_bytes_of("x.doc"), (struct sh_bytes){0});
    assert_false(sniffed.encrypted);
}

static void wide_text_is_text(void **state)
{
    (void)state;
    takes(BYTES("t\0e\0x\0t\0 \0w\0i\0t\0h\0o\0u\0t\0"), "x.txt", FILE_TEXT);
    takes(BYTES("\0t\0e\0x\0t\0 \0w\0i\0t\0h\0o\0u\0t"), "x.txt", FILE_TEXT);
    takes(BYTES("\xff\xfe\x01\x30\x02\x30\x03\x30"), "x.txt", FILE_TEXT);
    refuses(BYTES("text\0text\0text"), "x.txt");
}

/* Every beginning of a file is looked at without a step too far: the sanitizers tell. */
static void no_length_is_too_short(void **state)
{
    (void)state;
    static const char *const files[] = {
        "tests/data/uploads/good/minimal-document.pdf",
        "tests/data/uploads/good/poi-SampleDoc.docx",
        "tests/data/uploads/good/tika-multi-language.txt"};
    for (size_t i = 0; i < SH_COUNT(files); i++) {
        struct sh_buffer file = found_file(files[i]);
        for (size_t len = 0; len < 64; len++) {
            char *copy = sh_strndup(file.data, len);
            (void)sniff((struct sh_bytes){copy, len}, sh_bytes_of(files[i]),
                        (struct sh_bytes){0});
            sh_free(copy);
        }
        sh_buffer_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_bytes_agree),
        cmocka_unit_test(the_sender_is_heard_last),
        cmocka_unit_test(what_can_be_run_is_refused),
        cmocka_unit_test(archives_and_pictures_are_refused),
        cmocka_unit_test(two_things_at_once_are_refused),
        cmocka_unit_test(a_locked_document_is_known),
        cmocka_unit_test(wide_text_is_text),
        cmocka_unit_test(no_length_is_too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
