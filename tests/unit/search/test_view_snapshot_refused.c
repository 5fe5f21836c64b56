/* The promises of view_snapshot.h: what is refused, and what goes wrong. */
#include "tests/unit/search/kept_fixture.h"

/* --- what is refused -------------------------------------------------------------- */

static struct sh_buffer read_file(const char *path)
{
    struct sh_buffer buffer = {0};
    char block[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t got; (got = fread(block, 1, sizeof(block), file)) > 0;)
        sh_buffer_append(&buffer, block, got);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(buffer.err, SH_OK);
    return buffer;
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void assert_refused(struct kept *k)
{
    struct view *loaded = NULL;
    assert_int_equal(load(k, &loaded), SH_MALFORMED);
}

/* In padding between sections, of which the graph has much, nobody reads it. */
static void a_flipped_byte_anywhere_is_noticed(void **state)
{
    (void)state;
    struct kept k;
    open_kept(&k);
    save(&k);
    static const char *const names[] = {"view", "text", "graph"};
    for (size_t f = 0; f < SH_COUNT(names); f++) {
        char path[ROOM * 2];
        struct view *loaded = NULL;
        size_t noticed = 0;
        (void)snprintf(path, sizeof(path), "%s/%s", k.snapshot, names[f]);
        struct sh_buffer bytes = read_file(path);
        for (size_t i = 0; i < 64; i++) {
            size_t at = i < 4 ? bytes.len - 1 - i * 40 : bytes.len / 60 * (i - 4);
            bytes.data[at] ^= 0x20;
            write_file(path, bytes.data, bytes.len);
            enum sh_err err = load(&k, &loaded);
            noticed += err == SH_MALFORMED;
            if (err == SH_OK)
                assert_alike(k.view, loaded);
            else
                assert_int_equal(err, SH_MALFORMED);
            view_free(&loaded);
            bytes.data[at] ^= 0x20;
        }
        assert_true(noticed > (f < 2 ? 60 : 10));
        write_file(path, bytes.data, bytes.len);
        sh_buffer_free(&bytes);
    }
    close_kept(&k);
}

static void a_file_cut_short_is_noticed(void **state)
{
    (void)state;
    struct kept k;
    open_kept(&k);
    save(&k);
    struct sh_buffer bytes = read_file(k.file);
    for (size_t len = 0; len < bytes.len; len += 1 + bytes.len / 97) {
        write_file(k.file, bytes.data, len);
        assert_refused(&k);
    }
    for (size_t less = 1; less < 9; less++) {
        write_file(k.file, bytes.data, bytes.len - less);
        assert_refused(&k);
    }
    assert_int_equal(unlink(k.file), 0);
    struct view *loaded = NULL;
    assert_int_equal(load(&k, &loaded), SH_NOTFOUND);
    sh_buffer_free(&bytes);
    close_kept(&k);
}

static void set_foot(struct sh_buffer *bytes, struct kept_foot *foot)
{
    foot->sum = XXH3_64bits(foot, offsetof(struct kept_foot, sum));
    memcpy(bytes->data + bytes->len - sizeof(*foot), foot, sizeof(*foot));
}

static void another_version_or_order_is_refused(void **state)
{
    (void)state;
    struct kept k;
    struct kept_foot foot;
    struct view_snapshot_about about;
    open_kept(&k);
    save(&k);
    struct sh_buffer bytes = read_file(k.file);
    if (!bytes.data)
        abort();
    memcpy(&foot, bytes.data + bytes.len - sizeof(foot), sizeof(foot));
    set_foot(&bytes, &foot);
    write_file(k.file, bytes.data, bytes.len);
    assert_int_equal(view_snapshot_peek(k.snapshot, &about), SH_OK);
    foot.mark.version++;
    set_foot(&bytes, &foot);
    write_file(k.file, bytes.data, bytes.len);
    assert_int_equal(view_snapshot_peek(k.snapshot, &about), SH_MALFORMED);
    assert_refused(&k);
    foot.mark.version--;
    foot.mark.order = 0x04030201;
    set_foot(&bytes, &foot);
    write_file(k.file, bytes.data, bytes.len);
    assert_refused(&k);
    sh_buffer_free(&bytes);
    close_kept(&k);
}

static void files_of_two_snapshots_do_not_go_together(void **state)
{
    (void)state;
    struct kept k;
    char from[ROOM * 2], to[ROOM * 2], second[ROOM];
    open_kept(&k);
    save(&k);
    (void)snprintf(second, ROOM, "%s/two", k.dir);
    assert_int_equal(mkdir(second, 0700), 0);
    assert_int_equal(view_snapshot_save(k.view, "again", second), SH_OK);
    (void)snprintf(from, sizeof(from), "%s/text", second);
    (void)snprintf(to, sizeof(to), "%s/text", k.snapshot);
    assert_int_equal(rename(from, to), 0);
    assert_refused(&k);
    assert_int_equal(unlink(to), 0);
    assert_refused(&k);
    close_kept(&k);
}

static void another_model_is_refused(void **state)
{
    (void)state;
    struct kept k;
    open_kept(&k);
    save(&k);
    const struct view_model others[] = {
        {"model-2", DIMENSION, 0.3}, {MODEL, DIMENSION + 1, 0.3}, {"", 0, 0.3}};
    for (size_t i = 0; i < SH_COUNT(others); i++) {
        struct view *view = NULL;
        assert_int_equal(view_create(&k.options, &view), SH_OK);
        assert_int_equal(view_snapshot_load(view, &others[i], k.snapshot), SH_CONFLICT);
        view_free(&view);
    }
    close_kept(&k);
}

static void what_cannot_be_written_is_told(void **state)
{
    (void)state;
    struct kept k;
    char note[VIEW_SNAPSHOT_NOTE + 2];
    open_kept(&k);
    memset(note, 'n', sizeof(note));
    note[sizeof(note) - 1] = '\0';
    assert_int_equal(view_snapshot_save(k.view, note, k.snapshot), SH_TOOBIG);
    assert_int_equal(view_snapshot_save(k.view, "", "/nowhere/at/all"), SH_IO);
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    FILE *file = fdopen(fd, "wb");
    assert_non_null(file);
    assert_int_equal(kept_write(k.view, "", "0123456789abcdef0123456789abcdef", file),
                     SH_IO);
    (void)fclose(file);
    close_kept(&k);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    struct kept k;
    struct view *loaded = NULL;
    open_kept(&k);
    for (unsigned n = 30; n < DOCUMENTS; n++)
        if (n % 9)
            remove_number(k.view, n);
    save(&k);
    int failures = 0;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        assert_int_equal(view_create(&k.options, &loaded), SH_OK);
        sh_mem_fail_after(failures);
        err = view_snapshot_load(loaded, &model, k.snapshot);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        if (err == SH_OK)
            assert_alike(k.view, loaded);
        view_free(&loaded);
    }
    assert_true(failures > 50);
    close_kept(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_byte_anywhere_is_noticed),
        cmocka_unit_test(a_file_cut_short_is_noticed),
        cmocka_unit_test(another_version_or_order_is_refused),
        cmocka_unit_test(files_of_two_snapshots_do_not_go_together),
        cmocka_unit_test(another_model_is_refused),
        cmocka_unit_test(what_cannot_be_written_is_told),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
