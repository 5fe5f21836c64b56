/* The promises of snapshots.h and note.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/note.h"
#include "shared/snapshots.h"

enum { ROOM = 256 };

struct fixture {
    char dir[ROOM];
    struct sh_snapshots *snapshots;
};

static void open_fixture(struct fixture *f)
{
    char parent[] = "/tmp/snapshots-XXXXXX";
    assert_non_null(mkdtemp(parent));
    (void)snprintf(f->dir, sizeof(f->dir), "%s/own", parent);
    assert_int_equal(sh_snapshots_open(f->dir, &f->snapshots), SH_OK);
}

static const char *in(const struct fixture *f, const char *name)
{
    static char path[SH_SNAPSHOTS_PATH];
    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    return path;
}

static bool is_there(const struct fixture *f, const char *name)
{
    return access(in(f, name), F_OK) == 0;
}

static void make_file(const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void close_fixture(struct fixture *f)
{
    char command[ROOM + 16];
    sh_snapshots_close(&f->snapshots);
    assert_null(f->snapshots);
    *strrchr(f->dir, '/') = '\0';
    (void)snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own directory */
}

static void write_one(struct fixture *f)
{
    char path[SH_SNAPSHOTS_PATH];
    assert_int_equal(sh_snapshots_begin(f->snapshots, path), SH_OK);
    assert_string_equal(path, in(f, "next"));
    make_file(in(f, "next/view"));
    assert_int_equal(sh_snapshots_commit(f->snapshots), SH_OK);
}

static void the_newest_is_kept_and_older_ones_go(void **state)
{
    (void)state;
    struct fixture f;
    char path[SH_SNAPSHOTS_PATH];
    open_fixture(&f);
    assert_int_equal(sh_snapshots_newest(f.snapshots, path), SH_NOTFOUND);
    write_one(&f);
    assert_int_equal(sh_snapshots_newest(f.snapshots, path), SH_OK);
    assert_string_equal(path, in(&f, "snapshot-1"));
    write_one(&f);
    assert_int_equal(sh_snapshots_newest(f.snapshots, path), SH_OK);
    assert_string_equal(path, in(&f, "snapshot-2"));
    assert_false(is_there(&f, "snapshot-1"));
    assert_true(is_there(&f, "snapshot-2/view"));
    assert_false(is_there(&f, "next"));
    close_fixture(&f);
}

static void what_was_not_finished_goes(void **state)
{
    (void)state;
    struct fixture f;
    char path[SH_SNAPSHOTS_PATH];
    open_fixture(&f);
    write_one(&f);
    assert_int_equal(sh_snapshots_begin(f.snapshots, path), SH_OK);
    make_file(in(&f, "next/view"));
    sh_snapshots_abandon(f.snapshots);
    assert_false(is_there(&f, "next"));
    assert_int_equal(sh_snapshots_begin(f.snapshots, path), SH_OK);
    make_file(in(&f, "next/half"));
    assert_int_equal(sh_snapshots_begin(f.snapshots, path), SH_OK);
    assert_false(is_there(&f, "next/half"));
    make_file(in(&f, "next/half"));
    /* the process is killed, and another one comes */
    sh_snapshots_close(&f.snapshots);
    assert_int_equal(sh_snapshots_open(f.dir, &f.snapshots), SH_OK);
    assert_false(is_there(&f, "next"));
    assert_true(is_there(&f, "snapshot-1/view"));
    close_fixture(&f);
}

static void what_is_refused_is_kept_once(void **state)
{
    (void)state;
    struct fixture f;
    char path[SH_SNAPSHOTS_PATH];
    open_fixture(&f);
    write_one(&f);
    write_one(&f);
    assert_int_equal(sh_snapshots_set_aside(f.snapshots), SH_OK);
    assert_true(is_there(&f, "corrupt-2/view"));
    assert_int_equal(sh_snapshots_newest(f.snapshots, path), SH_NOTFOUND);
    write_one(&f);
    assert_int_equal(sh_snapshots_set_aside(f.snapshots), SH_OK);
    assert_true(is_there(&f, "corrupt-1/view"));
    assert_false(is_there(&f, "corrupt-2"));
    assert_int_equal(sh_snapshots_set_aside(f.snapshots), SH_OK); /* there is none */
    write_one(&f);
    sh_snapshots_drop(f.snapshots);
    assert_int_equal(sh_snapshots_newest(f.snapshots, path), SH_NOTFOUND);
    close_fixture(&f);
}

