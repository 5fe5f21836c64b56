/* kept_fixture: a view with something of everything, its snapshot, and a battery of
 * queries that two views answer alike. Header only. */
#ifndef TEST_KEPT_FIXTURE_H
#define TEST_KEPT_FIXTURE_H

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

/* --- a view with something of everything ------------------------------------------ */

static inline void put_number(struct view *view, unsigned n, const char *what)
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
        .has_file = n % 5 < 2,
    };
    assert_int_equal(view_put(view, &document), SH_OK);
}

static inline void remove_number(struct view *view, unsigned n)
{
    char id[32];
    (void)snprintf(id, sizeof(id), "d%u", n);
    assert_int_equal(view_remove(view, sh_bytes_of(id)), SH_OK);
}

static inline void open_kept(struct kept *k)
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

static inline int remove_entry(const char *path, const struct stat *info, int flag,
                               struct FTW *walk)
{
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

static inline void close_kept(struct kept *k)
{
    view_free(&k->view);
    assert_int_equal(nftw(k->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void save(struct kept *k)
{
    assert_int_equal(view_snapshot_save(k->view, "at 4711", k->snapshot), SH_OK);
}

static inline enum sh_err load(struct kept *k, struct view **view)
{
    assert_int_equal(view_create(&k->options, view), SH_OK);
    enum sh_err err = view_snapshot_load(*view, &model, k->snapshot);
    if (err != SH_OK)
        view_free(view);
    return err;
}

/* --- the same answers ------------------------------------------------------------- */

static inline void describe(const struct search_results *results, struct sh_buffer *out)
{
    sh_buffer_printf(out, "%llu:", (unsigned long long)results->total);
    for (size_t i = 0; i < results->hits_count; i++) {
        const struct search_hit *hit = &results->hits[i];
        sh_buffer_append(out, hit->chunk_id.data, hit->chunk_id.len);
        sh_buffer_append(out, hit->text.data, hit->text.len);
        sh_buffer_append(out, hit->document_title.data, hit->document_title.len);
        sh_buffer_append(out, hit->metadata.data, hit->metadata.len);
        sh_buffer_printf(out, " %u %a %d;", hit->page_number, hit->combined_score,
                         hit->has_file);
    }
    assert_int_equal(out->err, SH_OK);
}

static inline void ask(struct view *view, const char *text, uint32_t mode,
                       const char *filters, uint32_t clearance, struct sh_buffer *out)
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

static inline void battery(struct view *view, struct sh_buffer *out)
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

static inline void assert_alike(struct view *left, struct view *right)
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
static inline void change(struct view *view)
{
    for (unsigned n = 1; n < DOCUMENTS; n += 9)
        remove_number(view, n);
    for (unsigned n = 0; n < DOCUMENTS; n += 5)
        put_number(view, n, "changed honey");
    for (unsigned n = DOCUMENTS; n < DOCUMENTS + 40; n++)
        put_number(view, n, "new honey");
}

#endif
