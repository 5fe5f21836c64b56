/* PDF: pages, outline, title, date; locked and damaged ones. */
#include "tests/unit/extract/found.h"

/* Objects one after the other, then the table that says where they begin. */
struct pdf {
    struct sh_buffer bytes;
    size_t at[64];
    size_t count;
};

static void begin(struct pdf *pdf)
{
    *pdf = (struct pdf){0};
    sh_buffer_text(&pdf->bytes, "%PDF-1.4\n");
}

__attribute__((format(printf, 2, 3))) static void object(struct pdf *pdf,
                                                         const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    pdf->at[pdf->count++] = pdf->bytes.len;
    sh_buffer_printf(&pdf->bytes, "%zu 0 obj\n%s\nendobj\n", pdf->count, text);
}

/* `trailer`: more entries of it. */
static void finish(struct pdf *pdf, const char *trailer)
{
    size_t table = pdf->bytes.len;
    sh_buffer_printf(&pdf->bytes, "xref\n0 %zu\n0000000000 65535 f \n", pdf->count + 1);
    for (size_t i = 0; i < pdf->count; i++)
        sh_buffer_printf(&pdf->bytes, "%010zu 00000 n \n", pdf->at[i]);
    sh_buffer_printf(&pdf->bytes,
                     "trailer\n<</Size %zu /Root 1 0 R %s>>\nstartxref\n%zu\n%%%%EOF\n",
                     pdf->count + 1, trailer, table);
}

/* Three pages: 1 catalog, 2 pages, 3 font, 4 to 6 pages, 7 to 9 their texts. */
static void three_pages(struct pdf *pdf, const char *catalog)
{
    begin(pdf);
    object(pdf, "<</Type /Catalog /Pages 2 0 R %s>>", catalog);
    object(pdf, "<</Type /Pages /Count 3 /Kids [4 0 R 5 0 R 6 0 R]>>");
    object(pdf, "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>");
    for (int i = 1; i <= 3; i++)
        object(pdf,
               "<</Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Resources <</Font "
               "<</F 3 0 R>>>> /Contents %d 0 R>>",
               6 + i);
    for (int i = 1; i <= 3; i++) {
        char text[256];
        int len =
            snprintf(text, sizeof(text),
                     "BT /F 12 Tf 20 200 Td (Page %d has exam-) Tj 0 -14 Td (ples of "
                     "text) Tj ET",
                     i);
        object(pdf, "<</Length %d>>\nstream\n%s\nendstream", len, text);
    }
}

static void pages_outline_and_title(void **state)
{
    (void)state;
    struct pdf pdf;
    struct found found;
    three_pages(&pdf, "/Outlines 10 0 R");
    object(&pdf, "<</First 11 0 R /Last 12 0 R /Count 2>>");
    object(&pdf,
           "<</Title (Chapter one) /Parent 10 0 R /Next 12 0 R /Dest [4 0 R /Fit]>>");
    object(&pdf,
           "<</Title (Chapter two) /Parent 10 0 R /Prev 11 0 R /Dest [6 0 R /Fit]>>");
    object(&pdf,
           "<</Title (A \\223title\\224) /CreationDate (D:20240506070809+02'00')>>");
    finish(&pdf, "/Info 13 0 R");
    found_read(&found, sh_buffer_bytes(&pdf.bytes), "x.pdf");
    assert_null(found.out.code);
    assert_string_equal(found.sections.data,
                        "1|Chapter one|Page 1 has examples of text\n"
                        "2|Chapter one|Page 2 has examples of text\n"
                        "3|Chapter two|Page 3 has examples of text\n");
    assert_int_equal(found.out.pages, 3);
    assert_non_null(strstr(found.out.title.data, "title"));
    assert_string_equal(found.out.created.data, "2024-05-06T05:08:09Z");
    found_free(&found);
    sh_buffer_free(&pdf.bytes);
}

static void too_many_pages(void **state)
{
    (void)state;
    struct pdf pdf;
    struct found found;
    struct extract_limits limits = found_limits();
    limits.pages = 2;
    three_pages(&pdf, "");
    finish(&pdf, "");
    found_read_within(&found, sh_buffer_bytes(&pdf.bytes), "x.pdf", limits);
    assert_string_equal(found.out.code, "limit_exceeded");
    found_free(&found);
    sh_buffer_free(&pdf.bytes);
}

/* Each ends; whether it is taken is poppler's to say. */
static void loops_end(void **state)
{
    (void)state;
    struct found found;
    struct pdf pdf;
    three_pages(&pdf, "/Outlines 10 0 R");
    object(&pdf, "<</First 11 0 R /Last 11 0 R /Count 1>>");
    object(&pdf, "<</Title (Me) /Parent 10 0 R /Next 11 0 R /First 11 0 R /Dest [4 0 R "
                 "/Fit]>>");
    finish(&pdf, "");
    found_read(&found, sh_buffer_bytes(&pdf.bytes), "x.pdf");
    assert_null(found.out.code);
    found_free(&found);
    sh_buffer_free(&pdf.bytes);

    begin(&pdf);
    object(&pdf, "<</Type /Catalog /Pages 2 0 R>>");
    object(&pdf, "<</Type /Pages /Count 9 /Kids [2 0 R 2 0 R]>>");
    finish(&pdf, "/Prev 9");
    found_read(&found, sh_buffer_bytes(&pdf.bytes), "x.pdf");
    assert_non_null(found.out.code);
    found_free(&found);
    sh_buffer_free(&pdf.bytes);
}

static void files_as_they_come(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *code; /* NULL: taken */
    } all[] = {{"good/minimal-document.pdf", NULL},
               {"bad/encrypted-user-password.pdf", "encrypted"},
               {"bad/made-truncated-half.pdf", "damaged"}};
    for (size_t i = 0; i < SH_COUNT(all); i++) {
        char path[128];
        struct found found;
        (void)snprintf(path, sizeof(path), "tests/data/uploads/%s", all[i].name);
        struct sh_buffer file = found_file(path);
        found_read(&found, sh_buffer_bytes(&file), path);
        if (all[i].code != NULL)
            assert_string_equal(found.out.code, all[i].code);
        else
            assert_non_null(
                strstr(found.sections.data, "1||Lorem ipsum dolor sit amet,"));
        found_free(&found);
        sh_buffer_free(&file);
    }
}

static void a_page_without_text(void **state)
{
    (void)state;
    struct pdf pdf;
    begin(&pdf);
    object(&pdf, "<</Type /Catalog /Pages 2 0 R>>");
    object(&pdf, "<</Type /Pages /Count 1 /Kids [3 0 R]>>");
    object(&pdf, "<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9]>>");
    finish(&pdf, "");
    expect_refused(sh_buffer_bytes(&pdf.bytes), "x.pdf", "no_text");
    sh_buffer_free(&pdf.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_outline_and_title),
        cmocka_unit_test(too_many_pages),
        cmocka_unit_test(loops_end),
        cmocka_unit_test(files_as_they_come),
        cmocka_unit_test(a_page_without_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
