/* Word files: what is read of them, and what they cannot do. */
#include <unistd.h>

#include "tests/unit/extract/zips.h"

#define P(text) "<w:p><w:r><w:t>" text "</w:t></w:r></w:p>"
#define STYLED(style, text)                                                              \
    "<w:p><w:pPr><w:pStyle w:val=\"" style "\"/></w:pPr><w:r><w:t>" text                 \
    "</w:t></w:r></w:p>"

static void reads(const char *body, const char *styles, const char *sections)
{
    struct sh_buffer file = docx_of(body, styles);
    expect(sh_buffer_bytes(&file), "x.docx", sections);
    sh_buffer_free(&file);
}

static void refused(struct sh_buffer file, const char *code)
{
    expect_refused(sh_buffer_bytes(&file), "x.docx", code);
    sh_buffer_free(&file);
}

static void paragraphs_and_breaks(void **state)
{
    (void)state;
    reads(P("one") P("") P("two &amp; &lt;3&gt;"), NULL, "0||one¶two & <3>\n");
    reads("<w:p><w:r><w:t>a</w:t><w:tab/><w:t xml:space=\"preserve\"> b</w:t><w:br/>"
          "<w:t>c</w:t></w:r></w:p>",
          NULL, "0||a\t b/c\n");
    reads("<w:p><w:r><w:instrText>PAGE</w:instrText><w:t>seen</w:t></w:r><w:del><w:r>"
          "<w:delText>gone</w:delText></w:r></w:del></w:p>",
          NULL, "0||seen\n");
    reads("<mc:AlternateContent><mc:Choice>" P("once") "</mc:Choice><mc:Fallback>" P(
              "twice") "</mc:Fallback></mc:AlternateContent>",
          NULL, "0||once\n");
}

static void headings_by_style(void **state)
{
    (void)state;
    static const char styles[] =
        "<w:styles xmlns:w=\"w\"><w:style w:styleId=\"berschrift1\"><w:name "
        "w:val=\"heading "
        "1\"/></w:style><w:style w:styleId=\"Own\"><w:name w:val=\"Mine\"/><w:basedOn "
        "w:val=\"berschrift1\"/></w:style><w:style w:styleId=\"Loop\"><w:name "
        "w:val=\"L\"/><w:basedOn w:val=\"Loop\"/></w:style><w:style w:styleId=\"Out\">"
        "<w:name w:val=\"O\"/><w:pPr><w:outlineLvl "
        "w:val=\"1\"/></w:pPr></w:style><w:style "
        "w:styleId=\"T\"><w:name w:val=\"Title\"/></w:style></w:styles>";
    struct sh_buffer file =
        docx_of(STYLED("T", "The title") P("intro") STYLED("berschrift1", "One") P("a")
                    STYLED("Own", "Two") P("b") STYLED("Loop", "no")
                        STYLED("Out", "Three") P("c"),
                styles);
    struct found found;
    found_read(&found, sh_buffer_bytes(&file), "x.docx");
    assert_string_equal(found.sections.data, "0||The title¶intro\n0|One|a\n0|Two|b¶no\n"
                                             "0|Three|c\n");
    assert_string_equal(found.out.title.data, "The title");
    found_free(&found);
    sh_buffer_free(&file);
}

static void tables_are_rows(void **state)
{
    (void)state;
    reads(P("before") "<w:tbl><w:tr><w:tc>" P("a")
              P("b") "</w:tc><w:tc>" P("c") "</w:tc></w:tr><w:tr><w:tc>" P(
                  "1") "</w:tc><w:tc>" P("2") "</w:tc></w:tr>"
                                              "</w:tbl>" P("after"),
          NULL, "0||before¶a b | c/1 | 2¶after\n");
}

static void what_is_said_about_it(void **state)
{
    (void)state;
    const struct part parts[] = {
        ROOT_PARTS,
        {"docProps/core.xml",
         sh_bytes_of("<cp:p xmlns:cp=\"c\" xmlns:dc=\"d\" xmlns:t=\"t\"><dc:title> A "
                     "title</dc:title><dc:language>fr-FR</dc:language><t:created>"
                     "2020-01-02T03:04:05Z</t:created></cp:p>")},
        {"docProps/app.xml", sh_bytes_of("<Properties><Pages>12</Pages></Properties>")},
        {"word/document.xml", sh_bytes_of("<d><body>"
                                          "<p><r><t>x</t></r></p></body></d>")}};
    struct sh_buffer file = zip_of(parts, SH_COUNT(parts));
    struct found found;
    found_read(&found, sh_buffer_bytes(&file), "x.docx");
    assert_null(found.out.code);
    assert_string_equal(found.out.title.data, "A title");
    assert_string_equal(found.out.language.data, "fr-FR");
    assert_string_equal(found.out.created.data, "2020-01-02T03:04:05Z");
    assert_int_equal(found.out.pages, 12);
    found_free(&found);
    sh_buffer_free(&file);
}

