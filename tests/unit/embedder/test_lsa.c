#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "services/embedder/lsa/lsa.h"
#include "services/embedder/lsa/lsa_fit.h"
#include "services/embedder/lsa/lsa_format.h"
#include "services/embedder/model/pack_format.h"
#include "shared/mem.h"

/* Two subjects; "wing" and "airfoil" never stand together, but beside the same words. */
static const char *const texts[] = {
    "The wing gives lift in the flow of air at speed",
    "Lift and drag of a wing in supersonic flow",
    "The airfoil gives lift in the flow of air at speed",
    "Lift and drag of an airfoil in supersonic flow",
    "Drag grows with the speed of the flow",
    "Bread is baked from flour, water and yeast",
    "The baker kneads flour and water into dough",
    "Dough of flour and yeast rises before it is baked",
    "A loaf of bread needs yeast and time",
    "Yeast and water make the dough rise",
};

static char path[] = "/tmp/test_lsa.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    return close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static enum sh_err fit(const struct lsa_fit_options *options, struct sh_buffer *file)
{
    struct lsa_fit *fit = NULL;
    enum sh_err err = lsa_fit_create(options, &fit);
    for (size_t i = 0; err == SH_OK && i < SH_COUNT(texts); i++)
        err = lsa_fit_add(fit, sh_bytes_of(texts[i]));
    if (err == SH_OK)
        err = lsa_fit_finish(fit, NULL, file);
    lsa_fit_free(&fit);
    return err;
}

static struct sh_buffer fitted(void)
{
    struct sh_buffer file = {0};
    assert_int_equal(fit(&(struct lsa_fit_options){.rank = 4, .threads = 2}, &file),
                     SH_OK);
    return file;
}

static struct lsa *open_fitted(void)
{
    struct sh_buffer file = fitted();
    struct lsa *model = NULL;
    const char *why = "";
    assert_int_equal(pack_store(path, sh_buffer_bytes(&file)), SH_OK);
    sh_buffer_free(&file);
    if (lsa_open(path, &model, &why) != SH_OK)
        fail_msg("%s", why);
    return model;
}

static double similarity(const struct lsa *model, const char *a, const char *b)
{
    float x[LSA_RANK_MAX], y[LSA_RANK_MAX];
    struct lsa_area *area = NULL;
    size_t words = 0;
    double dot = 0;
    assert_int_equal(lsa_area_create(&area), SH_OK);
    assert_int_equal(lsa_embed(model, area, sh_bytes_of(a), false, x, &words), SH_OK);
    assert_int_equal(lsa_embed(model, area, sh_bytes_of(b), false, y, &words), SH_OK);
    lsa_area_free(&area);
    for (size_t i = 0; i < lsa_dimension(model); i++)
        dot += (double)x[i] * (double)y[i];
    return dot;
}

static void words_of_the_same_company_are_near(void **state)
{
    struct lsa *model = open_fitted();
    (void)state;
    assert_int_equal(lsa_dimension(model), 4);
    assert_int_equal(lsa_texts(model), SH_COUNT(texts));
    assert_true(similarity(model, "wing", "airfoil") > 0.8);
    assert_true(similarity(model, "Wings!", "AIRFOILS") > 0.8); /* folded, stemmed */
    assert_true(fabs(similarity(model, "wing", "yeast")) < 0.3);
    assert_float_equal(similarity(model, "bread", "bread"), 1, 1e-5);
    assert_float_equal(similarity(model, "bread quux", "bread the"), 1, 1e-5);
    lsa_close(&model);
}

static void vocabulary_is_words_of_some_texts(void **state)
{
    float vector[4];
    size_t words = 9;
    struct lsa *model = open_fitted();
    struct lsa_area *area = NULL;
    (void)state;
    assert_int_equal(lsa_area_create(&area), SH_OK);
    /* a word of one text only, a stop word, an unknown one, a letter, nothing */
    const char *const none[] = {"kneads", "the", "zeppelin", "a", "…", ""};
    for (size_t i = 0; i < SH_COUNT(none); i++) {
        memset(vector, 1, sizeof(vector));
        assert_int_equal(
            lsa_embed(model, area, sh_bytes_of(none[i]), false, vector, &words),
            SH_INVALID);
        assert_int_equal(words, 0);
        for (size_t j = 0; j < 4; j++)
            assert_true(fpclassify(vector[j]) == FP_ZERO);
    }
    assert_int_equal(
        lsa_embed(model, area, sh_bytes_of("flour\xff"), false, vector, &words),
        SH_MALFORMED);
    lsa_area_free(&area);
    lsa_close(&model);
}

static void long_texts_are_cut_or_refused(void **state)
{
    static char text[LSA_TEXT_MAX + 100];
    float vector[4];
    size_t words = 0;
    struct lsa *model = open_fitted();
    struct lsa_area *area = NULL;
    (void)state;
    assert_int_equal(lsa_area_create(&area), SH_OK);
    for (size_t i = 0; i + 1 < sizeof(text); i++)
        text[i] = "flour "[i % 6];
    assert_int_equal(lsa_embed(model, area, sh_bytes_of(text), true, vector, &words),
                     SH_TOOBIG);
    assert_int_equal(lsa_embed(model, area, sh_bytes_of(text), false, vector, &words),
                     SH_OK);
    assert_in_range(words, LSA_TEXT_MAX / 6 - 1, LSA_TEXT_MAX / 6 + 1);
    lsa_area_free(&area);
    lsa_close(&model);
}

