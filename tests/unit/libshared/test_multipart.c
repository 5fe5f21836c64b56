/* multipart: what comes out, however the bytes are cut, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "shared/buffer.h"
#include "shared/mem.h"
#include "shared/multipart.h"

/* Everything that was told, as text: "<name|filename|type|file:data>". */
struct told {
    struct sh_buffer text;
    enum sh_err refuse_begin;
    enum sh_err refuse_data;
};

static enum sh_err on_begin(void *arg, const struct sh_multipart_part *part)
{
    struct told *told = arg;
    sh_buffer_printf(&told->text, "<%s|%s|%s|%d:", part->name, part->filename, part->type,
                     part->is_file);
    return told->refuse_begin;
}

static enum sh_err on_data(void *arg, struct sh_bytes piece)
{
    struct told *told = arg;
    assert_true(piece.len > 0);
    sh_buffer_append(&told->text, piece.data, piece.len);
    return told->refuse_data;
}

static enum sh_err on_end(void *arg)
{
    struct told *told = arg;
    sh_buffer_text(&told->text, ">");
    return SH_OK;
}

static const struct sh_multipart_events events = {on_begin, on_data, on_end};
#define TYPE "multipart/form-data; boundary=X-y"

static enum sh_err feed_cut(struct sh_multipart *self, const char *body, size_t len,
                            size_t step, size_t first)
{
    enum sh_err err = SH_OK;
    for (size_t at = 0; at < len && err == SH_OK;) {
        size_t wanted = at == 0 && first > 0 ? first : step;
        size_t most = len - at < wanted ? len - at : wanted;
        char *copy = malloc(most); /* exact, so that reading past it is seen */
        assert_non_null(copy);
        memcpy(copy, body + at, most);
        err = sh_multipart_feed(self, (struct sh_bytes){copy, most});
        free(copy);
        at += most;
    }
    return err == SH_OK ? sh_multipart_end(self) : err;
}

static enum sh_err run(struct told *told, const struct sh_multipart_limits *limits,
                       struct sh_bytes body, size_t step, size_t first)
{
    struct sh_multipart *self;
    sh_buffer_clear(&told->text);
    assert_int_equal(sh_multipart_create(sh_bytes_of(TYPE), limits, &events, told, &self),
                     SH_OK);
    enum sh_err err = feed_cut(self, body.data, body.len, step, first);
    assert_true((err == SH_OK) == (sh_multipart_why(self)[0] == '\0'));
    sh_buffer_append(&told->text, "", 1);
    sh_multipart_free(&self);
    assert_null(self);
    return err;
}

/* Whole, byte by byte, and in two at every place. */
static void expect(struct sh_bytes body, enum sh_err wanted, const char *text)
{
    const struct sh_multipart_limits limits = {0};
    struct told told = {0};
    for (size_t first = 0; first <= body.len; first++) {
        size_t step = first == 0 ? 1 : body.len + 1;
        assert_int_equal(run(&told, &limits, body, step, first), wanted);
        if (wanted == SH_OK)
            assert_string_equal(told.text.data, text);
    }
    sh_buffer_free(&told.text);
}

#define EXPECT(body, text) expect((struct sh_bytes){body, sizeof(body) - 1}, SH_OK, text)
#define REFUSE(body)       expect((struct sh_bytes){body, sizeof(body) - 1}, SH_MALFORMED, NULL)
#define HEAD(rest)         "Content-Disposition: form-data; " rest "\r\n\r\n"

static void parts_come_out_however_they_are_cut(void **state)
{
    (void)state;
    EXPECT("--X-y\r\n" HEAD("name=\"a\"") "one\r\n--X-y\r\n" HEAD(
               "name=b; filename=\"f.txt\"") "two\r\nlines\r\n\r\n--X-y--\r\n",
           "<a||text/plain|0:one><b|f.txt|text/plain|1:two\r\nlines\r\n>");
    EXPECT(
        "preamble --X-y\r\nmore\r\n--X-y \t\r\n" HEAD("name=a") "\r\n--X-y-- \r\n"
                                                                "epilogue\r\n--X-y\r\n",
        "<a||text/plain|0:>");
    EXPECT("--X-y--", "");
    EXPECT("\r\n--X-y--\r\n", "");
    /* no data at all: the line end of the head is that of the delimiter */
    EXPECT("--X-y\r\n" HEAD("name=a") "--X-y--", "<a||text/plain|0:>");
    EXPECT("--X-y\r\n" HEAD("name=a") "--X-\r\n--X-y--", "<a||text/plain|0:--X->");
}

