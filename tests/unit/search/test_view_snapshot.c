/* The promises of view_snapshot.h. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "services/search/view/view_snapshot.h"
#include "services/search/view/view_snapshot_format.h"
#include "shared/buffer.h"
#include "tests/unit/search/view_fixture.h"

enum { DOCUMENTS = 300, ROOM = 128 };

struct kept {
    char dir[32];
    char snapshot[ROOM];
    char file[ROOM];
    struct view_options options;
    struct view *view;
};

static const struct view_model model = {MODEL, DIMENSION, 0.3};

/* --- a view with something of everything ---------------------------------------------
 */

static void put_number(struct view *view, unsigned n, const char *what)
{
    static const char *const campuses[] = {"", "Central", "King's Buildings"};
    char id[32], title[64], metadata[128], texts[3][96], ids[3][32];
    float vectors[3][DIMENSION];
    struct view_chunk chunks[3] = {0};
    (void)snprintf(id, sizeof(id), "d%u", n);
    (void)snprintf(title, sizeof(title), "%s number %u", what, n);
    (void)snprintf(metadata, sizeof(metadata),
                   "{\"year\":%u,\"tags\":[\"a%u\",\"b\"],\"language\":\"%s\"}",
                   2000 + n % 9, n % 4, n % 5 ? "en" : "de");
    for (unsigned c = 0; c < 3; c++) {
        (void)snprintf(ids[c], sizeof(ids[c]), "d%u#%u", n, c);
        (void)snprintf(texts[c], sizeof(texts[c]), "%s of bee%u and wax%u in passage %u",
                       what, n % 7, n % 11, c);
        for (unsigned i = 0; i < DIMENSION; i++)
            vectors[c][i] = (float)((n * 7 + c * 3 + i * i * 5) % 23) - 9.5F;
        chunks[c] =
            (struct view_chunk){.chunk_id = sh_bytes_of(ids[c]),
                                .section_title = sh_bytes_of(c < 2 ? "First" : "Second"),
                                .text = sh_bytes_of(texts[c]),
                                .page_number = c + 1,
                                .ordinal = c,
                                .vector = n % 6 ? vectors[c] : NULL};
    }
    const struct view_document document = {
        .id = sh_bytes_of(id),
        .title = sh_bytes_of(title),
        .collection = sh_bytes_of(n % 2 ? "odd" : "even"),
        .department = sh_bytes_of(n % 3 ? "IT" : ""),
        .campus = sh_bytes_of(campuses[n % 3]),
        .priority = n % 6,
        .clearance_level = 1 + n % 2,
        .metadata = sh_bytes_of(metadata),
        .chunks = chunks,
        .chunk_count = n % 4, /* 0 to 3 */
    };
    assert_int_equal(view_put(view, &document), SH_OK);
}

static void remove_number(struct view *view, unsigned n)
{
    char id[32];
    (void)snprintf(id, sizeof(id), "d%u", n);
    assert_int_equal(view_remove(view, sh_bytes_of(id)), SH_OK);
}

static void open_kept(struct kept *k)
{
    *k = (struct kept){.dir = "/tmp/snapshot-XXXXXX", .options = view_defaults()};
    assert_non_null(mkdtemp(k->dir));
    (void)snprintf(k->snapshot, ROOM, "%s/one", k->dir);
    (void)snprintf(k->file, ROOM, "%s/one/view", k->dir);
    assert_int_equal(mkdir(k->snapshot, 0700), 0);
    k->options.vectors.rows = k->dir;
    assert_int_equal(view_create(&k->options, &k->view), SH_OK);
    assert_int_equal(view_set_model(k->view, MODEL, DIMENSION, 0.3), SH_OK);
    for (unsigned n = 0; n < DOCUMENTS; n++)
        put_number(k->view, n, "honey");
    for (unsigned n = 0; n < DOCUMENTS; n += 9)
        remove_number(k->view, n);
}

