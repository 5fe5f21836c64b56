#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/msg.h"
#include "tests/unit/proto/values.h"

struct fixture {
    struct sh_buffer wire;
    struct sh_buffer again;
    struct sh_arena values;
    struct sh_arena decoded;
    union {
        struct search_results results; /* and room for any other message */
        char room[1024];
    } out;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sh_buffer_free(&f->wire);
    sh_buffer_free(&f->again);
    sh_arena_free(&f->values);
    sh_arena_free(&f->decoded);
    return 0;
}

static void encode(struct fixture *f, const struct msg_desc *desc)
{
    sh_buffer_clear(&f->wire);
    assert_true(desc->size <= sizeof(f->out));
    void *msg = values_new(desc, &f->values);
    assert_int_equal(msg_encode(desc, msg, &f->wire), SH_OK);
}

static enum sh_err decode(struct fixture *f, const struct msg_desc *desc,
                          const void *data, size_t len)
{
    sh_arena_free(&f->decoded);
    return msg_decode(desc, (struct sh_bytes){data, len}, &f->decoded, &f->out);
}

/* Decoded and encoded again, every message gives the same bytes. */
static void every_message_comes_back(void **state)
{
    struct fixture *f = *state;
    for (const struct msg_desc *const *desc = msg_all(); *desc; desc++) {
        encode(f, *desc);
        sh_buffer_clear(&f->again);
        assert_int_equal(decode(f, *desc, f->wire.data, f->wire.len), SH_OK);
        assert_int_equal(msg_encode(*desc, &f->out, &f->again), SH_OK);
        assert_int_equal(f->again.len, f->wire.len);
        assert_memory_equal(f->again.data, f->wire.data, f->wire.len);
    }
}

static void values_are_the_ones_sent(void **state)
{
    struct fixture *f = *state;
    struct search_hit hits[2] = {{.chunk_id = sh_bytes_of("a"), .similarity = 0.5},
                                 {.chunk_id = sh_bytes_of("bé"), .page_number = 7}};
    struct sh_bytes degraded[] = {sh_bytes_of("embedding")};
    struct search_results in = {.hits = hits,
                                .hits_count = 2,
                                .total = UINT64_MAX,
                                .mode = 2,
                                .degraded = degraded,
                                .degraded_count = 1};
    assert_int_equal(msg_encode(search_results_desc(), &in, &f->wire), SH_OK);
    assert_int_equal(decode(f, search_results_desc(), f->wire.data, f->wire.len), SH_OK);
    const struct search_results *out = &f->out.results;
    assert_int_equal(out->hits_count, 2);
    assert_true(out->hits[0].similarity == 0.5);
    assert_true(sh_bytes_is(out->hits[1].chunk_id, "bé"));
    assert_int_equal(out->hits[1].page_number, 7);
    assert_true(out->total == UINT64_MAX);
    assert_int_equal(out->mode, 2);
    assert_true(out->degraded_count == 1 && sh_bytes_is(out->degraded[0], "embedding"));
    assert_in_range((uintptr_t)out->hits[1].chunk_id.data, (uintptr_t)f->wire.data,
                    (uintptr_t)f->wire.data + f->wire.len); /* borrowed, not copied */
}

/* Cut anywhere, a frame is refused and never read past its end (ASan watches). */
static void every_truncation_is_malformed(void **state)
{
    struct fixture *f = *state;
    for (const struct msg_desc *const *desc = msg_all(); *desc; desc++) {
        encode(f, *desc);
        for (size_t len = 0; len < f->wire.len; len++) {
            char *exact = malloc(len + 1);
            memcpy(exact, f->wire.data, len);
            assert_int_equal(decode(f, *desc, exact, len), SH_MALFORMED);
            free(exact);
        }
    }
}

static void a_byte_too_many_is_malformed(void **state)
{
    struct fixture *f = *state;
    for (const struct msg_desc *const *desc = msg_all(); *desc; desc++) {
        encode(f, *desc);
        sh_buffer_append(&f->wire, "", 1);
        assert_int_equal(decode(f, *desc, f->wire.data, f->wire.len), SH_MALFORMED);
    }
}

static void every_failing_allocation_is_reported(void **state)
{
    struct fixture *f = *state;
    for (const struct msg_desc *const *desc = msg_all(); *desc; desc++) {
        encode(f, *desc);
        enum sh_err err = SH_NOMEM;
        for (int n = 0; err != SH_OK; n++) {
            sh_arena_free(&f->decoded);
            sh_mem_fail_after(n);
            err = msg_decode(*desc, sh_buffer_bytes(&f->wire), &f->decoded, &f->out);
            sh_mem_fail_after(-1);
            assert_true(err == SH_OK || err == SH_NOMEM);
        }
        void *msg = values_new(*desc, &f->values);
        int failures = 0;
        for (err = SH_NOMEM; err != SH_OK; failures++) {
            struct sh_buffer out = {0};
            sh_mem_fail_after(failures);
            err = msg_encode(*desc, msg, &out);
            sh_mem_fail_after(-1);
            assert_true(err == SH_OK || (err == SH_NOMEM && out.len == 0));
            sh_buffer_free(&out);
        }
        assert_true(failures > 1);
    }
}

