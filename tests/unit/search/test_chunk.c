/* The promises of chunk.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "services/search/chunk/chunk.h"
#include "shared/buffer.h"
#include "tests/support/cpu.h"

struct cut {
    struct sh_arena arena;
    struct chunk *chunks;
    size_t count;
};

static struct cut cut_section(const char *title, const char *heading,
                              struct sh_bytes text)
{
    struct cut cut = {{0}, NULL, 0};
    struct chunk_section section = {sh_bytes_of(heading), text, 7};
    assert_int_equal(chunk_document(sh_bytes_of(title), &section, 1, NULL, &cut.arena,
                                    &cut.chunks, &cut.count),
                     SH_OK);
    return cut;
}

static const char *start_of(struct sh_bytes bytes)
{
    return bytes.data;
}

static const char *end_of(struct sh_bytes bytes)
{
    return (const char *)bytes.data + bytes.len;
}

static bool is_utf8(struct sh_bytes text)
{
    utf8proc_int32_t code = 0;
    const uint8_t *data = text.data;
    for (size_t pos = 0; pos < text.len;) {
        utf8proc_ssize_t n =
            utf8proc_iterate(data + pos, (utf8proc_ssize_t)(text.len - pos), &code);
        if (n < 1)
            return false;
        pos += (size_t)n;
    }
    return true;
}

/* Passages are slices of the section in order, each goes further than the one before, and
 * only blanks lie between. */
static void check_cover(const struct cut *cut, struct sh_bytes text)
{
    const char *covered = text.data;
    for (size_t i = 0; i < cut->count; i++) {
        struct sh_bytes passage = cut->chunks[i].text;
        assert_true(start_of(passage) >= start_of(text));
        assert_true(end_of(passage) <= end_of(text));
        assert_true(end_of(passage) > covered);
        for (const char *at = covered; at < start_of(passage); at++)
            assert_true((uint8_t)*at <= ' ');
        covered = end_of(passage);
        assert_int_equal(cut->chunks[i].ordinal, i);
        assert_int_equal(cut->chunks[i].page_number, 7);
        assert_true(cut->chunks[i].tokens > 0);
    }
    for (const char *at = covered; at < end_of(text); at++)
        assert_true((uint8_t)*at <= ' ');
}

/* Sentences of 12 words that can be told apart; a paragraph has `per_paragraph`. */
static void write_sentences(struct sh_buffer *out, int count, int per_paragraph)
{
    for (int i = 0; i < count; i++)
        sh_buffer_printf(out,
                         "Sentence %d tells the reader one more thing about the "
                         "keeper of bees.%s",
                         i, (i + 1) % per_paragraph == 0 ? "\n\n" : " ");
    assert_int_equal(out->err, SH_OK);
}

static void a_short_section_is_one_passage_with_its_headings(void **state)
{
    (void)state;
    struct cut cut =
        cut_section("Bees", "Care > Winter", sh_bytes_of("  Feed them. Keep dry.\n"));
    assert_int_equal(cut.count, 1);
    assert_true(sh_bytes_is(cut.chunks[0].text, "Feed them. Keep dry."));
    assert_true(sh_bytes_is(cut.chunks[0].section_title, "Care > Winter"));
    assert_true(sh_bytes_is(cut.chunks[0].embed_text,
                            "Bees\nCare > Winter\nFeed them. Keep dry."));
    sh_arena_free(&cut.arena);
}

static void nothing_comes_of_no_text(void **state)
{
    (void)state;
    const char *const empty[] = {"", " \n\t\n ", "\xc2\xa0\xe2\x80\x83"};
    for (size_t i = 0; i < SH_COUNT(empty); i++) {
        struct cut cut = cut_section("Title", "Heading", sh_bytes_of(empty[i]));
        assert_int_equal(cut.count, 0);
        sh_arena_free(&cut.arena);
    }
}