static void the_same_texts_make_the_same_file(void **state)
{
    struct sh_buffer one = fitted();
    struct sh_buffer other = {0};
    (void)state;
    assert_int_equal(fit(&(struct lsa_fit_options){.rank = 4, .threads = 1}, &other),
                     SH_OK);
    assert_int_equal(one.len, other.len);
    assert_memory_equal(one.data, other.data, one.len);
    sh_buffer_free(&one);
    sh_buffer_free(&other);
}

static void little_text_is_refused(void **state)
{
    struct lsa_fit *fit = NULL;
    struct sh_buffer file = {0};
    (void)state;
    assert_int_equal(
        lsa_fit_create(&(struct lsa_fit_options){.rank = LSA_RANK_MAX + 1}, &fit),
        SH_INVALID);
    assert_null(fit);
    for (int texts_added = 0; texts_added < 2; texts_added++) {
        assert_int_equal(lsa_fit_create(&(struct lsa_fit_options){0}, &fit), SH_OK);
        if (texts_added > 0)
            assert_int_equal(lsa_fit_add(fit, sh_bytes_of("all alone")), SH_OK);
        assert_int_equal(lsa_fit_finish(fit, NULL, &file), SH_INVALID);
        assert_int_equal(file.len, 0);
        lsa_fit_free(&fit);
    }
}

static void what_is_not_utf8_is_left_out(void **state)
{
    struct lsa_fit *fit = NULL;
    (void)state;
    assert_int_equal(lsa_fit_create(&(struct lsa_fit_options){0}, &fit), SH_OK);
    assert_int_equal(lsa_fit_add(fit, sh_bytes_of("good words")), SH_OK);
    assert_int_equal(lsa_fit_add(fit, sh_bytes_of("good \xc3(")), SH_MALFORMED);
    assert_int_equal(lsa_fit_add(fit, sh_bytes_of("more words")), SH_OK);
    assert_int_equal(lsa_fit_texts(fit), 2);
    lsa_fit_free(&fit);
}

static void memory_is_bounded(void **state)
{
    struct lsa_fit *fit = NULL;
    enum sh_err err = SH_OK;
    size_t added = 0;
    (void)state;
    struct lsa_fit_options options = {.bytes_max = 1 << 20};
    assert_int_equal(lsa_fit_create(&options, &fit), SH_OK);
    for (; err == SH_OK && added < 100000; added++)
        err = lsa_fit_add(fit, sh_bytes_of(texts[added % SH_COUNT(texts)]));
    assert_int_equal(err, SH_TOOBIG);
    assert_true(added > 100);
    lsa_fit_free(&fit);
}

static void stops_when_told(void **state)
{
    struct lsa_fit *fit = NULL;
    struct sh_buffer file = {0};
    struct lsa_fit_watch watch = {.stop = true};
    (void)state;
    assert_int_equal(lsa_fit_create(&(struct lsa_fit_options){.rank = 4}, &fit), SH_OK);
    for (size_t i = 0; i < SH_COUNT(texts); i++)
        assert_int_equal(lsa_fit_add(fit, sh_bytes_of(texts[i])), SH_OK);
    assert_int_equal(lsa_fit_finish(fit, &watch, &file), SH_CANCELED);
    lsa_fit_free(&fit);
    sh_buffer_free(&file);
}

/* --- the file --------------------------------------------------------------------- */

static enum sh_err open_bytes(const char *data, size_t len)
{
    struct lsa *model = NULL;
    const char *why = "";
    assert_int_equal(pack_store(path, (struct sh_bytes){data, len}), SH_OK);
    enum sh_err err = lsa_open(path, &model, &why);
    assert_true((err == SH_OK) == (model != NULL));
    if (err != SH_OK)
        assert_non_null(why);
    lsa_close(&model);
    return err;
}

static void torn_files_are_refused(void **state)
{
    struct sh_buffer file = fitted();
    (void)state;
    assert_int_equal(open_bytes(file.data, file.len), SH_OK);
    for (size_t len = 0; len < file.len; len += 1 + len / 16)
        assert_int_equal(open_bytes(file.data, len), SH_MALFORMED);
    sh_buffer_free(&file);
}

static void flipped_bits_are_refused(void **state)
{
    struct sh_buffer file = fitted();
    (void)state;
    for (size_t i = sizeof(struct pack_header); i < file.len; i += 37) {
        file.data[i] ^= 4;
        assert_int_equal(open_bytes(file.data, file.len), SH_MALFORMED);
        file.data[i] ^= 4;
    }
    sh_buffer_free(&file);
}

