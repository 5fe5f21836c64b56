#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/quality/signature.h"
#include "shared/buffer.h"

/* `count` words from `first` on, all different. */
static void words(struct sh_buffer *out, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        sh_buffer_printf(out, "word%u ", i * 7919u);
}

static double similarity(struct sh_bytes a, struct sh_bytes b)
{
    uint8_t left[SIGNATURE_BYTES];
    uint8_t right[SIGNATURE_BYTES];

    signature_of(a, left);
    signature_of(b, right);
    return signature_similarity(left, right);
}

static double similarity_of(const char *a, const char *b)
{
    return similarity(sh_bytes_of(a), sh_bytes_of(b));
}

static void case_marks_and_blanks_do_not_count(void **state)
{
    (void)state;
    assert_true(similarity_of("The quick brown fox jumps.",
                              "the  QUICK (brown)\nfox, jumps!") > 0.999);
    assert_true(similarity_of("Die Übung der Ärzte", "die übung der ärzte") > 0.999);
    assert_true(similarity_of("", "") > 0.999);
    assert_true(similarity_of("one", "ONE") > 0.999);
}

static void other_texts_have_little_in_common(void **state)
{
    struct sh_buffer a = {0};
    struct sh_buffer b = {0};

    (void)state;
    words(&a, 0, 200);
    words(&b, 1000, 200);
    assert_true(similarity(sh_buffer_bytes(&a), sh_buffer_bytes(&b)) < 0.1);
    assert_true(similarity_of("***", "---") < 0.5);
    assert_true(similarity_of("one two", "two one") < 0.5);
    sh_buffer_free(&a);
    sh_buffer_free(&b);
}

/* Of n runs of words in all, a share is common to both: within four deviations of it, and
 * nearer on average. */
static void it_estimates_the_common_share(void **state)
{
    enum { TRIALS = 60, WORDS = 300 };
    static const unsigned others[] = {6, 33, 100};

    (void)state;
    for (size_t i = 0; i < SH_COUNT(others); i++) {
        unsigned other = others[i];
        double share = (double)(WORDS - other) / (WORDS + other);
        double sum = 0;
        for (unsigned trial = 0; trial < TRIALS; trial++) {
            struct sh_buffer a = {0};
            struct sh_buffer b = {0};
            words(&a, trial * 1000, WORDS);
            words(&b, trial * 1000 + other, WORDS);
            double found = similarity(sh_buffer_bytes(&a), sh_buffer_bytes(&b));
            assert_true(found > share - 0.25 && found < share + 0.25);
            sum += found;
            sh_buffer_free(&a);
            sh_buffer_free(&b);
        }
        double mean = sum / TRIALS;
        if (mean < share - 0.04 || mean > share + 0.04)
            fail_msg("estimated %.3f instead of %.3f", mean, share);
    }
}

static void any_bytes_have_one(void **state)
{
    uint8_t bytes[700];
    uint8_t signature[SIGNATURE_BYTES];

    (void)state;
    for (size_t len = 0; len < sizeof(bytes); len += 13) {
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(i * 37 + len);
        signature_of((struct sh_bytes){bytes, len}, signature);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_marks_and_blanks_do_not_count),
        cmocka_unit_test(other_texts_have_little_in_common),
        cmocka_unit_test(it_estimates_the_common_share),
        cmocka_unit_test(any_bytes_have_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
