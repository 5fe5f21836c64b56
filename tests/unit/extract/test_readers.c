/* Text, Markdown, HTML, CSV: what is found in them. */
#include <stdlib.h>

#include "tests/unit/extract/found.h"

#define BYTES(text) ((struct sh_bytes){text, sizeof(text) - 1})

/* --- text ------------------------------------------------------------------------- */

static void text_is_cleaned(void **state)
{
    (void)state;
    expect(BYTES("one\r\ntwo\r\n\r\n\r\n\r\nthree  \n"), "x.txt", "0||one/two¶three\n");
    expect(BYTES("a\1b\x7f"
                 "c\td"),
           "x.txt", "0||abc\td\n");
}

static void a_form_feed_begins_a_page(void **state)
{
    (void)state;
    struct found found;
    expect(BYTES("one\n\ftwo\fthree"), "x.txt", "1||one\n2||two\n3||three\n");
    found_read(&found, BYTES("one\n\ftwo"), "x");
    assert_int_equal(found.out.pages, 2);
    found_free(&found);
}

static void encodings_are_told_apart(void **state)
{
    (void)state;
    expect(BYTES("caf\xc3\xa9"), "x.txt", "0||café\n");
    expect(BYTES("\xef\xbb\xbf"
                 "caf\xc3\xa9"),
           "x.txt", "0||café\n");
    expect(BYTES("\xff\xfe"
                 "c\0a\0f\0\xe9\0"),
           "x.txt", "0||café\n");
    expect(BYTES("\xfe\xff\0c\0a\0f\0\xe9"), "x.txt", "0||café\n");
    expect(BYTES("\xff\xfe\0\0c\0\0\0\xe9\0\0\0"), "x.txt", "0||cé\n");
    expect(BYTES("t\0h\0e\0 \0c\0a\0f\0\xe9\0"), "x.txt", "0||the café\n");
    expect(BYTES("Das Caf\xe9 an der Stra\xdf"
                 "e ist sch\xf6n und gro\xdf, wir gehen "
                 "gern dorthin."),
           "x.txt",
           "0||Das Café an der Straße ist schön und groß, wir gehen gern dorthin.\n");
}

static void an_upload_of_several_languages(void **state)
{
    (void)state;
    struct sh_buffer file = found_file("tests/data/uploads/good/tika-multi-language.txt");
    struct found found;
    found_read(&found, sh_buffer_bytes(&file), "tika-multi-language.txt");
    assert_null(found.out.code);
    assert_non_null(strstr(found.sections.data, "en ABC adhoc internship"));
    assert_non_null(strstr(found.sections.data, "contratação de sucesso"));
    found_free(&found);
    sh_buffer_free(&file);
}

static void what_has_no_text_is_refused(void **state)
{
    (void)state;
    expect_refused(BYTES(""), "x.txt", "no_text");
    expect_refused(BYTES(" \n\t\n"), "x.txt", "no_text");
    expect_refused(BYTES("<html><script>alert(1)</script></html>"), "x.html", "no_text");
}

static void limits_hold(void **state)
{
    (void)state;
    struct found found;
    struct extract_limits limits = found_limits();
    limits.characters = 10;
    limits.pages = 2;
    limits.nesting = 5;
    found_read_within(&found, BYTES("elevenchars"), "x.txt", limits);
    assert_string_equal(found.out.code, "limit_exceeded");
    found_free(&found);
    found_read_within(&found, BYTES("tencharact"), "x.txt", limits);
    assert_null(found.out.code);
    found_free(&found);
    found_read_within(&found, BYTES("1\f2\f3"), "x.txt", limits);
    assert_string_equal(found.out.code, "limit_exceeded");
    found_free(&found);
    found_read_within(&found, BYTES("<b><b><b><b><b><b>x"), "x.html", limits);
    assert_string_equal(found.out.code, "limit_exceeded");
    found_free(&found);
    found_read_within(&found, BYTES(">>>>>>>x"), "x.md", limits);
    assert_string_equal(found.out.code, "limit_exceeded");
    found_free(&found);
}

/* A long text is cut between words, and nothing is lost. */
static void a_long_text_comes_in_parts(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    struct found found;
    struct extract_limits limits = found_limits();
    limits.characters = 10000000;
    for (int i = 0; i < 400000; i++)
        sh_buffer_printf(&text, "%d ", i);
    found_read_within(&found, sh_buffer_bytes(&text), "x.txt", limits);
    assert_null(found.out.code);
    assert_true(found.count > 1);
    assert_non_null(strstr(found.sections.data, " 399999"));
    for (const char *at = found.sections.data; (at = strstr(at, "\n0||")) != NULL; at++) {
        const char *word = at;
        while (word[-1] >= '0' && word[-1] <= '9')
            word--;
        assert_int_equal(strtol(at + 4, NULL, 10), strtol(word, NULL, 10) + 1);
    }
    found_free(&found);
    sh_buffer_free(&text);
}

/* --- Markdown --------------------------------------------------------------------- */

