#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/embedder/card.h"
#include "services/embedder/provider/ollama_reply.h"
#include "shared/bytes.h"
#include "shared/mem.h"

static void times_are_read_with_their_zone(void **state)
{
    (void)state;
    assert_true(card_time("1970-01-01T00:00:10Z") == 10);
    assert_true(card_time("2024-08-15T10:30:00.5Z") == 1723717800.5);
    assert_true(card_time("2024-08-15T12:30:00.123456789+02:00") > 1723717800.12);
    assert_true(card_time("2024-08-15T03:30:00-07:00") == 1723717800);
}

static void what_is_no_time_is_0(void **state)
{
    static const char *const wrong[] = {"",
                                        "now",
                                        "2024-08-15",
                                        "2024-08-15T10:30:00",
                                        "2024-08-15T10:30:00+2",
                                        "1Z",
                                        "2024-08-15T10:30:00Z ",
                                        "2024-08-15T10:30:00.Z1",
                                        "2024-08-15T10:30:00+0x:00",
                                        "2024-08-15T10:30:00+02-00"};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(wrong); i++)
        if (card_time(wrong[i]) != 0)
            fail_msg("%s", wrong[i]);
}

static const char tags[] =
    "{\"models\":[{\"name\":\"other:latest\"},{\"name\":\"nomic:latest\","
    "\"modified_at\":\"2024-08-15T12:30:00+02:00\",\"size\":7,\"digest\":\"d1\","
    "\"details\":{\"format\":\"gguf\",\"family\":\"nomic-bert\","
    "\"parameter_size\":\"137M\",\"quantization_level\":\"F16\"}}]}";

static void a_listed_model_tells_about_itself(void **state)
{
    struct card card = {0};
    (void)state;
    assert_int_equal(ollama_tags(sh_bytes_of(tags), "nomic", &card), OLLAMA_PRESENT);
    assert_string_equal(card.digest, "d1");
    assert_string_equal(card.format, "gguf");
    assert_string_equal(card.family, "nomic-bert");
    assert_string_equal(card.parameter_size, "137M");
    assert_string_equal(card.quantization, "F16");
    assert_true(card.modified_at == 1723717800);
}

static void what_it_does_not_tell_stays_empty(void **state)
{
    struct card card = {.format = "old", .modified_at = 5};
    (void)state;
    assert_int_equal(
        ollama_tags(
            sh_bytes_of("{\"models\":[{\"name\":\"m\",\"details\":{\"family\":"
                        "\"a family name that is far longer than any that is known "
                        "of so far\",\"format\":7}}]}"),
            "m", &card),
        OLLAMA_PRESENT);
    assert_string_equal(card.family, "");
    assert_string_equal(card.format, "");
    assert_true(card.modified_at == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_with_their_zone),
        cmocka_unit_test(what_is_no_time_is_0),
        cmocka_unit_test(a_listed_model_tells_about_itself),
        cmocka_unit_test(what_it_does_not_tell_stays_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