/* Over its max a field is refused, by the sender with nothing written. */
static void limits_hold_on_both_sides(void **state)
{
    struct fixture *f = *state;
    struct document_list in = {.per_page = 1001};
    assert_int_equal(msg_encode(document_list_desc(), &in, &f->wire), SH_TOOBIG);
    assert_int_equal(f->wire.len, 0);
    assert_int_equal(f->wire.err, SH_OK);

    const char per_page[] = "\x94\x19\x01\xcd\x03\xe9\xa0"; /* [25, 1, 1001, ""] */
    assert_int_equal(decode(f, document_list_desc(), per_page, 7), SH_TOOBIG);
    const char wide[] = "\x92\x19\xcf\0\0\0\1\0\0\0\0"; /* page = 2^32 */
    assert_int_equal(decode(f, document_list_desc(), wide, 11), SH_TOOBIG);

    char text[3 + 2 + 257] = "\x92\x18\xda\x01\x01"; /* document_ref, id of 257 bytes */
    memset(text + 5, 'x', 257);
    assert_int_equal(decode(f, document_ref_desc(), text, sizeof(text)), SH_TOOBIG);
    text[4] = 0;
    assert_int_equal(decode(f, document_ref_desc(), text, sizeof(text) - 1), SH_OK);
}

static void lists_over_their_max_allocate_nothing(void **state)
{
    struct fixture *f = *state;
    sh_buffer_append(&f->wire, "\x92\x16\x92", 3); /* document_put with two documents */
    sh_buffer_append(&f->wire, "\x91\x15\x91\x15", 4);
    sh_mem_fail_after(0);
    enum sh_err err = decode(f, document_put_desc(), f->wire.data, f->wire.len);
    sh_mem_fail_after(-1);
    assert_int_equal(err, SH_TOOBIG);
}

static void more_elements_than_a_receiver_takes_are_not_sent(void **state)
{
    struct fixture *f = *state;
    size_t count = 65536; /* four elements each with their array */
    struct section *sections = sh_arena_array(&f->values, count, sizeof(*sections));
    struct document in = {.sections = sections, .sections_count = count};
    assert_int_equal(msg_encode(document_desc(), &in, &f->wire), SH_TOOBIG);
    assert_int_equal(f->wire.len, 0);
}

static void the_largest_part_of_the_graph_can_be_sent(void **state)
{
    struct fixture *f = *state;
    size_t nodes = 5000;
    size_t edges = 20000;
    const struct sh_bytes label = sh_bytes_of("Label");
    struct graph_node *node = sh_arena_array(&f->values, nodes, sizeof(*node));
    struct graph_edge *edge = sh_arena_array(&f->values, edges, sizeof(*edge));
    for (size_t i = 0; i < nodes; i++)
        node[i] = (struct graph_node){.labels = &label, .labels_count = 1};
    for (size_t i = 0; i < edges; i++)
        edge[i] = (struct graph_edge){.number = i};
    struct graph_subgraph in = {
        .nodes = node, .nodes_count = nodes, .edges = edge, .edges_count = edges};
    assert_int_equal(msg_encode(graph_subgraph_desc(), &in, &f->wire), SH_OK);
    assert_int_equal(decode(f, graph_subgraph_desc(), f->wire.data, f->wire.len), SH_OK);
}

static void text_is_utf8_both_ways(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"\xff",         "\xc3",     "abcdefgh\x80",
                                      "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"};
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        struct document_ref in = {.id = sh_bytes_of(bad[i])};
        assert_int_equal(msg_encode(document_ref_desc(), &in, &f->wire), SH_MALFORMED);
        assert_int_equal(f->wire.len, 0);
        char frame[16] = "\x92\x18";
        frame[2] = (char)(0xa0 + strlen(bad[i]));
        memcpy(frame + 3, bad[i], strlen(bad[i]));
        assert_int_equal(decode(f, document_ref_desc(), frame, 3 + strlen(bad[i])),
                         SH_MALFORMED);
    }
}

static void numbers_that_are_none_are_malformed(void **state)
{
    struct fixture *f = *state;
    struct embed_reply in = {.alpha = (double)NAN};
    assert_int_equal(msg_encode(embed_reply_desc(), &in, &f->wire), SH_MALFORMED);
    /* model_card's alpha is its eighth field */
    const char infinite[] =
        "\x99\x0d\xa0\xa0\x00\x00\xc2\xa0\xa0\xcb\x7f\xf0\0\0\0\0\0\0";
    assert_int_equal(decode(f, model_card_desc(), infinite, 18), SH_MALFORMED);
    const char single[] = "\x99\x0d\xa0\xa0\x00\x00\xc2\xa0\xa0\xca\x3f\x00\0\0";
    assert_int_equal(decode(f, model_card_desc(), single, 14), SH_OK);
}