/* --- hostile ---------------------------------------------------------------------- */

static void a_document_type_is_refused(void **state)
{
    (void)state;
    static const char laughs[] =
        "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b "
        "\"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>"
        "<d><p><r><t>&c;</t></r></p></d>";
    static const char outside[] =
        "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><d><t>&x;</t></d>";
    static const char *const all[] = {laughs, outside,
                                      "<!DOCTYPE d SYSTEM \"d.dtd\"><d/>"};
    for (size_t i = 0; i < SH_COUNT(all); i++) {
        const struct part parts[] = {ROOT_PARTS,
                                     {"word/document.xml", sh_bytes_of(all[i])}};
        refused(zip_of(parts, SH_COUNT(parts)), "damaged");
    }
}

static void a_bomb_is_refused(void **state)
{
    static const char start[] = "<d><t>";
    (void)state;
    struct sh_buffer spaces = {0};
    char *room = sh_buffer_reserve(&spaces, 64 << 20);
    assert_non_null(room);
    memset(room, ' ', 64 << 20);
    spaces.len = 64 << 20;
    for (size_t i = 0; i < sizeof(start) - 1; i++)
        room[i] = start[i];
    const struct part parts[] = {ROOT_PARTS,
                                 {"word/document.xml", sh_buffer_bytes(&spaces)}};
    struct sh_buffer file = zip_of(parts, SH_COUNT(parts));
    assert_true(file.len < 200000);
    refused(file, "limit_exceeded");
    sh_buffer_free(&spaces);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    struct sh_buffer body = {0};
    for (int i = 0; i < 200; i++)
        sh_buffer_text(&body, "<w:tbl>");
    sh_buffer_append(&body, "", 1);
    refused(docx_of(body.data, NULL), "limit_exceeded");
    sh_buffer_free(&body);
}

static void other_archives_are_refused(void **state)
{
    (void)state;
    const struct part plain[] = {{"readme.txt", sh_bytes_of("x")}};
    refused(zip_of(plain, 1), "type_refused");
    const struct part sheet[] = {{"[Content_Types].xml", sh_bytes_of("<Types/>")},
                                 {"xl/workbook.xml", sh_bytes_of("<w/>")}};
    refused(zip_of(sheet, 2), "type_refused");
    const struct part macros[] = {ROOT_PARTS,
                                  {"word/vbaProject.bin", sh_bytes_of("x")},
                                  {"word/document.xml", sh_bytes_of("<d/>")}};
    refused(zip_of(macros, SH_COUNT(macros)), "type_refused");
}

static void what_is_broken_is_refused(void **state)
{
    (void)state;
    static const char *const all[] = {"", "<d>", "<d></e>", "<d>\xff</d>", "text"};
    for (size_t i = 0; i < SH_COUNT(all); i++) {
        const struct part parts[] = {ROOT_PARTS,
                                     {"word/document.xml", sh_bytes_of(all[i])}};
        refused(zip_of(parts, SH_COUNT(parts)), "damaged");
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct sh_buffer file = docx_of(P("whole"), NULL);
    for (size_t len = 1; len < file.len; len++) {
        struct found found;
        char *copy = sh_strndup(file.data, len);
        found_read(&found, (struct sh_bytes){copy, len}, "x.docx");
        if (found.out.code == NULL)
            fail_msg("taken with %zu of %zu bytes", len, file.len);
        found_free(&found);
        sh_free(copy);
    }
    sh_buffer_free(&file);
}

static void names_of_entries_touch_nothing(void **state)
{
    (void)state;
    struct sh_buffer file = found_file("tests/data/uploads/bad/made-path-traversal.docx");
    expect(sh_buffer_bytes(&file), "x.docx", "0||harmless body\n");
    assert_int_not_equal(access("/tmp/upload_traversal_probe.txt", F_OK), 0);
    assert_int_not_equal(access("/etc/upload_traversal_probe2", F_OK), 0);
    assert_int_not_equal(access("word\\..\\..\\probe3.txt", F_OK), 0);
    sh_buffer_free(&file);
}

static void an_upload_from_word(void **state)
{
    (void)state;
    struct sh_buffer file = found_file("tests/data/uploads/good/poi-SampleDoc.docx");
    struct found found;
    found_read(&found, sh_buffer_bytes(&file), "poi-SampleDoc.docx");
    assert_null(found.out.code);
    assert_non_null(strstr(found.sections.data, "I am a test document"));
    assert_string_equal(found.out.title.data, "Test Document");
    found_free(&found);
    sh_buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_and_breaks),
        cmocka_unit_test(headings_by_style),
        cmocka_unit_test(tables_are_rows),
        cmocka_unit_test(what_is_said_about_it),
        cmocka_unit_test(a_document_type_is_refused),
        cmocka_unit_test(a_bomb_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(other_archives_are_refused),
        cmocka_unit_test(what_is_broken_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(names_of_entries_touch_nothing),
        cmocka_unit_test(an_upload_from_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