static void what_only_looks_like_a_delimiter_is_data(void **state)
{
    (void)state;
    EXPECT("--X-y\r\n" HEAD("name=a") "\r\r\n\n\r\n-\r\n--X\r\n--X-\r--X-y\n--X-y-- --X-y"
                                      "\r\n--X-z\r\r\n--X-y--",
           "<a||text/plain|0:\r\r\n\n\r\n-\r\n--X\r\n--X-\r--X-y\n--X-y-- --X-y"
           "\r\n--X-z\r>");
}

static void headers_say_what_a_part_is(void **state)
{
    (void)state;
    EXPECT(
        "--X-y\r\ncontent-type:\timage/png \r\nX-Other: x\r\nContent-Transfer-Encoding: "
        "binary\r\nCONTENT-DISPOSITION:form-data;name=\"a b\" ; filename=\"q\\\"\\\\.t\";"
        "\r\n\r\nz\r\n--X-y--",
        "<a b|.t|image/png|1:z>");
    /* paths, of any system */
    EXPECT("--X-y\r\n" HEAD("name=a; filename=\"C:\\dir\\x.doc\"") "\r\n--X-y--",
           "<a|x.doc|text/plain|1:>");
    EXPECT("--X-y\r\n" HEAD("name=a; filename=\"../../etc/passwd\"") "\r\n--X-y--",
           "<a|passwd|text/plain|1:>");
    EXPECT("--X-y\r\n" HEAD("name=a; filename=\"\"") "\r\n--X-y--", "<a||text/plain|1:>");
    /* RFC 8187 counts more, wherever it stands */
    EXPECT("--X-y\r\n" HEAD(
               "name=a; filename=x; filename*=utf-8'en'%e2%82%ac.txt") "\r\n"
                                                                       "--X-y--",
           "<a|\xe2\x82\xac.txt|text/plain|1:>");
    EXPECT(
        "--X-y\r\n" HEAD("name=a; filename*=UTF-8''b%25.txt; filename=x") "\r\n--X-y--",
        "<a|b%.txt|text/plain|1:>");
    EXPECT("--X-y\r\n" HEAD("name=a; filename*=UTF-8''..%2f..%2Fe") "\r\n--X-y--",
           "<a|e|text/plain|1:>");
    EXPECT("--X-y\r\n" HEAD("name=\"100%41\"; filename=\"caf\xc3\xa9\"") "\r\n--X-y--",
           "<100%41|caf\xc3\xa9|text/plain|1:>");
}

static void what_is_not_valid_is_refused(void **state)
{
    (void)state;
    /* framing */
    REFUSE("");
    REFUSE("--X-y");
    REFUSE("--X-y\r\n" HEAD("name=a") "data");
    REFUSE("--X-y\r\n" HEAD("name=a") "data\r\n--X-y\r\n");
    REFUSE("--X-y\r\n" HEAD("name=a") "data\r\n--X-y-");
    REFUSE("--X-yz\r\n" HEAD("name=a") "\r\n--X-y--");
    REFUSE("--X-y\n" HEAD("name=a") "\r\n--X-y--");
    REFUSE("--X-y\r" HEAD("name=a") "\r\n--X-y--");
    REFUSE("--X-y --\r\n" HEAD("name=a") "\r\n--X-y--");
    REFUSE("--X-y--z");
    /* heads */
    REFUSE("--X-y\r\n\r\nno headers\r\n--X-y--");
    REFUSE("--X-y\r\nContent-Type: text/plain\r\n\r\nx\r\n--X-y--");
    REFUSE("--X-y\r\nContent-Disposition: form-data; name=a\n\r\nx\r\n--X-y--");
    REFUSE("--X-y\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\nx\r\n--X-y--");
    REFUSE("--X-y\r\nContent-Disposition : form-data; name=a\r\n\r\nx\r\n--X-y--");
    REFUSE("--X-y\r\nContent-Disposition: form-data; na\rme=a\r\n\r\nx\r\n--X-y--");
    REFUSE("--X-y\r\nContent-Disposition: form-data; name=\"a\0b\"\r\n\r\nx\r\n--X-y--");
    REFUSE("--X-y\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--X-y--");
    REFUSE("--X-y\r\nnothing\r\n" HEAD("name=a") "x\r\n--X-y--");
    REFUSE(
        "--X-y\r\nContent-Disposition: form-data; name=a\r\n" HEAD("name=b") "\r\n"
                                                                             "--X-y--");
    REFUSE(
        "--X-y\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n" HEAD("name=b") "\r\n"
                                                                             "--X-y--");
    REFUSE("--X-y\r\nContent-Transfer-Encoding: base64\r\n" HEAD("name=a") "\r\n--X-y--");
    /* parameters */
    REFUSE("--X-y\r\n" HEAD("filename=a") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; name=b") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename=b; filename=c") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=\"\"") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=\"a") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=\"a\" b") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=\"\xff\"") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename=\"..\"") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename=\"x/.\"") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename*=UTF-8''%00") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename*=UTF-8''%0a") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename*=UTF-8''%ff") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename*=UTF-8'x") "\r\n--X-y--");
    REFUSE("--X-y\r\n" HEAD("name=a; filename*=ISO-8859-1''x") "\r\n--X-y--");
}

