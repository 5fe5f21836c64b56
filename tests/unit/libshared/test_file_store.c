/* The promises of the file store, each held by the directory and by S3. */
#include "file_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <utime.h>

static const char abc_hash[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void what_was_stored_is_read_again(void **state)
{
    struct fixture *f = *state;
    struct outcome o = store_bytes(f, sh_bytes_of("abc"));

    assert_string_equal(o.hash, abc_hash);
    assert_int_equal(o.size, 3);
    o = read_file(f, abc_hash, 0, 100);
    assert_int_equal(o.err, SH_OK);
    assert_int_equal(o.size, 3);
    assert_string_equal(o.bytes, "abc");
    free(o.bytes);
    o = read_file(f, abc_hash, 1, 1);
    assert_string_equal(o.bytes, "b");
    free(o.bytes);
    o = read_file(f, abc_hash, 3, 1);
    assert_int_equal(o.err, SH_OK);
    assert_int_equal(o.len, 0);
    free(o.bytes);
}

static void nothing_is_a_file_too(void **state)
{
    struct fixture *f = *state;
    struct outcome o = store_bytes(f, (struct sh_bytes){0});

    assert_int_equal(o.size, 0);
    assert_memory_equal(o.hash, "e3b0c44298fc1c14", 16);
    o = read_file(f, o.hash, 0, 10);
    assert_int_equal(o.err, SH_OK);
    assert_int_equal(o.len, 0);
    free(o.bytes);
}

static void many_pieces_are_one_file(void **state)
{
    enum { BYTES = 5 << 20 };
    struct fixture *f = *state;
    char *data = malloc(BYTES);

    assert_non_null(data);
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    struct outcome o = store_bytes(f, (struct sh_bytes){data, BYTES});
    assert_int_equal(o.size, BYTES);
    for (size_t at = 0; at < BYTES; at += SH_FILE_PIECE) {
        struct outcome piece = read_file(f, o.hash, at, BYTES);
        assert_int_equal(piece.len, SH_FILE_PIECE);
        assert_memory_equal(piece.bytes, data + at, SH_FILE_PIECE);
        free(piece.bytes);
    }
    free(data);
}

static void the_same_bytes_are_kept_once(void **state)
{
    struct fixture *f = *state;

    store_bytes(f, sh_bytes_of("abc"));
    store_bytes(f, sh_bytes_of("abc"));
    struct outcome o = list(f, "", 10);
    assert_int_equal(o.count, 1);
    assert_string_equal(o.entries[0].hash, abc_hash);
    assert_int_equal(o.entries[0].size, 3);
    double age = sh_wall_time() - o.entries[0].modified;
    assert_true(age > -10 && age < 600);
}

static void what_is_not_committed_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.f = f};
    bool full;

    assert_int_equal(sh_file_begin(f->store, on_drained, &o, &o.writer), SH_OK);
    sh_file_writer_close(&o.writer); /* nothing came */
    assert_int_equal(sh_file_begin(f->store, on_drained, &o, &o.writer), SH_OK);
    assert_int_equal(sh_file_append(o.writer, sh_bytes_of("abc"), &full), SH_OK);
    sh_file_writer_close(&o.writer); /* while it is written */
    spool(f, &o, sh_bytes_of("abc"));
    sh_file_writer_close(&o.writer); /* before its place */
    o.ends = 0;
    assert_int_equal(sh_file_begin(f->store, on_drained, &o, &o.writer), SH_OK);
    assert_int_equal(sh_file_append(o.writer, sh_bytes_of("abc"), &full), SH_OK);
    assert_int_equal(sh_file_finish(o.writer, on_finished), SH_OK);
    sh_file_writer_close(&o.writer);
    spool(f, &o, sh_bytes_of("abc"));
    o.ends = 0;
    assert_int_equal(sh_file_commit(o.writer, on_done), SH_OK);
    sh_file_writer_close(&o.writer);                      /* too late, or just in time */
    pump_until(f, files_named(f, "cairn-upload-*") == 0); /* else it comes after this */
    assert_int_equal(o.ends, 0);                          /* a closed writer is silent */
    assert_int_equal(remove_file(f, abc_hash), SH_OK);
    pump_until(f, files_in(f) == 0);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_file(f, abc_hash, 0, 1).err, SH_NOTFOUND);
    assert_int_equal(remove_file(f, abc_hash), SH_OK);
}