static void long_sections_are_cut_near_the_aim_with_overlap(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    write_sentences(&text, 200, 1000);
    struct cut cut = cut_section("T", "H", sh_buffer_bytes(&text));
    check_cover(&cut, sh_buffer_bytes(&text));
    assert_in_range(cut.count, 5, 16);
    for (size_t i = 0; i < cut.count; i++) {
        struct sh_bytes passage = cut.chunks[i].text;
        assert_in_range(cut.chunks[i].tokens, 300, 480);
        assert_memory_equal(passage.data, "Sentence", 8);
        assert_int_equal(end_of(passage)[-1], '.');
        if (i == 0)
            continue;
        /* the overlap is whole sentences, 10 to 30 percent of a passage */
        ptrdiff_t shared = end_of(cut.chunks[i - 1].text) - start_of(passage);
        assert_in_range(shared, passage.len / 20, passage.len * 3 / 10);
    }
    sh_arena_free(&cut.arena);
    sh_buffer_free(&text);
}

static void passages_end_with_paragraphs_where_they_can(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    int whole = 0;
    write_sentences(&text, 120, 8); /* a paragraph is about 110 tokens */
    struct cut cut = cut_section("T", "H", sh_buffer_bytes(&text));
    check_cover(&cut, sh_buffer_bytes(&text));
    for (size_t i = 0; i + 1 < cut.count; i++)
        whole += strncmp(end_of(cut.chunks[i].text), "\n\n", 2) == 0;
    assert_int_equal(whole, cut.count - 1);
    sh_arena_free(&cut.arena);
    sh_buffer_free(&text);
}

static void no_tiny_tail_is_left(void **state)
{
    (void)state;
    for (int sentences = 20; sentences < 90; sentences++) {
        struct sh_buffer text = {0};
        write_sentences(&text, sentences, 1000);
        struct cut cut = cut_section("T", "H", sh_buffer_bytes(&text));
        check_cover(&cut, sh_buffer_bytes(&text));
        if (cut.count > 1)
            assert_true(cut.chunks[cut.count - 1].tokens >= 80);
        sh_arena_free(&cut.arena);
        sh_buffer_free(&text);
    }
}

static void sections_never_share_a_passage(void **state)
{
    (void)state;
    const struct chunk_section sections[] = {
        {sh_bytes_of("One"), sh_bytes_of("First text."), 1},
        {sh_bytes_of("None"), sh_bytes_of(" "), 2},
        {sh_bytes_of("Two"), sh_bytes_of("Second text."), 3},
    };
    struct cut cut = {{0}, NULL, 0};
    assert_int_equal(chunk_document(sh_bytes_of("T"), sections, 3, NULL, &cut.arena,
                                    &cut.chunks, &cut.count),
                     SH_OK);
    assert_int_equal(cut.count, 2);
    assert_true(sh_bytes_is(cut.chunks[1].section_title, "Two"));
    assert_int_equal(cut.chunks[1].page_number, 3);
    assert_int_equal(cut.chunks[1].ordinal, 1);
    sh_arena_free(&cut.arena);
}

static void options_change_aim_and_overlap(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    write_sentences(&text, 100, 1000);
    struct chunk_section section = {sh_bytes_of("H"), sh_buffer_bytes(&text), 7};
    struct chunk_options options = {.tokens = 100, .overlap_percent = 0};
    struct cut cut = {{0}, NULL, 0};
    assert_int_equal(chunk_document(sh_bytes_of("T"), &section, 1, &options, &cut.arena,
                                    &cut.chunks, &cut.count),
                     SH_OK);
    check_cover(&cut, section.text);
    for (size_t i = 0; i < cut.count; i++) {
        assert_true(cut.chunks[i].tokens <= 120);
        if (i > 0)
            assert_true(start_of(cut.chunks[i].text) > end_of(cut.chunks[i - 1].text));
    }
    sh_arena_free(&cut.arena);
    sh_buffer_free(&text);
}

