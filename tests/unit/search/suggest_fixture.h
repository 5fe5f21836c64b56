/* suggest_fixture: a view with a few documents, for the tests of suggestions. */
#ifndef TEST_SUGGEST_FIXTURE_H
#define TEST_SUGGEST_FIXTURE_H

#include "tests/unit/search/view_fixture.h"

#include "services/search/view/view_suggest.h"

struct asking {
    struct fixture f;
    struct view_suggested out;
};

static inline void put_as(struct asking *a, const char *id, const char *title,
                          const char *text, uint32_t clearance, const char *language)
{
    struct view_document document = document_of(id, title);
    char metadata[64];
    (void)snprintf(metadata, sizeof(metadata), "{\"language\":\"%s\"}", language);
    document.metadata = sh_bytes_of(metadata);
    document.clearance_level = clearance;
    put_text(&a->f, document, text, NULL);
}

static inline void put(struct asking *a, const char *id, const char *title,
                       const char *text)
{
    put_as(a, id, title, text, 1, "en");
}

static inline void open_asking(struct asking *a)
{
    *a = (struct asking){.out = {.title_count = 0}};
    fixture_open(&a->f);
    put(a, "annual", "Annual report of the library", "The Library lends journals.");
    put(a, "other", "A report, annual as it is", "Libraries lend; a library reports.");
    put(a, "policy", "Privacy policy", "Our policies on privacy. Policies matter.");
    put(a, "cafe", "Café Größe und Überlänge", "naïve");
    put_as(a, "secret", "Annual retreat", "Zeppelin policyholder librarian", 2, "en");
}

static inline void close_asking(struct asking *a)
{
    fixture_close(&a->f);
}

static inline void ask_for(struct asking *a, const char *typed, size_t limit)
{
    struct view_suggest asked = {.query = sh_bytes_of(typed),
                                 .caller = &a->f.caller,
                                 .limit = limit,
                                 .deadline_ms = sh_now_ms() + 10000};
    sh_arena_free(&a->f.arena);
    assert_int_equal(view_suggest(a->f.view, &asked, &a->f.arena, &a->out), SH_OK);
}

static inline void ask(struct asking *a, const char *typed)
{
    ask_for(a, typed, 5);
}

static inline bool has_title(const struct asking *a, const char *id)
{
    for (size_t i = 0; i < a->out.title_count; i++) {
        if (sh_bytes_is(a->out.titles[i].id, id))
            return true;
    }
    return false;
}

static inline bool has_word(const struct asking *a, const char *text)
{
    for (size_t i = 0; i < a->out.word_count; i++) {
        if (sh_bytes_is(a->out.words[i].text, text))
            return true;
    }
    return false;
}

static inline bool is_empty(const struct asking *a)
{
    return a->out.title_count == 0 && a->out.word_count == 0;
}

#endif