/* The tensors of a good file, one of them put in wrong, and a checksum that is right. */
static enum sh_err open_with(const char *name, size_t at, const void *bytes, size_t len)
{
    struct sh_buffer file = fitted();
    struct pack_header header;
    struct pack_entry *entries = (void *)(file.data + sizeof(header));
    memcpy(&header, file.data, sizeof(header));
    for (size_t i = 0; i < header.tensors; i++)
        if (strcmp(entries[i].name, name) == 0)
            memcpy(file.data + entries[i].offset + at, bytes, len);
    assert_int_equal(EVP_Digest(file.data + sizeof(header), file.len - sizeof(header),
                                header.digest, NULL, EVP_sha256(), NULL),
                     1);
    memcpy(file.data, &header, sizeof(header));
    enum sh_err err = open_bytes(file.data, file.len);
    sh_buffer_free(&file);
    return err;
}

static void impossible_contents_are_refused(void **state)
{
    const uint32_t many = UINT32_MAX, none = 0, version = 77;
    const float infinite = INFINITY;
    (void)state;
    assert_int_equal(open_with(LSA_ABOUT, 0, "", 0), SH_OK);
    assert_int_equal(open_with(LSA_ABOUT, offsetof(struct lsa_about, version), &version,
                               sizeof(version)),
                     SH_MALFORMED);
    assert_int_equal(
        open_with(LSA_ABOUT, offsetof(struct lsa_about, terms), &many, sizeof(many)),
        SH_MALFORMED);
    assert_int_equal(
        open_with(LSA_ABOUT, offsetof(struct lsa_about, dimension), &none, sizeof(none)),
        SH_MALFORMED);
    assert_int_equal(open_with(LSA_OFFSETS, 4, &many, sizeof(many)), SH_MALFORMED);
    assert_int_equal(open_with(LSA_OFFSETS, 4, &none, sizeof(none)), SH_MALFORMED);
    assert_int_equal(open_with(LSA_TEXT, 0, "zz", 2), SH_MALFORMED); /* not ascending */
    assert_int_equal(open_with(LSA_IDF, 0, &infinite, sizeof(infinite)), SH_MALFORMED);
}

static void figures_that_are_none_make_no_vector(void **state)
{
    struct lsa *model = open_fitted();
    struct lsa_area *area = NULL;
    float vector[4];
    size_t words = 0;
    (void)state;
    float *v = sh_alloc(lsa_terms(model) * 4 * sizeof(float));
    for (size_t i = 0; i < lsa_terms(model) * 4; i++)
        v[i] = NAN;
    lsa_close(&model);
    struct sh_buffer file = fitted();
    struct pack_header *header = (void *)file.data;
    struct pack_entry *entries = (void *)(file.data + sizeof(*header));
    for (size_t i = 0; i < header->tensors; i++)
        if (strcmp(entries[i].name, LSA_V) == 0)
            memcpy(file.data + entries[i].offset, v, entries[i].bytes);
    assert_int_equal(EVP_Digest(file.data + sizeof(*header), file.len - sizeof(*header),
                                header->digest, NULL, EVP_sha256(), NULL),
                     1);
    assert_int_equal(pack_store(path, sh_buffer_bytes(&file)), SH_OK);
    assert_int_equal(lsa_open(path, &model, NULL), SH_OK);
    assert_int_equal(lsa_area_create(&area), SH_OK);
    assert_int_equal(lsa_embed(model, area, sh_bytes_of("flour"), false, vector, &words),
                     SH_INTERNAL);
    for (size_t j = 0; j < 4; j++)
        assert_true(fpclassify(vector[j]) == FP_ZERO);
    lsa_area_free(&area);
    lsa_close(&model);
    sh_buffer_free(&file);
    sh_free(v);
}

static void another_pack_is_refused(void **state)
{
    const uint8_t source[PACK_DIGEST_BYTES] = {0};
    const struct pack_tensor tensors[] = {{"weights", PACK_RAW, 1, 4, "abcd"}};
    struct sh_buffer file = {0};
    (void)state;
    assert_int_equal(pack_make(source, tensors, 1, &file), SH_OK);
    assert_int_equal(open_bytes(file.data, file.len), SH_MALFORMED);
    sh_buffer_free(&file);
}

static void survives_every_allocation_failure(void **state)
{
    int failures = 0;
    (void)state;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct sh_buffer file = {0};
        sh_mem_fail_after(failures);
        err = fit(&(struct lsa_fit_options){.rank = 4}, &file);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sh_buffer_free(&file);
    }
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_same_company_are_near),
        cmocka_unit_test(vocabulary_is_words_of_some_texts),
        cmocka_unit_test(long_texts_are_cut_or_refused),
        cmocka_unit_test(the_same_texts_make_the_same_file),
        cmocka_unit_test(little_text_is_refused),
        cmocka_unit_test(what_is_not_utf8_is_left_out),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(torn_files_are_refused),
        cmocka_unit_test(flipped_bits_are_refused),
        cmocka_unit_test(impossible_contents_are_refused),
        cmocka_unit_test(figures_that_are_none_make_no_vector),
        cmocka_unit_test(another_pack_is_refused),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
