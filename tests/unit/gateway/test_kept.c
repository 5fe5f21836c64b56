/* Keys: what differs in anything that an answer depends on never is the same one.
 * Answers: what is not whole is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/gateway/cache/kept.h"
#include "services/gateway/identity.h"

static const struct search_query plain = {.query = {"walrus", 6},
                                          .filters = {"{\"campus\":\"C\"}", 14},
                                          .max_results = 10,
                                          .vector_weight = -1};

static struct kept_key key_of(struct sh_buffer *buffer, uint64_t generation,
                              const struct caller *caller,
                              const struct search_query *query)
{
    struct kept_key key;

    assert_int_equal(kept_key_make(generation, caller, query, buffer, &key), SH_OK);
    return key;
}

static bool same(uint64_t generation, const struct caller *a, const struct caller *b,
                 const struct search_query *query)
{
    struct sh_buffer one = {0}, two = {0};
    struct kept_key first = key_of(&one, generation, a, query);
    struct kept_key second = key_of(&two, generation, b, query);
    bool equal = kept_key_equal(&first, second.bytes);

    assert_true(equal == (memcmp(first.hash, second.hash, sizeof first.hash) == 0));
    sh_buffer_free(&one);
    sh_buffer_free(&two);
    return equal;
}

/* A value of its own for each member, by the description that the wire goes by: one that
 * is added later is covered, too. */
static void set_member(void *msg, const struct msg_field *field)
{
    char *at = (char *)msg + field->offset;
    const uint32_t u32 = 1;
    const uint64_t u64 = 77;
    const double f64 = 0.125;
    const bool flag = true;
    const struct sh_bytes text = {"{}", 2};
    static const struct sh_bytes texts[] = {{"a", 1}};
    const struct sh_bytes **list = (void *)at;
    const size_t one = 1;

    switch (field->type) {
    case MSG_u32:
        memcpy(at, &u32, sizeof u32);
        break;
    case MSG_u64:
        memcpy(at, &u64, sizeof u64);
        break;
    case MSG_f64:
        memcpy(at, &f64, sizeof f64);
        break;
    case MSG_flag:
        memcpy(at, &flag, sizeof flag);
        break;
    case MSG_str:
    case MSG_json:
    case MSG_bytes:
        memcpy(at, &text, sizeof text);
        break;
    case MSG_strs:
        *list = texts;
        memcpy((char *)msg + field->count_offset, &one, sizeof one);
        break;
    case MSG_list:
    default:
        fail_msg("teach this test about the type of %s", field->name);
    }
}

static void callers_share_only_what_their_rights_share(void **state)
{
    static const char *const personal[] = {"request_id", "user_id", "username"};
    const struct msg_desc *desc = caller_desc();

    (void)state;
    for (size_t i = 0; i < desc->count; i++) {
        const struct msg_field *field = &desc->fields[i];
        struct caller other = {0};
        const struct caller nobody = {0};
        bool expected = false;
        set_member(&other, field);
        for (size_t p = 0; p < SH_COUNT(personal); p++)
            expected = expected || strcmp(field->name, personal[p]) == 0;
        if (same(1, &nobody, &other, &plain) != expected)
            fail_msg("%s %s", field->name, expected ? "tells apart" : "is shared");
    }
}

/* Texts that could run into each other do not. */
static void rights_do_not_run_into_each_other(void **state)
{
    const struct caller a = {.department = {"ab", 2}, .campus = {"c", 1}};
    const struct caller b = {.department = {"a", 1}, .campus = {"bc", 2}};
    const struct caller c = {.role = {"ab", 2}, .department = {"c", 1}};

    (void)state;
    assert_false(same(1, &a, &b, &plain));
    assert_false(same(1, &a, &c, &plain));
    assert_true(same(1, &a, &a, &plain));
}

static void every_role_department_and_campus_has_its_own(void **state)
{
    static const char *const roles[] = {"anonymous", "student", "staff", "academic",
                                        "admin"};
    static const char *const texts[] = {"", "IT", "HR", "it"};
    struct caller callers[5 * 4 * 4];
    size_t count = 0;
    struct roles *table = NULL;

    (void)state;
    assert_int_equal(roles_create(&table), SH_OK);
    for (size_t r = 0; r < SH_COUNT(roles); r++)
        for (size_t d = 0; d < SH_COUNT(texts); d++)
            for (size_t c = 0; c < SH_COUNT(texts); c++) {
                const struct identity_user user = {.user_id = sh_bytes_of("u"),
                                                   .role = sh_bytes_of(roles[r]),
                                                   .department = sh_bytes_of(texts[d]),
                                                   .campus = sh_bytes_of(texts[c])};
                const struct role *role;
                assert_int_equal(
                    identity_of_user(roles_now(table), &user, &callers[count++], &role),
                    SH_OK);
            }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            assert_true(same(1, &callers[i], &callers[j], &plain) == (i == j));
    roles_free(&table);
}