static int remove_entry(const char *path, const struct stat *info, int flag,
                        struct FTW *walk)
{
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void close_kept(struct kept *k)
{
    view_free(&k->view);
    assert_int_equal(nftw(k->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void save(struct kept *k)
{
    assert_int_equal(view_snapshot_save(k->view, "at 4711", k->snapshot), SH_OK);
}

static enum sh_err load(struct kept *k, struct view **view)
{
    assert_int_equal(view_create(&k->options, view), SH_OK);
    enum sh_err err = view_snapshot_load(*view, &model, k->snapshot);
    if (err != SH_OK)
        view_free(view);
    return err;
}

/* --- the same answers ----------------------------------------------------------------
 */

static void describe(const struct search_results *results, struct sh_buffer *out)
{
    sh_buffer_printf(out, "%llu:", (unsigned long long)results->total);
    for (size_t i = 0; i < results->hits_count; i++) {
        const struct search_hit *hit = &results->hits[i];
        sh_buffer_append(out, hit->chunk_id.data, hit->chunk_id.len);
        sh_buffer_append(out, hit->text.data, hit->text.len);
        sh_buffer_append(out, hit->document_title.data, hit->document_title.len);
        sh_buffer_append(out, hit->metadata.data, hit->metadata.len);
        sh_buffer_printf(out, " %u %a;", hit->page_number, hit->combined_score);
    }
    assert_int_equal(out->err, SH_OK);
}

static void ask(struct view *view, const char *text, uint32_t mode, const char *filters,
                uint32_t clearance, struct sh_buffer *out)
{
    const float vector[DIMENSION] = {1, -2, 3, 1};
    const struct search_query query = {.query = sh_bytes_of(text),
                                       .mode = mode,
                                       .filters = sh_bytes_of(filters),
                                       .max_results = 50,
                                       .vector_weight = -1,
                                       .similarity_threshold = -1};
    const struct caller caller = {.clearance = clearance,
                                  .campus = sh_bytes_of("Central")};
    const struct view_query asked = {.query = &query,
                                     .caller = &caller,
                                     .vector = mode == 2 ? NULL : vector,
                                     .dimension = DIMENSION,
                                     .fingerprint = sh_bytes_of(MODEL),
                                     .deadline_ms = sh_now_ms() + 30000};
    struct sh_arena arena = {0};
    struct search_results results = {0};
    struct view_problem problem = {0};
    assert_int_equal(view_search(view, &asked, &arena, &results, &problem), SH_OK);
    describe(&results, out);
    sh_arena_free(&arena);
}

static void battery(struct view *view, struct sh_buffer *out)
{
    static const char *const texts[] = {"honey",  "bee3 wax4", "\"passage 1\" -wax2",
                                        "wax",    "number 77", "hony first",
                                        "nothing"};
    static const char *const filters[] = {"", "{\"collection\":\"odd\"}",
                                          "{\"metadata\":{\"tags\":\"a3\"}}",
                                          "{\"metadata\":{\"year\":{\"gte\":2004}}}"};
    for (size_t t = 0; t < SH_COUNT(texts); t++)
        for (size_t f = 0; f < SH_COUNT(filters); f++)
            for (uint32_t mode = 0; mode < 3; mode++)
                ask(view, texts[t], mode, filters[f], 1 + (t & 1), out);
}

static void assert_alike(struct view *left, struct view *right)
{
    struct sh_buffer a = {0};
    struct sh_buffer b = {0};
    struct view_stats stats[2];
    battery(left, &a);
    battery(right, &b);
    assert_true(a.len > 10000);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    view_stats(left, &stats[0]);
    view_stats(right, &stats[1]);
    assert_int_equal(stats[0].documents, stats[1].documents);
    assert_int_equal(stats[0].chunks, stats[1].chunks);
    assert_int_equal(stats[0].vectors, stats[1].vectors);
    sh_buffer_free(&a);
    sh_buffer_free(&b);
}

/* What changes after the snapshot: slots are freed and used again. */
static void change(struct view *view)
{
    for (unsigned n = 1; n < DOCUMENTS; n += 9)
        remove_number(view, n);
    for (unsigned n = 0; n < DOCUMENTS; n += 5)
        put_number(view, n, "changed honey");
    for (unsigned n = DOCUMENTS; n < DOCUMENTS + 40; n++)
        put_number(view, n, "new honey");
}

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

/* --- what is refused -----------------------------------------------------------------
 */

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
    foot.version++;
    set_foot(&bytes, &foot);
    write_file(k.file, bytes.data, bytes.len);
    assert_int_equal(view_snapshot_peek(k.snapshot, &about), SH_MALFORMED);
    assert_refused(&k);
    foot.version--;
    foot.order = 0x04030201;
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
        cmocka_unit_test(a_loaded_view_answers_as_the_one_that_was_saved),
        cmocka_unit_test(changes_after_the_snapshot_are_taken_again),
        cmocka_unit_test(a_loaded_view_lives_on_and_is_saved_again),
        cmocka_unit_test(an_empty_view_and_one_without_a_model_are_kept_too),
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
