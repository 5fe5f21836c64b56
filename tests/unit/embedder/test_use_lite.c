#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/embedder/model/use_lite.h"
#include "shared/buffer.h"

/* Against the reference vectors of the package's own TensorFlow.js code. Needs the model
 * (scripts/fetch-model.sh); CAIRN_NO_MODEL=1 says that it cannot be had here. */
static const char *pack_path(void)
{
    static char path[4096];
    const char *dir = getenv("MODEL_DIR");
    (void)snprintf(path, sizeof(path), "%s/use-lite.pack",
                   dir && *dir ? dir : "var/models/use-lite");
    return path;
}

static json_t *references;

static int load_references(void **state)
{
    (void)state;
    references = json_load_file("tests/data/use-lite-vectors.json", 0, NULL);
    return references ? 0 : -1;
}

static int free_references(void **state)
{
    (void)state;
    json_decref(references);
    return 0;
}

static struct use_lite *open_model(const struct kernel *kernel)
{
    const char *without = getenv("CAIRN_NO_MODEL");
    if (without && strcmp(without, "1") == 0)
        skip();
    struct use_lite *model = NULL;
    const char *why = "";
    enum sh_err err = use_lite_open(pack_path(), kernel, &model, &why);
    if (err != SH_OK)
        fail_msg("%s: %s; run scripts/fetch-model.sh, or set CAIRN_NO_MODEL=1",
                 pack_path(), why);
    return model;
}

static struct sh_bytes text_of(const json_t *reference)
{
    const json_t *text = json_object_get(reference, "text");
    return (struct sh_bytes){json_string_value(text), json_string_length(text)};
}

static void tokenises_as_the_reference(void **state)
{
    (void)state;
    struct use_lite *model = open_model(&kernel_generic);
    for (size_t i = 0; i < json_array_size(references); i++) {
        const json_t *reference = json_array_get(references, i);
        const json_t *ids = json_object_get(reference, "ids");
        struct pieces pieces;
        assert_int_equal(tokenizer_encode(use_lite_tokenizer(model), text_of(reference),
                                          USE_LITE_WINDOW, &pieces),
                         SH_OK);
        assert_int_equal(pieces.count, json_array_size(ids));
        for (size_t j = 0; j < pieces.count; j++)
            assert_int_equal(pieces.ids[j], json_integer_value(json_array_get(ids, j)));
        pieces_free(&pieces);
    }
    use_lite_close(&model);
}

static double cosine(const float *vector, const json_t *reference)
{
    double dot = 0;
    double squares = 0;
    for (size_t j = 0; j < USE_LITE_DIMENSION; j++) {
        double r = json_number_value(json_array_get(reference, j));
        dot += r * (double)vector[j];
        squares += r * r;
    }
    return dot / sqrt(squares);
}

/* The first window of each text: that is what the reference computes. */
static void check_kernel(const struct kernel *kernel)
{
    struct use_lite *model = open_model(kernel);
    struct use_lite_work *work = use_lite_work_create();
    assert_non_null(work);
    struct pieces pieces[64];
    struct use_lite_window windows[64];
    const json_t *vectors[64];
    static float out[64][USE_LITE_DIMENSION];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(references); i++) {
        const json_t *reference = json_array_get(references, i);
        vectors[count] = json_object_get(reference, "vector");
        if (!json_is_array(vectors[count]))
            continue; /* the empty text has none */
        assert_int_equal(tokenizer_encode(use_lite_tokenizer(model), text_of(reference),
                                          USE_LITE_WINDOW, &pieces[count]),
                         SH_OK);
        windows[count] = (struct use_lite_window){pieces[count].ids, pieces[count].count};
        count++;
    }
    assert_true(count >= 11);
    assert_int_equal(use_lite_windows(model, work, windows, count, NULL, out[0]), SH_OK);
    for (size_t i = 0; i < count; i++) {
        double c = cosine(out[i], vectors[i]);
        if (!(c >= 0.99999))
            fail_msg("%s, text %zu: cosine %.8f", kernel->name, i, c);
        pieces_free(&pieces[i]);
    }
    use_lite_work_free(work);
    use_lite_close(&model);
}

static void agrees_with_the_reference_by_every_kernel(void **state)
{
    (void)state;
    for (const struct kernel *const *k = kernel_all(); *k; k++) {
        if ((*k)->supported())
            check_kernel(*k);
    }
}