/* A later release appends fields of any shape; an earlier one leaves some out. */
static void neighbouring_releases_understand_each_other(void **state)
{
    struct fixture *f = *state;
    const char later[] = "\x97\x18\xa1x\xc3\x93\x01\x81\xa1k\x90\xc0\xcb\0\0\0\0\0\0\0\0"
                         "\xc4\x02\xff\xff\xd0\x80";
    assert_int_equal(decode(f, document_ref_desc(), later, sizeof(later) - 1), SH_OK);
    const struct document_ref *ref = (const void *)&f->out;
    assert_true(sh_bytes_is(ref->id, "x") && ref->no_wait);

    const char earlier[] = "\x92\x19\x05";
    assert_int_equal(decode(f, document_list_desc(), earlier, 3), SH_OK);
    const struct document_list *list = (const void *)&f->out;
    assert_true(list->page == 5 && list->per_page == 0 && list->collection.len == 0);
}

static void other_messages_and_types_are_malformed(void **state)
{
    struct fixture *f = *state;
    static const struct sh_bytes bad[] = {
        {"\x92\x19\xa1x", 4},     /* another id */
        {"\x90", 1},              /* no id */
        {"\xa1x", 2},             /* not an array */
        {"\x92\x18\x05", 3},      /* a number for a text */
        {"\x92\x18\xc4\x01x", 5}, /* bytes for a text */
        {"\x92\xff\xa1x", 4},     /* a negative id */
        {"\x92\x18\xd4\x01x", 5}, /* an extension type */
        {"\x92\x18\xc1", 3},      /* a byte that msgpack does not use */
        {NULL, 0},
    };
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_int_equal(decode(f, document_ref_desc(), bad[i].data, bad[i].len),
                         SH_MALFORMED);
}

/* Five bytes that ask for four billion elements; depth; the sum over all arrays. */
static void bombs_are_refused_before_anything_is_allocated(void **state)
{
    struct fixture *f = *state;
    sh_mem_fail_after(0);
    assert_int_equal(decode(f, empty_desc(), "\xdd\xff\xff\xff\xff", 5), SH_MALFORMED);
    assert_int_equal(decode(f, empty_desc(), "\xdf\xff\xff\xff\xff", 5), SH_MALFORMED);
    assert_int_equal(decode(f, empty_desc(), "\xdb\xff\xff\xff\xff", 5), SH_MALFORMED);
    sh_mem_fail_after(-1);

    char deep[20];
    memset(deep, 0x91, sizeof(deep));
    deep[19] = 0;
    assert_int_equal(decode(f, empty_desc(), deep, sizeof(deep)), SH_MALFORMED);
    const char allowed[] = "\x93\x04\x00\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
                           "\x91\x91\x91\x01"; /* sixteen deep */
    assert_int_equal(decode(f, empty_desc(), allowed, sizeof(allowed) - 1), SH_OK);

    size_t len = 3 + 9 * (3 + 30000);
    char *wide = calloc(1, len);
    static const uint8_t outer[] = {0x9b, 0x04, 0x00};
    static const uint8_t list[] = {0xdc, 0x75, 0x30};
    memcpy(wide, outer, sizeof(outer));
    for (size_t i = 0; i < 9; i++)
        memcpy(wide + 3 + i * 30003, list, sizeof(list));
    assert_int_equal(decode(f, empty_desc(), wide, len), SH_TOOBIG);
    free(wide);
}

static void ids_and_names_are_unique(void **state)
{
    (void)state;
    for (const struct msg_desc *const *a = msg_all(); *a; a++) {
        for (const struct msg_desc *const *b = a + 1; *b; b++) {
            assert_int_not_equal((*a)->id, (*b)->id);
            assert_string_not_equal((*a)->name, (*b)->name);
        }
    }
    assert_string_equal(method_name(METHOD_SEARCH_QUERY), "search.query");
    assert_string_equal(method_name(0), "unknown");
}

static void no_two_messages_have_the_same_id(void **state)
{
    (void)state;
    for (const struct msg_desc *const *one = msg_all(); *one; one++)
        for (const struct msg_desc *const *other = one + 1; *other; other++)
            if ((*one)->id == (*other)->id)
                fail_msg("%s and %s are both %u", (*one)->name, (*other)->name,
                         (unsigned)(*one)->id);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_messages_have_the_same_id),
        T(every_message_comes_back),
        T(values_are_the_ones_sent),
        T(every_truncation_is_malformed),
        T(a_byte_too_many_is_malformed),
        T(every_failing_allocation_is_reported),
        T(limits_hold_on_both_sides),
        T(lists_over_their_max_allocate_nothing),
        T(more_elements_than_a_receiver_takes_are_not_sent),
        T(the_largest_part_of_the_graph_can_be_sent),
        T(text_is_utf8_both_ways),
        T(numbers_that_are_none_are_malformed),
        T(neighbouring_releases_understand_each_other),
        T(other_messages_and_types_are_malformed),
        T(bombs_are_refused_before_anything_is_allocated),
        T(ids_and_names_are_unique),
    };
    return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