static const char longest[] =
    "multipart/form-data; boundary="
    "1234567890123456789012345678901234567890123456789012345678901234567890";
static const char too_long[] =
    "multipart/form-data; boundary="
    "12345678901234567890123456789012345678901234567890123456789012345678901";

static void content_types_without_one_good_boundary_are_refused(void **state)
{
    static const char *const good[] = {
        "multipart/form-data; boundary=a",
        "Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b'()+_,-./:=?z\"",
        longest,
    };
    static const char *const bad[] = {
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=\"a\r\"",
        "multipart/form-data; boundary=a; boundary=a",
        "multipart/form-data; boundary=a b",
        "multipart/form-data boundary=a",
        "multipart/form-datax; boundary=a",
        "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=\"a",
        "multipart/form-data; boundary=a*b",
        "multipart/form-data; boundary=\"\xc3\xa9\"",
        too_long,
    };
    const struct sh_multipart_limits limits = {0};
    struct sh_multipart *self;
    (void)state;
    for (size_t i = 0; i < SH_COUNT(good); i++) {
        assert_int_equal(
            sh_multipart_create(sh_bytes_of(good[i]), &limits, &events, NULL, &self),
            SH_OK);
        sh_multipart_free(&self);
    }
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        assert_int_equal(
            sh_multipart_create(sh_bytes_of(bad[i]), &limits, &events, NULL, &self),
            SH_INVALID);
        assert_null(self);
    }
}

static void limits_hold(void **state)
{
    static const char body[] =
        "--X-y\r\n" HEAD("name=a") "12345\r\n--X-y\r\n" HEAD("name=b") "\r\n--X-y--";
    const struct sh_bytes bytes = {body, sizeof(body) - 1};
    struct sh_multipart_limits limits = {.parts = 2, .head_bytes = 42, .part_bytes = 5};
    struct told told = {0};
    (void)state;
    for (size_t step = 1; step < sizeof(body); step++) {
        assert_int_equal(run(&told, &limits, bytes, step, 0), SH_OK);
        limits.parts = 1;
        assert_int_equal(run(&told, &limits, bytes, step, 0), SH_TOOBIG);
        limits.parts = 2;
        limits.part_bytes = 4;
        assert_int_equal(run(&told, &limits, bytes, step, 0), SH_TOOBIG);
        limits.part_bytes = 5;
        limits.head_bytes = 41;
        assert_int_equal(run(&told, &limits, bytes, step, 0), SH_TOOBIG);
        limits.head_bytes = 42;
    }
    sh_buffer_free(&told.text);
}

static void an_event_that_refuses_ends_it(void **state)
{
    static const char body[] = "--X-y\r\n" HEAD("name=a") "123\r\n--X-y--";
    const struct sh_bytes bytes = {body, sizeof(body) - 1};
    const struct sh_multipart_limits limits = {0};
    struct told told = {.refuse_begin = SH_FORBIDDEN};
    (void)state;
    assert_int_equal(run(&told, &limits, bytes, 1000, 0), SH_FORBIDDEN);
    assert_string_equal(told.text.data, "<a||text/plain|0:");
    told.refuse_begin = SH_OK;
    told.refuse_data = SH_BUSY;
    assert_int_equal(run(&told, &limits, bytes, 1000, 0), SH_BUSY);
    assert_string_equal(told.text.data, "<a||text/plain|0:123");
    sh_buffer_free(&told.text);
}

static void running_out_of_memory_is_told(void **state)
{
    const struct sh_multipart_limits limits = {0};
    struct sh_multipart *self;
    (void)state;
    sh_mem_fail_after(0);
    enum sh_err err =
        sh_multipart_create(sh_bytes_of(TYPE), &limits, &events, NULL, &self);
    sh_mem_fail_after(-1);
    assert_int_equal(err, SH_NOMEM);
    sh_multipart_free(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_come_out_however_they_are_cut),
        cmocka_unit_test(what_only_looks_like_a_delimiter_is_data),
        cmocka_unit_test(headers_say_what_a_part_is),
        cmocka_unit_test(what_is_not_valid_is_refused),
        cmocka_unit_test(content_types_without_one_good_boundary_are_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(an_event_that_refuses_ends_it),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