static struct use_lite_text embed(const struct use_lite *model, const char *text,
                                  size_t len, float *vector)
{
    struct use_lite_work *work = use_lite_work_create();
    assert_non_null(work);
    struct use_lite_text item = {.text = {text, len}};
    item.vector = vector;
    assert_int_equal(use_lite_texts(model, work, &item, 1, NULL), SH_OK);
    use_lite_work_free(work);
    return item;
}

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < USE_LITE_DIMENSION; j++)
        sum += (double)a[j] * (double)b[j];
    return sum;
}

/* The end of a long text counts as much as its beginning. */
static void long_texts_lose_nothing(void **state)
{
    (void)state;
    struct use_lite *model = open_model(kernel_find("auto"));
    enum { REPEAT = 60 };
    static const char a[] = "The boundary layer of a flat plate grows with distance. ";
    static const char b[] = "My grandmother bakes apple cake on Sundays. ";
    struct sh_buffer text = {0};
    for (size_t i = 0; i < REPEAT; i++)
        sh_buffer_text(&text, a);
    for (size_t i = 0; i < REPEAT; i++)
        sh_buffer_text(&text, b);
    assert_int_equal(text.err, SH_OK);
    float whole[USE_LITE_DIMENSION];
    float planes[USE_LITE_DIMENSION];
    float cakes[USE_LITE_DIMENSION];
    struct use_lite_text item = embed(model, text.data, text.len, whole);
    assert_int_equal(item.err, SH_OK);
    assert_true(item.tokens > (size_t)4 * USE_LITE_WINDOW);
    embed(model, a, strlen(a), planes);
    embed(model, b, strlen(b), cakes);
    assert_true(fabs(dot(whole, whole) - 1) < 1e-5);
    assert_true(dot(whole, planes) > dot(planes, cakes) + 0.1);
    assert_true(dot(whole, cakes) > dot(planes, cakes) + 0.1);
    sh_buffer_free(&text);
    use_lite_close(&model);
}

static void refuses_what_cannot_be_embedded(void **state)
{
    (void)state;
    struct use_lite *model = open_model(kernel_find("auto"));
    struct use_lite_work *work = use_lite_work_create();
    size_t len = 1 << 20;
    char *big = malloc(len);
    assert_non_null(big);
    memset(big, 'q', len);
    static float vectors[4][USE_LITE_DIMENSION];
    struct use_lite_text texts[] = {
        {.text = sh_bytes_of(""), .vector = vectors[0]},
        {.text = {"a\xff", 2}, .vector = vectors[1]},
        {.text = {big, len}, .vector = vectors[2], .refuse_long = true},
        {.text = {big, len}, .vector = vectors[3]},
    };
    assert_int_equal(use_lite_texts(model, work, texts, 4, NULL), SH_OK);
    assert_int_equal(texts[0].err, SH_INVALID);
    assert_int_equal(texts[1].err, SH_MALFORMED);
    assert_int_equal(texts[2].err, SH_TOOBIG);
    assert_int_equal(texts[3].err, SH_OK);
    assert_int_equal(texts[3].tokens, USE_LITE_PIECES_MAX);
    for (size_t i = 0; i < 3; i++)
        assert_true(dot(vectors[i], vectors[i]) == 0);
    assert_true(fabs(dot(vectors[3], vectors[3]) - 1) < 1e-5);
    free(big);
    use_lite_work_free(work);
    use_lite_close(&model);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void stops_between_stacks(void **state)
{
    (void)state;
    struct use_lite *model = open_model(kernel_find("auto"));
    struct use_lite_work *work = use_lite_work_create();
    float vector[USE_LITE_DIMENSION];
    struct use_lite_text text = {.text = sh_bytes_of("hello"), .vector = vector};
    struct use_lite_stop stop = {never, NULL};
    assert_int_equal(use_lite_texts(model, work, &text, 1, &stop), SH_CANCELED);
    use_lite_work_free(work);
    use_lite_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokenises_as_the_reference),
        cmocka_unit_test(agrees_with_the_reference_by_every_kernel),
        cmocka_unit_test(long_texts_lose_nothing),
        cmocka_unit_test(refuses_what_cannot_be_embedded),
        cmocka_unit_test(stops_between_stacks),
    };
    return cmocka_run_group_tests_name("use_lite", tests, load_references,
                                       free_references);
}