static void every_part_of_the_question_counts(void **state)
{
    const struct msg_desc *desc = search_query_desc();
    const struct caller nobody = {0};
    struct sh_buffer one = {0}, two = {0};
    const struct search_query empty = {.query = sh_bytes_of("x")};

    (void)state;
    for (size_t i = 0; i < desc->count; i++) {
        struct search_query other = empty;
        set_member(&other, &desc->fields[i]);
        struct kept_key a = key_of(&one, 1, &nobody, &empty);
        struct kept_key b = key_of(&two, 1, &nobody, &other);
        if (kept_key_equal(&a, b.bytes))
            fail_msg("%s does not count", desc->fields[i].name);
    }
    sh_buffer_free(&one);
    sh_buffer_free(&two);
}

static void another_state_is_another_key(void **state)
{
    const struct caller nobody = {0};
    struct sh_buffer one = {0}, two = {0};

    (void)state;
    struct kept_key a = key_of(&one, 1, &nobody, &plain);
    struct kept_key b = key_of(&two, 2, &nobody, &plain);
    assert_false(kept_key_equal(&a, b.bytes));
    kept_key_restate(one.data, 2, &a);
    assert_true(kept_key_equal(&a, b.bytes));
    assert_memory_equal(a.hash, b.hash, sizeof a.hash);

    struct sh_arena arena = {0};
    struct search_query query;
    assert_int_equal(msg_decode(search_query_desc(), a.question, &arena, &query), SH_OK);
    assert_true(sh_bytes_is(query.query, "walrus"));
    sh_arena_free(&arena);
    sh_buffer_free(&one);
    sh_buffer_free(&two);
}

static void what_cannot_be_encoded_has_no_key(void **state)
{
    static char longer[16385];
    const struct caller nobody = {0};
    struct search_query query = plain;
    struct sh_buffer buffer = {0};
    struct kept_key key;

    (void)state;
    memset(longer, 'x', sizeof longer);
    query.query = (struct sh_bytes){longer, sizeof longer};
    assert_int_not_equal(kept_key_make(1, &nobody, &query, &buffer, &key), SH_OK);
    query.query = (struct sh_bytes){"\xff", 1};
    assert_int_not_equal(kept_key_make(1, &nobody, &query, &buffer, &key), SH_OK);
    sh_buffer_free(&buffer);
}

/* --- answers ---------------------------------------------------------------------- */

static void make(struct sh_buffer *out, const char *head, const char *tail)
{
    const struct sh_bytes key = {"the key", 7};

    kept_begin(out, key);
    sh_buffer_text(out, head);
    size_t middle = kept_middle(out);
    sh_buffer_text(out, tail);
    kept_end(out, middle, key.len, 3, 4711);
    assert_int_equal(out->err, SH_OK);
}

static void an_answer_comes_back_in_its_parts(void **state)
{
    struct sh_buffer bytes = {0};

    (void)state;
    make(&bytes, "{\"results\":[]", ",\"mode\":\"text\"}");
    assert_true(kept_check(sh_buffer_bytes(&bytes)));
    struct kept kept = kept_parts(sh_buffer_bytes(&bytes));
    assert_true(sh_bytes_is(kept.key, "the key"));
    assert_true(sh_bytes_is(kept.head, "{\"results\":[]"));
    assert_true(sh_bytes_is(kept.tail, ",\"mode\":\"text\"}"));
    assert_int_equal(kept.results, 3);
    assert_int_equal(kept.expires_ms, 4711);
    sh_buffer_free(&bytes);
}

static void what_is_not_whole_is_refused(void **state)
{
    struct sh_buffer bytes = {0};

    (void)state;
    make(&bytes, "{\"results\":[]", ",\"mode\":\"text\"}");
    for (size_t len = 0; len < bytes.len; len++) {
        char *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, bytes.data, len);
        assert_false(kept_check((struct sh_bytes){exact, len}));
        free(exact);
    }
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
        assert_false(kept_check(sh_buffer_bytes(&bytes)));
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(kept_check(sh_buffer_bytes(&bytes)));
    sh_buffer_free(&bytes);
}

/* Whoever can write to Redis can also sum up. */
static void what_is_no_answer_is_refused(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"{\"results\":[]", "]"},
        {"{\"results\":[]}{", ",\"mode\":1}"},
        {"{\"results\":7", ",\"mode\":1}"},
        {"{\"results\":[\"\x01\"]", ",\"mode\":1}"},
        {"{\"results\":[\"\xff\"]", ",\"mode\":1}"},
        {"[1", ",2]"},
        {"{\"a\":\"\\", "\"}"},
    };
    struct sh_buffer bytes = {0};

    (void)state;
    for (size_t i = 0; i < SH_COUNT(pairs); i++) {
        make(&bytes, pairs[i][0], pairs[i][1]);
        if (kept_check(sh_buffer_bytes(&bytes)))
            fail_msg("%s…%s", pairs[i][0], pairs[i][1]);
    }
    sh_buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_share_only_what_their_rights_share),
        cmocka_unit_test(rights_do_not_run_into_each_other),
        cmocka_unit_test(every_role_department_and_campus_has_its_own),
        cmocka_unit_test(every_part_of_the_question_counts),
        cmocka_unit_test(another_state_is_another_key),
        cmocka_unit_test(what_cannot_be_encoded_has_no_key),
        cmocka_unit_test(an_answer_comes_back_in_its_parts),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
