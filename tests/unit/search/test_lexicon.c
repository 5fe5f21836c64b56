/* The dictionary's answers beside those of looking at every term. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/text/lexicon.h"
#include "shared/mem.h"

enum { TERMS = 4000, LATE = 300, WORDS = 400, LONGEST = 14 };

/* Few letters, so that many terms are near: some of more than one byte, some that share
 * their place in a set of letters. */
static const char *const letters[] = {"a", "b", "c", "d", "e", "{", "ä", "中", "0"};

static uint32_t random_state = 7;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525U + 1013904223U;
    return (random_state >> 8) % below;
}

static void make_word(char *out, uint32_t points)
{
    *out = '\0';
    for (uint32_t i = 0; i < points; i++)
        out = stpcpy(out, letters[draw(SH_COUNT(letters))]);
}

static uint32_t points_of(const char *text, int32_t *points)
{
    uint32_t count = 0;
    for (; *text; count++) {
        points[count] = (unsigned char)*text++;
        while (((unsigned char)*text & 0xc0) == 0x80)
            points[count] = points[count] << 8 | (unsigned char)*text++;
    }
    return count;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: edits, and neighbours exchanged. */
static uint32_t distance(const char *left, const char *right)
{
    int32_t a[64];
    int32_t b[64];
    uint32_t d[64][64];
    uint32_t n = points_of(left, a);
    uint32_t m = points_of(right, b);
    for (uint32_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (uint32_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (uint32_t i = 1; i <= n; i++)
        for (uint32_t j = 1; j <= m; j++) {
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

static struct terms terms;
static struct lexicon lexicon;

static int make(void **state)
{
    char word[LONGEST * 4];
    (void)state;
    for (uint32_t i = 0; i < TERMS; i++) {
        make_word(word, 1 + draw(LONGEST - 1));
        struct term *term =
            terms_add(&terms, sh_bytes_of(word), terms_hash(sh_bytes_of(word)));
        assert_non_null(term);
        term->passages = i % 50 ? 1 + draw(9) : 0; /* some are gone */
        if (i == TERMS - LATE)
            assert_int_equal(lexicon_make(&terms, &(struct lexicon){0}, &lexicon), SH_OK);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    lexicon_free(&lexicon);
    terms_free(&terms);
    return 0;
}

/* How many terms are at the least distance, which *best becomes. */
static uint32_t count_near(const char *word, uint32_t most, uint32_t *best)
{
    uint32_t count = 0;
    *best = most + 1;
    for (uint32_t i = 0; i < terms.count; i++) {
        char text[256];
        struct sh_bytes bytes = terms_text(&terms, &terms.items[i]);
        (void)snprintf(text, sizeof text, "%.*s", (int)bytes.len,
                       (const char *)bytes.data);
        uint32_t away = distance(word, text);
        if (terms.items[i].passages == 0 || away > most || away > *best)
            continue;
        count = away < *best ? 1 : count + 1;
        *best = away;
    }
    return count;
}

static void nothing_near_is_overlooked(void **state)
{
    char word[LONGEST * 4];
    size_t found = 0;
    (void)state;
    assert_true(terms.count > lexicon.count);
    for (int i = 0; i < WORDS; i++) {
        struct lexicon_hits hits = {.takes = NULL};
        uint32_t best = 0;
        uint32_t most = 1 + (uint32_t)i % 2;
        make_word(word, 2 + draw(LONGEST - 2));
        uint32_t count = count_near(word, most, &best);
        lexicon_near(&lexicon, &terms, sh_bytes_of(word), most, &hits);
        assert_int_equal(hits.count, least(count, LEXICON_HITS));
        for (uint32_t h = 0; h < hits.count; h++)
            assert_int_equal(hits.items[h].distance, best);
        found += count;
    }
    assert_true(found > WORDS);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    for (int after = 0; after < 3; after++) {
        struct lexicon out;
        sh_mem_fail_after(after);
        enum sh_err err = lexicon_make(&terms, &lexicon, &out);
        sh_mem_fail_after(-1);
        assert_int_equal(err, SH_NOMEM);
        assert_null(out.order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_near_is_overlooked),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make, end);
}
