#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/wordnet/synset.h"

static struct synset synset;

static bool read_line(const char *text)
{
    static char line[4096];

    assert_true(strlen(text) < sizeof line);
    memcpy(line, text, strlen(text) + 1);
    return synset_read(line, &synset);
}

static void a_line_is_words_pointers_and_a_meaning(void **state)
{
    (void)state;
    assert_true(
        read_line("00015388 03 n 02 animal 0 animate_being 0 003 @ 00004475 n 0000 "
                  "+ 00274944 a 0102 + 00274944 a 0202 | a living organism; "
                  "\"it | moves\"  \n"));
    assert_string_equal(synset.id, "n00015388");
    assert_string_equal(synset.part_of_speech, "noun");
    assert_string_equal(synset.domain, "noun.Tops");
    assert_int_equal(synset.word_count, 2);
    assert_string_equal(synset.words[1], "animate being");
    assert_int_equal(synset.pointer_count, 2); /* the second of its kind is the same */
    assert_string_equal(synset.pointers[0].type, "HYPERNYM");
    assert_string_equal(synset.pointers[1].to, "a00274944");
    assert_string_equal(synset.definition, "a living organism; \"it | moves\"");
}

static void satellites_are_adjectives(void **state)
{
    (void)state;
    assert_true(
        read_line("00003356 00 s 01 emergent(p) 0 001 & 00003131 s 0000 | coming\n"));
    assert_string_equal(synset.id, "a00003356");
    assert_string_equal(synset.part_of_speech, "adjective");
    assert_string_equal(synset.words[0], "emergent");
    assert_string_equal(synset.pointers[0].to, "a00003131");
}

static void what_is_no_synset_is_passed_over(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "  1 This software and database | is being provided\n",
        "",
        " | ",
        "00015388 03 n 01 animal 0 000 no meaning",
        "00015388 99 n 01 animal 0 000 | no domain",
        "00015388 03 x 01 animal 0 000 | no part of speech",
        "0001 03 n 01 animal 0 000 | no place",
        "00015388 03 n 02 animal 0 000 | no second word",
        "00015388 03 n fff animal 0 000 | too many words",
        "00015388 03 n 00 000 | no word",
        "00015388 03 n 01 animal 0 001 @ 00004475 n | no end of a pointer",
        "00015388 03 n 01 animal 0 001 ? 00004475 n 0000 | no pointer",
        "00015388 03 n 01 animal 0 9999 | too many pointers",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (read_line(lines[i]))
            fail_msg("taken: %s", lines[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_words_pointers_and_a_meaning),
        cmocka_unit_test(satellites_are_adjectives),
        cmocka_unit_test(what_is_no_synset_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
