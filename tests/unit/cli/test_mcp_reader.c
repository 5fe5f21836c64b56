#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cairn/mcp/mcp.h"
#include "cli/cairn/mcp/reader.h"

static void feed(struct mcp_reader *reader, const char *text)
{
    assert_true(mcp_reader_feed(reader, sh_bytes_of(text)));
}

static void lines_are_cut(void **state)
{
    (void)state;
    struct mcp_reader reader = {0};
    struct sh_bytes line;
    feed(&reader, "one\r\ntw");
    assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_READ);
    assert_true(sh_bytes_is(line, "one"));
    assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_NONE);
    feed(&reader, "o\n\nend");
    assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_READ);
    assert_true(sh_bytes_is(line, "two"));
    assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_READ);
    assert_int_equal(line.len, 0);
    assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_NONE);
    assert_int_equal(mcp_reader_next(&reader, true, &line), MCP_LINE_READ);
    assert_true(sh_bytes_is(line, "end"));
    assert_int_equal(mcp_reader_next(&reader, true, &line), MCP_LINE_NONE);
    mcp_reader_free(&reader);
}

static void a_long_line_is_left_out_and_the_next_is_read(void **state)
{
    (void)state;
    struct mcp_reader reader = {0};
    struct sh_bytes line;
    char *piece = malloc(MCP_LINE_MAX);
    assert_non_null(piece);
    memset(piece, 'x', MCP_LINE_MAX);
    for (int i = 0; i < 3; i++) {
        assert_true(mcp_reader_feed(&reader, (struct sh_bytes){piece, MCP_LINE_MAX}));
        assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_NONE);
        assert_true(reader.input.len <= (size_t)MCP_LINE_MAX * 2);
    }
    feed(&reader, "\nnext\n");
    assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_LONG);
    assert_int_equal(mcp_reader_next(&reader, false, &line), MCP_LINE_READ);
    assert_true(sh_bytes_is(line, "next"));
    assert_true(mcp_reader_feed(&reader, (struct sh_bytes){piece, MCP_LINE_MAX}));
    assert_int_equal(mcp_reader_next(&reader, true, &line), MCP_LINE_READ); /* just so */
    free(piece);
    mcp_reader_free(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut),
        cmocka_unit_test(a_long_line_is_left_out_and_the_next_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
