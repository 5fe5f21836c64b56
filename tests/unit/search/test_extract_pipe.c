/* What cairn-extract may write, and what becomes of anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "services/search/extract/pipe.h"

static void add_frame(struct sh_buffer *to, const struct msg_desc *desc, const void *msg)
{
    struct sh_buffer body = {0};
    assert_int_equal(msg_encode(desc, msg, &body), SH_OK);
    const uint8_t length[4] = {(uint8_t)body.len, (uint8_t)(body.len >> 8),
                               (uint8_t)(body.len >> 16), (uint8_t)(body.len >> 24)};
    sh_buffer_append(to, length, sizeof(length));
    sh_buffer_append(to, body.data, body.len);
    sh_buffer_free(&body);
}

static void add_section(struct sh_buffer *to, const char *title, const char *text)
{
    const struct section section = {sh_bytes_of(title), sh_bytes_of(text), 3};
    add_frame(to, section_desc(), &section);
}

static void add_end(struct sh_buffer *to, const char *code)
{
    const struct extract_end end = {
        .code = sh_bytes_of(code), .type = sh_bytes_of("text/plain"), .pages = 7};
    add_frame(to, extract_end_desc(), &end);
}

static void add_length(struct sh_buffer *to, uint32_t length)
{
    for (int i = 0; i < 4; i++) {
        uint8_t byte = (uint8_t)(length >> (8 * i));
        sh_buffer_append(to, &byte, 1);
    }
}

/* `step` bytes at a time; what it comes to. */
static enum sh_err run(const struct sh_buffer *bytes, size_t step, size_t bytes_max,
                       struct extract_pipe *pipe, struct sh_arena *arena)
{
    *pipe = (struct extract_pipe){.arena = arena, .bytes_max = bytes_max};
    for (size_t at = 0; at < bytes->len; at += step) {
        size_t len = bytes->len - at < step ? bytes->len - at : step;
        if (extract_pipe_feed(pipe, (struct sh_bytes){bytes->data + at, len}) != SH_OK)
            break;
    }
    enum sh_err err = extract_pipe_close(pipe);
    extract_pipe_free(pipe);
    return err;
}

static enum sh_err outcome(struct sh_buffer *bytes, size_t bytes_max)
{
    struct sh_arena arena = {0};
    struct extract_pipe pipe;
    enum sh_err err = run(bytes, 4096, bytes_max, &pipe, &arena);
    sh_arena_free(&arena);
    sh_buffer_free(bytes);
    *bytes = (struct sh_buffer){0};
    return err;
}

static void however_it_is_cut(void **state)
{
    (void)state;
    struct sh_buffer bytes = {0};
    add_section(&bytes, "one", "text");
    for (int i = 0; i < 40; i++)
        add_section(&bytes, "", "more");
    add_end(&bytes, "");
    for (size_t step = 1; step <= bytes.len; step++) {
        struct sh_arena arena = {0};
        struct extract_pipe pipe;
        assert_int_equal(run(&bytes, step, 1 << 20, &pipe, &arena), SH_OK);
        assert_int_equal(pipe.count, 41);
        assert_true(sh_bytes_is(pipe.sections[0].title, "one"));
        assert_true(sh_bytes_is(pipe.sections[40].text, "more"));
        assert_int_equal(pipe.sections[40].page_number, 3);
        assert_int_equal(pipe.end.pages, 7);
        sh_arena_free(&arena);
    }
    sh_buffer_free(&bytes);
}

static void every_truncation_is_noticed(void **state)
{
    (void)state;
    struct sh_buffer bytes = {0};
    add_section(&bytes, "one", "text");
    add_end(&bytes, "");
    for (size_t len = 0; len < bytes.len; len++) {
        struct sh_buffer part = {0};
        sh_buffer_append(&part, bytes.data, len);
        assert_int_equal(outcome(&part, 1 << 20), SH_MALFORMED);
    }
    sh_buffer_free(&bytes);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct sh_buffer bytes = {0};
    add_end(&bytes, "");
    add_end(&bytes, "");
    assert_int_equal(outcome(&bytes, 1 << 20), SH_MALFORMED);
    add_end(&bytes, "");
    add_section(&bytes, "late", "text");
    assert_int_equal(outcome(&bytes, 1 << 20), SH_MALFORMED);
    add_length(&bytes, 0);
    add_end(&bytes, "");
    assert_int_equal(outcome(&bytes, 1 << 20), SH_MALFORMED);
    add_length(&bytes, UINT32_MAX);
    assert_int_equal(outcome(&bytes, 1 << 20), SH_TOOBIG);
    add_length(&bytes, 1);
    sh_buffer_text(&bytes, "x");
    assert_int_equal(outcome(&bytes, 1 << 20), SH_MALFORMED);
    add_length(&bytes, 5);
    sh_buffer_text(&bytes, "\x94\x14zzz");
    assert_int_equal(outcome(&bytes, 1 << 20), SH_MALFORMED);
    const struct caller other = {.role = sh_bytes_of("admin")};
    add_frame(&bytes, caller_desc(), &other);
    assert_int_equal(outcome(&bytes, 1 << 20), SH_MALFORMED);
}

static void more_than_was_agreed_is_refused(void **state)
{
    (void)state;
    struct sh_buffer bytes = {0};
    for (int i = 0; i < 100; i++)
        add_section(&bytes, "", "0123456789");
    add_end(&bytes, "");
    assert_int_equal(outcome(&bytes, 1000), SH_TOOBIG);
    for (int i = 0; i < 65537; i++)
        add_section(&bytes, "", "x");
    add_end(&bytes, "");
    assert_int_equal(outcome(&bytes, 1 << 26), SH_TOOBIG);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    struct sh_buffer bytes = {0};
    int failures = 0;
    for (int i = 0; i < 20; i++)
        add_section(&bytes, "a", "b");
    add_end(&bytes, "");
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct sh_arena arena = {0};
        struct extract_pipe pipe;
        sh_mem_fail_after(failures);
        err = run(&bytes, 16, 1 << 20, &pipe, &arena);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sh_arena_free(&arena);
    }
    assert_true(failures > 1);
    sh_buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_it_is_cut),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(more_than_was_agreed_is_refused),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