/* One word, one sentence, blanks, combining marks, ideographs, no UTF-8: 4 MiB each. */
static void hostile_texts_are_cut_in_bounded_pieces_and_time(void **state)
{
    (void)state;
    const char *const units[] = {
        "x",        "word ", "a, ", "\xe5\xad\x97", "e\xcc\x81",
        "\xcc\x81", "\xff",  ".",   "a\n",          "\xf0\x9f\x91\xa9\xe2\x80\x8d"};
    uint64_t start = cpu_ms();
    for (size_t i = 0; i < SH_COUNT(units); i++) {
        struct sh_buffer text = {0};
        size_t len = strlen(units[i]);
        while (text.len < 4 << 20)
            sh_buffer_append(&text, units[i], len);
        assert_int_equal(text.err, SH_OK);
        struct cut cut = cut_section("T", "H", sh_buffer_bytes(&text));
        check_cover(&cut, sh_buffer_bytes(&text));
        assert_true(cut.count > 100);
        for (size_t c = 0; c < cut.count; c++) {
            assert_true(cut.chunks[c].text.len < 32 << 10);
            if (is_utf8(sh_bytes_of(units[i])))
                assert_true(is_utf8(cut.chunks[c].text));
        }
        sh_arena_free(&cut.arena);
        sh_buffer_free(&text);
    }
    assert_true(cpu_ms() - start < 60000);
}

static void a_gap_of_blanks_is_no_part_of_a_passage(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    sh_buffer_text(&text, "Before.");
    memset(sh_buffer_reserve(&text, 1 << 20), ' ', 1 << 20);
    text.len += 1 << 20;
    sh_buffer_text(&text, "After.");
    struct cut cut = cut_section("T", "H", sh_buffer_bytes(&text));
    check_cover(&cut, sh_buffer_bytes(&text));
    for (size_t i = 0; i < cut.count; i++)
        assert_true(cut.chunks[i].text.len < 32 << 10);
    sh_arena_free(&cut.arena);
    sh_buffer_free(&text);
}

static void graphemes_stay_whole(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    for (int i = 0; i < 5000; i++)
        sh_buffer_text(&text, "e\xcc\x81"); /* e and a combining acute */
    struct cut cut = cut_section("T", "H", sh_buffer_bytes(&text));
    assert_true(cut.count > 1);
    for (size_t i = 0; i < cut.count; i++)
        assert_int_equal(*start_of(cut.chunks[i].text), 'e');
    sh_arena_free(&cut.arena);
    sh_buffer_free(&text);
}

static void ideographs_count_one_each_and_end_at_full_stops(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    for (int i = 0; i < 100; i++)
        sh_buffer_text(&text, "東京都の養蜂家は冬に蜂を守る。");
    struct cut cut = cut_section("T", "H", sh_buffer_bytes(&text));
    check_cover(&cut, sh_buffer_bytes(&text));
    assert_in_range(cut.count, 4, 6);
    for (size_t i = 0; i < cut.count; i++)
        assert_memory_equal(end_of(cut.chunks[i].text) - 3, "。", 3);
    sh_arena_free(&cut.arena);
    sh_buffer_free(&text);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    struct sh_buffer text = {0};
    int failures = 0;
    write_sentences(&text, 300, 5);
    struct chunk_section section = {sh_bytes_of("H"), sh_buffer_bytes(&text), 7};
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct cut cut = {{0}, NULL, 0};
        sh_mem_fail_after(failures);
        err = chunk_document(sh_bytes_of("T"), &section, 1, NULL, &cut.arena, &cut.chunks,
                             &cut.count);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || (err == SH_NOMEM && cut.count == 0));
        sh_arena_free(&cut.arena);
    }
    assert_true(failures > 1);
    sh_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_section_is_one_passage_with_its_headings),
        cmocka_unit_test(nothing_comes_of_no_text),
        cmocka_unit_test(long_sections_are_cut_near_the_aim_with_overlap),
        cmocka_unit_test(passages_end_with_paragraphs_where_they_can),
        cmocka_unit_test(no_tiny_tail_is_left),
        cmocka_unit_test(sections_never_share_a_passage),
        cmocka_unit_test(options_change_aim_and_overlap),
        cmocka_unit_test(hostile_texts_are_cut_in_bounded_pieces_and_time),
        cmocka_unit_test(a_gap_of_blanks_is_no_part_of_a_passage),
        cmocka_unit_test(graphemes_stay_whole),
        cmocka_unit_test(ideographs_count_one_each_and_end_at_full_stops),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
