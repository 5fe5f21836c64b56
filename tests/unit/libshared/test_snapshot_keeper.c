/* Starting from a snapshot: the promises of snapshot_keeper.h. */
#include "snapshot_keeper_fixture.h"

/* What comes of loading. */
static const char *load_one(struct fixture *f)
{
    int before = f->loads;

    free(f->loaded);
    f->loaded = NULL;
    assert_int_equal(sh_keeper_load(f->keeper), SH_OK);
    assert_int_equal(sh_keeper_load(f->keeper), SH_BUSY);
    pump_until(f, f->loads == before + 1);
    return sh_keeper_state(f->keeper).loaded;
}

static void spoil(const struct fixture *f, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/snapshot-1", f->dir);
    FILE *file = open_word(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void what_was_written_is_found_by_the_next(void **state)
{
    struct fixture *f = *state;

    start(f);
    assert_string_equal(load_one(f), "none");
    assert_null(f->loaded);
    save_one(f);
    assert_true(sh_keeper_state(f->keeper).saved_at > 0);
    end(f);
    start(f);
    assert_string_equal(load_one(f), "loaded");
    assert_non_null(f->loaded);
    assert_string_equal(f->loaded->word, "heron");
    assert_int_equal(f->note.position.xid, 50);
    assert_int_equal(f->note.position.seq, 7);
    assert_string_equal(f->note.sample, "a sample");
    assert_true(sh_keeper_state(f->keeper).load_s > 0);
    sh_keeper_save_first(f->keeper); /* it is what the snapshot shows */
    assert_false(sh_keeper_busy(f->keeper));
}

static void what_is_corrupt_is_set_aside(void **state)
{
    static const char *const texts[] = {"", "no note\nheron", "50 7 a-database"};
    struct fixture *f = *state;

    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        start(f);
        save_one(f);
        spoil(f, texts[i]);
        assert_string_equal(load_one(f), "corrupt");
        assert_null(f->loaded);
        assert_true(is_there(f, "corrupt-1"));
        assert_false(is_there(f, "snapshot-1"));
        assert_string_equal(load_one(f), "none");
        end(f);
    }
}

/* It goes: the record will never be what it was. */
static void assert_refused(struct fixture *f, const char *why)
{
    assert_string_equal(load_one(f), why);
    assert_null(f->loaded);
    assert_false(is_there(f, "snapshot-1"));
    assert_false(is_there(f, "corrupt-1"));
    end(f);
    start(f);
    save_one(f);
}

static void what_cannot_be_followed_is_dropped(void **state)
{
    struct fixture *f = *state;

    start(f);
    save_one(f);
    tell(f, "another-database", "40");
    assert_refused(f, "database");
    tell(f, "a-database", "51");
    assert_refused(f, "trimmed");
    f->refused = "model";
    assert_refused(f, "model");
    f->refused = NULL;
    (void)snprintf(f->view.word, WORD, "unfit");
    sh_keeper_changed(f->keeper);
    sh_keeper_drain(f->keeper, on_drained, f);
    pump_until(f, f->drains == 1);
    assert_string_equal(load_one(f), "unfit");
    assert_false(is_there(f, "snapshot-2"));
}

static void without_a_record_nothing_is_loaded_or_written(void **state)
{
    const struct sh_pg_reply failed = {.err = SH_INTERNAL, .message = "not for you"};
    struct fixture *f = *state;

    start(f);
    save_one(f);
    sh_keeper_record(f->keeper, &failed);
    assert_int_equal(sh_keeper_load(f->keeper), SH_UNAVAILABLE);
    tell(f, "", "40"); /* a standby */
    assert_int_equal(sh_keeper_load(f->keeper), SH_UNAVAILABLE);
    sh_keeper_changed(f->keeper);
    sh_keeper_drain(f->keeper, on_drained, f);
    assert_int_equal(f->drains, 1);
    assert_true(is_there(f, "snapshot-1"));
}

static void one_process_has_the_directory(void **state)
{
    struct fixture *f = *state;

    start(f);
    struct sh_keeper *first = f->keeper;
    start(f);
    assert_string_equal(sh_keeper_dir(first), f->dir);
    assert_null(sh_keeper_dir(f->keeper));
    assert_int_equal(sh_keeper_load(f->keeper), SH_UNAVAILABLE);
    sh_keeper_changed(f->keeper);
    sh_keeper_drain(f->keeper, on_drained, f);
    assert_int_equal(f->drains, 1);
    sh_keeper_close(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_found_by_the_next),
        TEST(what_is_corrupt_is_set_aside),
        TEST(what_cannot_be_followed_is_dropped),
        TEST(without_a_record_nothing_is_loaded_or_written),
        TEST(one_process_has_the_directory),
    };
    return cmocka_run_group_tests_name("snapshot_keeper", tests, NULL, NULL);
}