static void other_names_are_not_touched(void **state)
{
    (void)state;
    static const char *const names[] = {
        "snapshot-",   "snapshot-0",  "snapshot-07",
        "snapshot--1", "snapshot-7x", "snapshot- 7",
        "asnapshot-7", "rows-7",      "snapshot-99999999999999999999999"};
    struct fixture f;
    char path[SH_SNAPSHOTS_PATH];
    open_fixture(&f);
    for (size_t i = 0; i < SH_COUNT(names); i++)
        assert_int_equal(mkdir(in(&f, names[i]), 0700), 0);
    assert_int_equal(sh_snapshots_newest(f.snapshots, path), SH_NOTFOUND);
    write_one(&f);
    write_one(&f);
    assert_int_equal(sh_snapshots_set_aside(f.snapshots), SH_OK);
    for (size_t i = 0; i < SH_COUNT(names); i++)
        assert_true(is_there(&f, names[i]));
    close_fixture(&f);
}

static void a_directory_belongs_to_one(void **state)
{
    (void)state;
    struct fixture f;
    struct sh_snapshots *second = NULL;
    open_fixture(&f);
    assert_int_equal(sh_snapshots_open(f.dir, &second), SH_BUSY);
    assert_null(second);
    sh_snapshots_close(&f.snapshots);
    assert_int_equal(sh_snapshots_open(f.dir, &f.snapshots), SH_OK);
    assert_int_equal(sh_snapshots_open("/proc/none/such", &second), SH_IO);
    assert_int_equal(sh_snapshots_open(in(&f, "lock"), &second), SH_IO);
    make_file(in(&f, "next")); /* where the directory has to be */
    char path[SH_SNAPSHOTS_PATH];
    assert_int_equal(sh_snapshots_begin(f.snapshots, path), SH_IO);
    assert_int_equal(unlink(in(&f, "next")), 0);
    assert_int_equal(sh_snapshots_commit(f.snapshots), SH_IO); /* nothing was begun */
    close_fixture(&f);
}

/* --- notes ------------------------------------------------------------------------ */

static void a_note_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct sh_note note = {.position = {UINT64_MAX - 1, INT64_MAX}, .identity = "7-00-1"};
    struct sh_note read;
    struct sh_buffer text = {0};
    memcpy(note.sample, "A title  with blanks", 21);
    sh_note_write(&note, &text);
    assert_int_equal(text.err, SH_OK);
    assert_true(sh_note_read(text.data, &read));
    assert_int_equal(read.position.xid, note.position.xid);
    assert_int_equal(read.position.seq, note.position.seq);
    assert_string_equal(read.identity, note.identity);
    assert_string_equal(read.sample, note.sample);
    note.sample[0] = '\0';
    sh_buffer_clear(&text);
    sh_note_write(&note, &text);
    assert_true(sh_note_read(text.data, &read));
    assert_string_equal(read.sample, "");
    sh_buffer_free(&text);
}

static void what_is_no_note_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",       "1",       "1 2",     "1 2 ",   "1 2 id", "a 2 i ",
        "1 b i ", "1  2 i ", "-1 2 i ", " 1 2 i", "1 2  s", "99999999999999999999 2 i "};
    char longest[1024];
    struct sh_note note;
    for (size_t i = 0; i < SH_COUNT(texts); i++)
        assert_false(sh_note_read(texts[i], &note));
    (void)snprintf(longest, sizeof(longest), "1 2 %0*d s", SH_RECORD_IDENTITY + 1, 7);
    assert_false(sh_note_read(longest, &note));
    (void)snprintf(longest, sizeof(longest), "1 2 %0*d s", SH_RECORD_IDENTITY, 7);
    assert_true(sh_note_read(longest, &note));
    (void)snprintf(longest, sizeof(longest), "1 2 i %0257d", 7);
    assert_false(sh_note_read(longest, &note));
}

static void a_note_tells_what_can_be_followed(void **state)
{
    (void)state;
    struct sh_note note = {.position = {100, 5}, .identity = "one"};
    struct sh_record_state record = {.identity = "one", .horizon = {99, 9}, .after = 101};
    assert_null(sh_note_refused(&note, &record));
    record.horizon = (struct sh_changefeed_position){100, 6}; /* one more is gone */
    assert_string_equal(sh_note_refused(&note, &record), "trimmed");
    note.position.seq = 6; /* which was seen */
    assert_null(sh_note_refused(&note, &record));
    record.horizon = (struct sh_changefeed_position){101, 1};
    assert_string_equal(sh_note_refused(&note, &record), "trimmed");
    record = (struct sh_record_state){.identity = "one", .after = 100};
    assert_string_equal(sh_note_refused(&note, &record), "database"); /* of its future */
    record = (struct sh_record_state){.identity = "other", .after = 1000};
    assert_string_equal(sh_note_refused(&note, &record), "database");
    record.identity[0] = note.identity[0] = '\0'; /* nobody knows */
    assert_string_equal(sh_note_refused(&note, &record), "database");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_is_kept_and_older_ones_go),
        cmocka_unit_test(what_was_not_finished_goes),
        cmocka_unit_test(what_is_refused_is_kept_once),
        cmocka_unit_test(other_names_are_not_touched),
        cmocka_unit_test(a_directory_belongs_to_one),
        cmocka_unit_test(a_note_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(a_note_tells_what_can_be_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
