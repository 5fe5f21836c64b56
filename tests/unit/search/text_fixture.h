/* text_fixture: a text index of a few passages, for the tests of its parts. */
#ifndef TEST_TEXT_FIXTURE_H
#define TEST_TEXT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/text/text_index.h"
#include "shared/clock.h"

enum { SLOTS = 256 };

struct fixture {
    struct text_index *index;
    struct analyzer *analyzer;
    struct sh_arena arena;
    struct bitmap allowed;
    struct leg leg;
};

static inline void open_with(struct fixture *f, struct text_options options)
{
    *f = (struct fixture){.allowed = {NULL, SLOTS}};
    assert_int_equal(text_index_create(&options, &f->index), SH_OK);
    assert_int_equal(analyzer_create("english", &f->analyzer), SH_OK);
    f->allowed.words = sh_alloc_array(bitmap_words(SLOTS), sizeof(uint64_t));
    assert_non_null(f->allowed.words);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        bitmap_add(&f->allowed, slot);
}

static inline void open_fixture(struct fixture *f)
{
    open_with(f, (struct text_options){1.2, 0.75, {2, 1, 1}});
}

static inline void close_fixture(struct fixture *f)
{
    text_index_free(&f->index);
    assert_null(f->index);
    analyzer_free(&f->analyzer);
    sh_arena_free(&f->arena);
    sh_free(f->allowed.words);
}

static inline struct entry entry_of(struct fixture *f, const char *title,
                                    const char *body)
{
    const struct sh_bytes fields[TEXT_FIELDS] = {
        sh_bytes_of(title), {0}, sh_bytes_of(body)};
    struct entry entry;
    assert_int_equal(entry_make(f->analyzer, fields, &f->arena, &entry), SH_OK);
    return entry;
}

static inline void add(struct fixture *f, uint32_t slot, const char *title,
                       const char *body)
{
    struct entry entry = entry_of(f, title, body);
    assert_int_equal(text_index_add(f->index, slot, &entry), SH_OK);
}

static inline void drop(struct fixture *f, uint32_t slot, const char *title,
                        const char *body)
{
    struct entry entry = entry_of(f, title, body);
    text_index_remove(f->index, slot, &entry);
}

static inline struct text_query query_of(struct fixture *f, const char *text)
{
    struct text_query query;
    assert_int_equal(
        text_query_make(&f->analyzer, 1, sh_bytes_of(text), &f->arena, &query), SH_OK);
    return query;
}

static inline void tend(struct fixture *f)
{
    struct text_upkeep *upkeep = NULL;
    assert_int_equal(text_upkeep_make(f->index, &upkeep), SH_OK);
    if (upkeep)
        text_upkeep_apply(upkeep, f->index);
    text_upkeep_free(&upkeep);
}

static inline void find(struct fixture *f, const char *text)
{
    struct text_query query = query_of(f, text);
    assert_int_equal(text_index_search(f->index, &query, &f->allowed, SH_NO_DEADLINE,
                                       &f->arena, &f->leg),
                     SH_OK);
    for (size_t i = 1; i < f->leg.count; i++)
        assert_true(f->leg.hits[i - 1].slot < f->leg.hits[i].slot);
}

static inline float score_of(const struct fixture *f, uint32_t slot)
{
    for (size_t i = 0; i < f->leg.count; i++) {
        if (f->leg.hits[i].slot == slot)
            return f->leg.hits[i].score;
    }
    return 0;
}

#endif