static void a_removed_file_is_gone(void **state)
{
    struct fixture *f = *state;

    store_bytes(f, sh_bytes_of("abc"));
    assert_int_equal(remove_file(f, abc_hash), SH_OK);
    assert_int_equal(read_file(f, abc_hash, 0, 1).err, SH_NOTFOUND);
    assert_int_equal(list(f, "", 10).count, 0);
    store_bytes(f, sh_bytes_of("abc")); /* and may come back */
    assert_int_equal(list(f, "", 10).count, 1);
}

static void only_hashes_name_files(void **state)
{
    static const char *const bad[] = {
        "",
        "abc",
        "../../../../../../../../../../../../../../../../../../etc/passwd",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a/",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0"};
    struct fixture *f = *state;
    struct sh_file_reader *reader;
    struct outcome o = {.f = f};

    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        assert_int_equal(
            sh_file_open(f->store, sh_bytes_of(bad[i]), on_opened, &o, &reader),
            SH_INVALID);
        assert_int_equal(sh_file_remove(f->store, sh_bytes_of(bad[i]), on_done, &o),
                         SH_INVALID);
    }
}

static void lists_go_on_where_they_stopped(void **state)
{
    struct fixture *f = *state;
    char last[SH_FILE_HASH_TEXT] = "";
    size_t seen = 0;

    for (int i = 0; i < 20; i++) {
        char text = (char)('a' + i);
        store_bytes(f, (struct sh_bytes){&text, 1});
    }
    for (;;) {
        struct outcome o = list(f, last, 3);
        assert_int_equal(o.err, SH_OK);
        if (o.count == 0)
            break;
        for (size_t i = 0; i < o.count; i++) {
            assert_true(strcmp(o.entries[i].hash, last) > 0);
            memcpy(last, o.entries[i].hash, sizeof(last));
            seen++;
        }
    }
    assert_int_equal(seen, 20);
}

static void a_reader_may_leave_at_any_time(void **state)
{
    struct fixture *f = *state;
    struct sh_file_reader *reader;
    struct outcome o = {.f = f};

    store_bytes(f, sh_bytes_of("abc"));
    assert_int_equal(
        sh_file_open(f->store, sh_bytes_of(abc_hash), on_opened, &o, &reader), SH_OK);
    sh_file_reader_close(&reader);
    assert_int_equal(
        sh_file_open(f->store, sh_bytes_of(abc_hash), on_opened, &o, &reader), SH_OK);
    pump_until(f, o.ends == 1);
    assert_int_equal(sh_file_read(reader, 0, 3, on_got), SH_OK);
    sh_file_reader_close(&reader);
    sh_file_reader_close(&reader);
    assert_int_equal(list(f, "", 10).count, 1); /* the loop went on */
    assert_int_equal(o.ends, 1);
}

static void closing_ends_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct outcome removal = {.f = f};
    struct outcome listing = {.f = f};
    struct outcome writing = {.f = f};
    bool full;

    /* a writer that was closed while a worker is at it has still to clear up */
    assert_int_equal(sh_file_begin(f->store, on_drained, &writing, &writing.writer),
                     SH_OK);
    assert_int_equal(sh_file_append(writing.writer, sh_bytes_of("abc"), &full), SH_OK);
    sh_file_writer_close(&writing.writer);
    assert_int_equal(sh_file_remove(f->store, sh_bytes_of(abc_hash), on_done, &removal),
                     SH_OK);
    assert_int_equal(sh_file_list(f->store, "", 10, on_listed, &listing), SH_OK);
    sh_file_store_close(&f->store);
    assert_int_equal(removal.ends, 1);
    assert_int_equal(listing.ends, 1);
    assert_int_equal(files_in(f), 0);
}

/* --- directories only
 * ------------------------------------------------------------------- */

static void file_path(const struct fixture *f, const char *hash, char out[static 256])
{
    (void)snprintf(out, 256, "%s/some/folder/%.2s/%s", f->dir, hash, hash);
}