static void markdown_headings_are_sections(void **state)
{
    (void)state;
    struct found found;
    found_read(&found,
               BYTES("---\ntitle: \"Front\"\ndate: 2024-05-06\nlang: de\n---\nbefore\n\n"
                     "# One *and*\ntext **bold** &amp; `code`\n\nmore\n\nTwo\n---\n"
                     "- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n"),
               "x.md");
    assert_null(found.out.code);
    assert_string_equal(found.sections.data,
                        "0||before\n0|One and|text bold & code¶more\n"
                        "0|Two|a/b¶x | y/1 | 2\n");
    assert_string_equal(found.out.title.data, "Front");
    assert_string_equal(found.out.created.data, "2024-05-06");
    assert_string_equal(found.out.language.data, "de");
    found_free(&found);
}

static void markdown_without_front_matter(void **state)
{
    (void)state;
    struct found found;
    found_read(&found, BYTES("# Name\ntext <b>tag</b>\n"), "x.md");
    assert_string_equal(found.out.title.data, "Name");
    assert_string_equal(found.sections.data, "0|Name|text tag\n");
    found_free(&found);
    expect(BYTES("---\nno end of it"), "x.md", "0||no end of it\n");
}

/* --- HTML ------------------------------------------------------------------------- */

static void html_is_what_is_seen(void **state)
{
    (void)state;
    struct found found;
    found_read(&found,
               BYTES("<!DOCTYPE html><html lang=\"en-GB\"><head><title>The\n page</title>"
                     "<meta name=date content=2023-01-02><style>p{}</style>"
                     "<script>var x = '<p>no';</script></head><body><p>be<b>fo</b>re  it"
                     "<h1>One</h1><p>text &eacute;&#x41;<br>line</p><ul><li>a<li>b</ul>"
                     "<table><tr><th>x</th><th>y</th></tr><tr><td>1<td>2</table>"
                     "<h2>Two <i>ii</i></h2><pre>a\n  b</pre><template>no</template>"),
               "x.html");
    assert_null(found.out.code);
    assert_string_equal(found.sections.data,
                        "0||before it\n0|One|text éA/line¶a/b¶x | y/1 | 2\n"
                        "0|Two ii|a/  b\n");
    assert_string_equal(found.out.title.data, "The page");
    assert_string_equal(found.out.language.data, "en-GB");
    assert_string_equal(found.out.created.data, "2023-01-02");
    found_free(&found);
}

static void html_names_its_encoding(void **state)
{
    (void)state;
    expect(BYTES("<meta charset=\"iso-8859-15\"><p>10 \xa4"), "x.html", "0||10 €\n");
    expect(BYTES("<meta http-equiv=content-type content='text/html; "
                 "charset=windows-1251'><p>\xcf\xf0\xe8\xe2\xe5\xf2"),
           "x.html", "0||Привет\n");
    expect(BYTES("<meta charset=iso-8859-1><p>caf\xc3\xa9"), "x.html", "0||café\n");
    expect(BYTES("<meta charset=nonsense><p>plain"), "x.html", "0||plain\n");
}

/* --- CSV -------------------------------------------------------------------------- */

static void rows_have_their_columns_names(void **state)
{
    (void)state;
    expect(BYTES("name,age\r\nAda,36\r\n\"Grace \"\"G\"\" Hopper\",\"85\"\r\n"), "x.csv",
           "0|Rows from 1|name: Ada; age: 36/name: Grace \"G\" Hopper; age: 85\n");
    expect(BYTES("a;b\n\"1;5\";\n;3\n"), "x.csv", "0|Rows from 1|a: 1;5/b: 3\n");
    expect(BYTES("a\tb\n1\t2"), "x.tsv", "0|Rows from 1|a: 1; b: 2\n");
    expect(BYTES("a|b\n1|2\n3|4|5\n"), "x.csv",
           "0|Rows from 1|a: 1; b: 2/a: 3; b: 4; 5\n");
    expect(BYTES("only,names\n"), "x.csv", "0||only/names\n");
    expect(BYTES("a,b\n\"two\nlines\",x\n"), "x.csv",
           "0|Rows from 1|a: two/lines; b: x\n");
}

static void many_rows_are_many_sections(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    struct found found;
    sh_buffer_text(&text, "n\n");
    for (int i = 1; i <= 250; i++)
        sh_buffer_printf(&text, "%d\n", i);
    found_read(&found, sh_buffer_bytes(&text), "x.csv");
    assert_int_equal(found.count, 3);
    assert_non_null(strstr(found.sections.data, "0|Rows from 101|n: 101/n: 102"));
    found_free(&found);
    sh_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cleaned),
        cmocka_unit_test(a_form_feed_begins_a_page),
        cmocka_unit_test(encodings_are_told_apart),
        cmocka_unit_test(an_upload_of_several_languages),
        cmocka_unit_test(what_has_no_text_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_long_text_comes_in_parts),
        cmocka_unit_test(markdown_headings_are_sections),
        cmocka_unit_test(markdown_without_front_matter),
        cmocka_unit_test(html_is_what_is_seen),
        cmocka_unit_test(html_names_its_encoding),
        cmocka_unit_test(rows_have_their_columns_names),
        cmocka_unit_test(many_rows_are_many_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
