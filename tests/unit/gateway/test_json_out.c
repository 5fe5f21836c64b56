#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>

#include "services/gateway/json_out.h"

static const char *text_of(struct sh_buffer *out)
{
    sh_buffer_append(out, "", 1);
    assert_int_equal(out->err, SH_OK);
    return out->data;
}

static void texts_come_back_the_same(void **state)
{
    char all[256];
    struct sh_buffer out = {0};
    (void)state;
    for (int i = 0; i < 0x80; i++)
        all[i] = (char)i;
    static const uint8_t wide[] = {0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80};
    memcpy(all + 0x80, wide, sizeof wide);
    struct sh_bytes bytes = {all, 0x80 + sizeof wide};
    json_text(&out, bytes);
    json_t *json = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    assert_int_equal(json_string_length(json), bytes.len);
    assert_memory_equal(json_string_value(json), all, bytes.len);
    json_decref(json);
    sh_buffer_free(&out);
}

static void members_are_separated(void **state)
{
    struct sh_buffer out = {0};
    (void)state;
    sh_buffer_text(&out, "{");
    json_member_text(&out, "a", sh_bytes_of("x{"));
    json_member(&out, "b");
    json_u64(&out, UINT64_MAX);
    json_member(&out, "c");
    json_bool(&out, false);
    json_member(&out, "d");
    json_number(&out, (double)INFINITY, 6);
    json_member(&out, "e");
    json_raw(&out, (struct sh_bytes){0}, "{}");
    json_member(&out, "f");
    json_time(&out, 0);
    sh_buffer_text(&out, "}");
    assert_string_equal(text_of(&out),
                        "{\"a\":\"x{\",\"b\":18446744073709551615,\"c\":false,\"d\":null,"
                        "\"e\":{},\"f\":null}");
    sh_buffer_free(&out);
}

static void check_float(float value)
{
    struct sh_buffer out = {0};
    json_float(&out, value);
    const char *text = text_of(&out);
    float back = strtof(text, NULL);
    assert_memory_equal(&back, &value, sizeof value);
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_true(json_is_number(json));
    json_decref(json);
    sh_buffer_free(&out);
}

static void floats_come_back_the_same(void **state)
{
    static const float edges[] = {0.0f,
                                  -0.0f,
                                  1.0f,
                                  -1.0f,
                                  0.5f,
                                  0.1f,
                                  0.01f,
                                  0.001f,
                                  1e-4f,
                                  1e-5f,
                                  2e-5f,
                                  1e-6f,
                                  1e-38f,
                                  3e38f,
                                  0.9999999403953552f,
                                  -0.09999999403953552f,
                                  123.25f};
    uint32_t seed = 12345;
    (void)state;
    for (size_t i = 0; i < SH_COUNT(edges); i++)
        check_float(edges[i]);
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t bits = seed;
        float value;
        if ((bits >> 23 & 0xff) == 0xff) /* infinite or no number */
            continue;
        if (i % 2 == 0) /* most of them in the range of vectors */
            bits = (bits & 0x807fffffu) | (110u + (bits >> 8) % 17) << 23;
        memcpy(&value, &bits, sizeof value);
        check_float(value);
    }
}

static void check_number(double value, int digits)
{
    struct sh_buffer out = {0};
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%.*g", digits, value);
    json_number(&out, value, digits);
    assert_string_equal(text_of(&out), expected);
    sh_buffer_free(&out);
}

static void numbers_are_what_printf_makes_of_them(void **state)
{
    /* between two decimals, just below a power of ten, with exponents */
    static const double edges[] = {0,         -0.0,      0.9765625, 0.00048828125, 0.5,
                                   0.9999995, 9.999999,  1e-4,      9.9999996e-5,  1e5,
                                   99999.96,  999999.96, 12345678,  1e300,         1e-300,
                                   0.1,       100,       -2.5,      1.0000005};
    uint64_t seed = 4711;
    (void)state;
    for (size_t i = 0; i < SH_COUNT(edges); i++)
        for (int digits = 1; digits <= 12; digits++)
            check_number(edges[i], digits);
    for (int i = 0; i < 200000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double unit = (double)(seed >> 11) / (double)(UINT64_C(1) << 53);
        check_number((unit - 0.5) * pow(10, (double)(seed % 13) - 6), 6);
        check_number(floor(unit * 4096) / 2048, 6); /* many lie between two decimals */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back_the_same),
        cmocka_unit_test(members_are_separated),
        cmocka_unit_test(floats_come_back_the_same),
        cmocka_unit_test(numbers_are_what_printf_makes_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
