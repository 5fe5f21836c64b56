/* The promises of sections.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/sections.h"

enum { SECTIONS = 3 };

struct foot {
    struct sh_sections_mark mark;
    char note[8];
    struct sh_section sections[SECTIONS];
    uint64_t sum;
};

static const size_t units[SECTIONS] = {1, 4, 8};
static const struct sh_sections_kind kind = {.magic = "SomeFile",
                                             .version = 3,
                                             .foot = sizeof(struct foot),
                                             .sections = offsetof(struct foot, sections),
                                             .count = SECTIONS,
                                             .units = units};
static const char *const texts[SECTIONS] = {"seven b", "12345678", ""};

static char *written(size_t *len)
{
    struct foot foot = {.note = "a note"};
    struct sh_sections out;
    char *bytes = NULL;
    FILE *file = open_memstream(&bytes, len);

    assert_non_null(file);
    assert_int_equal(sh_sections_open(file, &out), SH_OK);
    for (size_t i = 0; i < SECTIONS; i++) {
        sh_section_begin(&out, &foot.sections[i]);
        sh_section_put(&out, texts[i], strlen(texts[i]));
        sh_section_end(&out, &foot.sections[i]);
    }
    assert_int_equal(sh_sections_close(&out, &kind, &foot), SH_OK);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static bool reads_as(const struct sh_sections_kind *as, struct sh_bytes bytes)
{
    struct foot foot;
    struct sh_bytes found[SECTIONS];

    return sh_sections_foot(as, bytes, &foot) &&
           sh_sections_read(as, bytes, &foot, found);
}

static void what_was_written_is_read(void **state)
{
    struct foot foot;
    struct sh_bytes found[SECTIONS];
    size_t len = 0;
    char *bytes = written(&len);

    (void)state;
    assert_true(sh_sections_foot(&kind, (struct sh_bytes){bytes, len}, &foot));
    assert_string_equal(foot.note, "a note");
    assert_true(sh_sections_read(&kind, (struct sh_bytes){bytes, len}, &foot, found));
    for (size_t i = 0; i < SECTIONS; i++) {
        assert_true(sh_bytes_equal(found[i], sh_bytes_of(texts[i])));
        assert_int_equal(foot.sections[i].start % 8, 0);
    }
    free(bytes);
}

/* The bytes between two sections are nobody's. */
static bool is_padding(size_t at)
{
    return at == 7;
}

static void what_is_torn_or_changed_is_refused(void **state)
{
    size_t len = 0;
    char *bytes = written(&len);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        char *part = malloc(cut + 1); /* its own, so that reading beyond is seen */
        assert_non_null(part);
        memcpy(part, bytes, cut);
        assert_false(reads_as(&kind, (struct sh_bytes){part, cut}));
        free(part);
    }
    for (size_t at = 0; at < len; at++) {
        bytes[at] ^= 1;
        assert_int_equal(reads_as(&kind, (struct sh_bytes){bytes, len}), is_padding(at));
        bytes[at] ^= 1;
    }
    free(bytes);
}

static void what_is_of_another_kind_is_refused(void **state)
{
    static const size_t others[SECTIONS] = {1, 3, 8};
    struct sh_sections_kind other[] = {kind, kind, kind, kind};
    size_t len = 0;
    char *bytes = written(&len);

    (void)state;
    other[0].magic = "AFileToo";
    other[1].version++;
    other[2].units = others;
    other[3].most = 1;
    for (size_t i = 0; i < SH_COUNT(other); i++)
        assert_false(reads_as(&other[i], (struct sh_bytes){bytes, len}));
    other[3].most = 7;
    assert_true(reads_as(&other[3], (struct sh_bytes){bytes, len}));
    free(bytes);
}

/* With good sums, the places of sections are whatever somebody made of them. */
static void places_outside_are_refused(void **state)
{
    static const struct sh_section places[] = {
        {UINT64_MAX - 7, 16, 0}, {0, UINT64_MAX, 0}, {8, 4096, 0}, {4, 4, 0}};
    size_t len = 0;
    char *bytes = written(&len);
    struct foot foot;

    (void)state;
    for (size_t i = 0; i < SH_COUNT(places); i++) {
        assert_true(sh_sections_foot(&kind, (struct sh_bytes){bytes, len}, &foot));
        struct sh_section before = foot.sections[1];
        for (int good = 0; good < 2; good++) {
            foot.sections[1] = good ? before : places[i];
            sh_sections_seal(&kind, &foot);
            memcpy(bytes + len - sizeof(foot), &foot, sizeof(foot));
            assert_int_equal(reads_as(&kind, (struct sh_bytes){bytes, len}), good);
        }
    }
    free(bytes);
}

static void what_cannot_be_written_is_told(void **state)
{
    struct foot foot = {.note = ""};
    struct sh_sections out;
    FILE *full = fopen("/dev/full", "we");

    (void)state;
    assert_non_null(full);
    assert_int_equal(sh_sections_open(full, &out), SH_OK);
    assert_int_equal(sh_sections_close(&out, &kind, &foot), SH_IO);
    (void)fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_is_torn_or_changed_is_refused),
        cmocka_unit_test(what_is_of_another_kind_is_refused),
        cmocka_unit_test(places_outside_are_refused),
        cmocka_unit_test(what_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests_name("sections", tests, NULL, NULL);
}
