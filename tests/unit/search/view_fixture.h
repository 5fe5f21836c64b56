/* view_fixture: small documents and searches for the tests of the view. */
#ifndef TEST_VIEW_FIXTURE_H
#define TEST_VIEW_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/view/view.h"
#include "shared/clock.h"

enum { DIMENSION = 4 };
#define MODEL "model-1"

struct fixture {
    struct view *view;
    struct sh_arena arena;
    struct search_results results;
    struct view_problem problem;
    struct search_query query;
    struct caller caller;
    const struct boosts *boosts; /* NULL: the usual ones */
    struct view_query asked;
};

static inline void fixture_open(struct fixture *f)
{
    *f = (struct fixture){.query = {.max_results = 10, .vector_weight = -1},
                          .caller = {.clearance = 1}};
    struct view_options options = view_defaults();
    options.vectors.links = 4; /* quick under the sanitizers */
    options.vectors.ef_construction = 8;
    assert_int_equal(view_create(&options, &f->view), SH_OK);
    assert_int_equal(view_set_model(f->view, MODEL, DIMENSION, 0.3), SH_OK);
}

static inline void fixture_close(struct fixture *f)
{
    sh_arena_free(&f->arena);
    view_free(&f->view);
    assert_null(f->view);
}

static inline struct view_document document_of(const char *id, const char *title)
{
    return (struct view_document){.id = sh_bytes_of(id),
                                  .title = sh_bytes_of(title),
                                  .clearance_level = 1,
                                  .metadata = sh_bytes_of("{}")};
}

/* A document of one passage "<id>/0"; vector may be NULL. */
static inline void put_text(struct fixture *f, struct view_document document,
                            const char *text, const float *vector)
{
    char chunk_id[64];
    (void)snprintf(chunk_id, sizeof(chunk_id), "%.*s/0", (int)document.id.len,
                   (const char *)document.id.data);
    struct view_chunk chunk = {.chunk_id = sh_bytes_of(chunk_id),
                               .section_title = sh_bytes_of("Section"),
                               .text = sh_bytes_of(text),
                               .page_number = 3,
                               .vector = vector};
    document.chunks = &chunk;
    document.chunk_count = 1;
    assert_int_equal(view_put(f->view, &document), SH_OK);
}

/* The fields of f->query but the text stand; vector NULL: the mode wants none. */
static inline enum sh_err search_for(struct fixture *f, const char *text,
                                     const float *vector)
{
    sh_arena_free(&f->arena);
    f->query.query = sh_bytes_of(text);
    f->asked = (struct view_query){.query = &f->query,
                                   .caller = &f->caller,
                                   .vector = vector,
                                   .dimension = DIMENSION,
                                   .fingerprint = sh_bytes_of(MODEL),
                                   .boosts = f->boosts,
                                   .deadline_ms = sh_now_ms() + 10000};
    return view_search(f->view, &f->asked, &f->arena, &f->results, &f->problem);
}

static inline bool hit_is(const struct fixture *f, size_t index, const char *chunk_id)
{
    return index < f->results.hits_count &&
           sh_bytes_is(f->results.hits[index].chunk_id, chunk_id);
}

#endif
