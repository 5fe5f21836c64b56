/* The promises of view_snapshot.h: what is loaded is what was saved. */
#include "tests/unit/search/kept_fixture.h"

static void a_loaded_view_answers_as_the_one_that_was_saved(void **state)
{
    (void)state;
    struct kept k;
    struct view *loaded = NULL;
    struct view_snapshot_about about;
    open_kept(&k);
    save(&k);
    assert_int_equal(view_snapshot_peek(k.snapshot, &about), SH_OK);
    assert_string_equal(about.note, "at 4711");
    assert_string_equal(about.fingerprint, MODEL);
    assert_int_equal(about.dimension, DIMENSION);
    struct view_stats stats;
    view_stats(k.view, &stats);
    assert_int_equal(about.documents, stats.documents);
    assert_int_equal(about.chunks, stats.chunks);
    assert_int_equal(load(&k, &loaded), SH_OK);
    assert_alike(k.view, loaded);
    view_free(&loaded);
    close_kept(&k);
}

/* The process died after further changes, whose rows are in the file already; the feed
 * brings them again. */
static void changes_after_the_snapshot_are_taken_again(void **state)
{
    (void)state;
    struct kept k;
    struct view *loaded = NULL;
    open_kept(&k);
    save(&k);
    change(k.view);
    assert_int_equal(load(&k, &loaded), SH_OK);
    for (unsigned n = 1; n < DOCUMENTS; n += 9)
        remove_number(loaded, n);
    for (unsigned n = 0; n < DOCUMENTS; n += 5)
        put_number(loaded, n, "changed honey");
    for (unsigned n = DOCUMENTS; n < DOCUMENTS + 40; n++)
        put_number(loaded, n, "new honey");
    view_free(&k.view);
    /* what a view says that has always been there */
    struct view_options options = view_defaults();
    assert_int_equal(view_create(&options, &k.view), SH_OK);
    assert_int_equal(view_set_model(k.view, MODEL, DIMENSION, 0.3), SH_OK);
    for (unsigned n = 0; n < DOCUMENTS; n++)
        put_number(k.view, n, "honey");
    for (unsigned n = 0; n < DOCUMENTS; n += 9)
        remove_number(k.view, n);
    change(k.view);
    assert_alike(k.view, loaded);
    view_free(&loaded);
    close_kept(&k);
}

static void a_loaded_view_lives_on_and_is_saved_again(void **state)
{
    (void)state;
    struct kept k;
    struct view *loaded = NULL;
    open_kept(&k);
    save(&k);
    change(k.view);
    view_free(&k.view);
    assert_int_equal(load(&k, &k.view), SH_OK);
    change(k.view);
    (void)snprintf(k.snapshot, ROOM, "%s/two", k.dir);
    assert_int_equal(mkdir(k.snapshot, 0700), 0);
    save(&k);
    /* the first one may go while the view is there that lies in it */
    char first[ROOM];
    (void)snprintf(first, ROOM, "%s/one", k.dir);
    assert_int_equal(nftw(first, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(load(&k, &loaded), SH_OK);
    assert_alike(k.view, loaded);
    view_free(&loaded);
    close_kept(&k);
}

static void an_empty_view_and_one_without_a_model_are_kept_too(void **state)
{
    (void)state;
    struct kept k;
    struct view *loaded = NULL;
    open_kept(&k);
    for (unsigned n = 0; n < DOCUMENTS; n++)
        if (n % 9)
            remove_number(k.view, n);
    save(&k);
    assert_int_equal(load(&k, &loaded), SH_OK);
    put_number(loaded, 3, "honey");
    view_free(&loaded);
    view_free(&k.view);
    assert_int_equal(nftw(k.snapshot, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(mkdir(k.snapshot, 0700), 0);
    assert_int_equal(view_create(NULL, &k.view), SH_OK);
    put_number(k.view, 3, "honey");
    save(&k);
    assert_int_equal(load(&k, &loaded), SH_CONFLICT);
    const struct view_model none = {"", 0, 0.5};
    assert_int_equal(view_create(NULL, &loaded), SH_OK);
    assert_int_equal(view_snapshot_load(loaded, &none, k.snapshot), SH_OK);
    struct view_stats stats;
    view_stats(loaded, &stats);
    assert_int_equal(stats.documents, 1);
    view_free(&loaded);
    close_kept(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_view_answers_as_the_one_that_was_saved),
        cmocka_unit_test(changes_after_the_snapshot_are_taken_again),
        cmocka_unit_test(a_loaded_view_lives_on_and_is_saved_again),
        cmocka_unit_test(an_empty_view_and_one_without_a_model_are_kept_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