static void a_file_that_was_cut_off_is_mended(void **state)
{
    struct fixture *f = *state;
    char path[256];

    store_bytes(f, sh_bytes_of("abc"));
    file_path(f, abc_hash, path);
    assert_int_equal(truncate(path, 1), 0);
    store_bytes(f, sh_bytes_of("abc"));
    struct outcome o = read_file(f, abc_hash, 0, 10);
    assert_string_equal(o.bytes, "abc");
    free(o.bytes);
    assert_int_equal(files_in(f), 1);
}

static void what_a_crash_left_is_cleared_away(void **state)
{
    struct fixture *f = *state;
    time_t before = time(NULL) - 172800; /* two days */
    struct utimbuf old = {before, before};
    char stale[256];
    char fresh[256];

    (void)snprintf(stale, sizeof(stale), "%s/some/folder/spool/cairn-upload-old", f->dir);
    (void)snprintf(fresh, sizeof(fresh), "%s/some/folder/spool/cairn-upload-new", f->dir);
    close(open(stale, O_CREAT | O_WRONLY, 0600));
    close(open(fresh, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(utime(stale, &old), 0);
    assert_int_equal(list(f, "", 10).err, SH_OK);
    assert_int_equal(access(stale, F_OK), -1);
    assert_int_equal(access(fresh, F_OK), 0);
}

static void a_link_is_no_file(void **state)
{
    struct fixture *f = *state;
    char path[256];

    store_bytes(f, sh_bytes_of("abc"));
    file_path(f, abc_hash, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(read_file(f, abc_hash, 0, 1).err, SH_IO);
    assert_int_equal(list(f, "", 10).count, 0);
}

static void an_error_sticks_and_is_told(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.f = f};
    char command[160];
    bool full;

    (void)snprintf(command, sizeof(command), "rm -rf '%s/some/folder/spool'", f->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(sh_file_begin(f->store, on_drained, &o, &o.writer), SH_OK);
    assert_int_equal(sh_file_append(o.writer, sh_bytes_of("abc"), &full), SH_OK);
    assert_int_equal(sh_file_finish(o.writer, on_finished), SH_OK);
    pump_until(f, o.ends == 1);
    assert_int_equal(o.err, SH_IO);
    assert_int_equal(sh_file_append(o.writer, sh_bytes_of("abc"), &full), SH_IO);
    assert_int_equal(sh_file_finish(o.writer, on_finished), SH_IO);
    sh_file_writer_close(&o.writer);
}

static void settings_that_make_no_sense_stop_the_start(void **state)
{
    static const char *const bad[] = {"dir:",       "file:/tmp",        "s3://",
                                      "s3://UPPER", "s3://originals/x", "dir:/proc/x/y"};
    struct fixture *f = *state;

    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        struct sh_file_config config = {.store = bad[i], .spool_dir = f->dir};
        struct sh_s3_config no_keys = {
            .endpoint = "", .region = "x", .access_key = "", .secret_key = ""};
        struct sh_file_store *store;
        enum sh_err err = sh_file_store_open(&f->loop, &config, &no_keys, &store);
        assert_true(err == SH_INVALID || err == SH_IO);
        assert_null(store);
    }
}

#define BOTH(test)                                                                       \
    {"dir: " #test, test, setup_dir, teardown, NULL},                                    \
    {                                                                                    \
        "s3: " #test, test, setup_s3, teardown, NULL                                     \
    }
#define DIR_ONLY(test)                                                                   \
    {                                                                                    \
#test, test, setup_dir, teardown, NULL                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(what_was_stored_is_read_again),
        BOTH(nothing_is_a_file_too),
        BOTH(many_pieces_are_one_file),
        BOTH(the_same_bytes_are_kept_once),
        BOTH(what_is_not_committed_leaves_nothing),
        BOTH(what_is_not_there_is_not_found),
        BOTH(a_removed_file_is_gone),
        BOTH(only_hashes_name_files),
        BOTH(lists_go_on_where_they_stopped),
        BOTH(a_reader_may_leave_at_any_time),
        BOTH(closing_ends_what_is_under_way),
        DIR_ONLY(a_file_that_was_cut_off_is_mended),
        DIR_ONLY(what_a_crash_left_is_cleared_away),
        DIR_ONLY(a_link_is_no_file),
        DIR_ONLY(an_error_sticks_and_is_told),
        DIR_ONLY(settings_that_make_no_sense_stop_the_start),
    };
    return cmocka_run_group_tests(tests, start_fake, stop_fake);
}
