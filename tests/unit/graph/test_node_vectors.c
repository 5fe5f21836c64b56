/* Similar nodes, compared with all cosines in double precision, on random graphs of which
 * the reader may not see everything; and what text a node has. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "services/graph/vectors/kept_vectors.h"
#include "services/graph/vectors/node_text.h"
#include "services/graph/vectors/node_vectors.h"
#include "services/graph/view/graph_internal.h"
#include "tests/unit/graph/walk_fixture.h"

enum { DIMENSION = 70, LIMIT = 5 };

struct drawn_vectors {
    float of[NODES][DIMENSION];
};

static void draw_vectors(struct drawn_vectors *drawn)
{
    for (unsigned n = 0; n < NODES; n++)
        for (unsigned i = 0; i < DIMENSION; i++)
            drawn->of[n][i] = (float)draw(2001) / 1000.0F - 1.0F;
}

static double cosine(const float *left, const float *right)
{
    double both = 0, a = 0, b = 0;
    for (unsigned i = 0; i < DIMENSION; i++) {
        both += (double)left[i] * (double)right[i];
        a += (double)left[i] * (double)left[i];
        b += (double)right[i] * (double)right[i];
    }
    return both / sqrt(a * b);
}

static uint32_t place_of(const struct fixture *f, unsigned node)
{
    char id[8];
    uint32_t place = 0;
    (void)snprintf(id, sizeof(id), "n%u", node);
    assert_true(graph_version_node(f->reader.version, sh_bytes_of(id), &place));
    return place;
}

/* All nodes get theirs, the hidden ones too. */
static struct node_vectors *put_all(const struct fixture *f,
                                    const struct drawn_vectors *drawn)
{
    struct node_vectors *vectors;
    assert_int_equal(node_vectors_create(NODES, &vectors), SH_OK);
    node_vectors_reset(vectors, DIMENSION);
    for (unsigned n = 0; n < NODES; n++)
        assert_int_equal(
            node_vectors_put(vectors, place_of(f, n), n + 1, n, drawn->of[n]), SH_OK);
    assert_true(node_vectors_is_full(vectors));
    return vectors;
}

static void check_nearest(const struct fixture *f, struct node_vectors *vectors,
                          const struct drawn_vectors *drawn, unsigned node, bool labelled)
{
    struct similar_node found[LIMIT];
    uint32_t label = WALK_ANY;
    size_t count, want = 0;
    if (labelled && !symbols_find(graph_labels(f->graph), sh_bytes_of("Seen"), &label))
        return;
    const struct similar_query query = {f->places[node], label, LIMIT};
    assert_true(node_vectors_nearest(vectors, &f->reader, &query, found, &count));
    for (unsigned n = 0; n < NODES; n++)
        want += n != node && f->places[n] != WALK_ANY && (!labelled || f->labelled[n]);
    assert_int_equal(count, want < LIMIT ? want : LIMIT);
    for (size_t i = 0; i < count; i++) {
        unsigned n = f->numbers[found[i].place];
        assert_int_not_equal(n, node);
        assert_non_null(graph_node(&f->reader, found[i].place));
        assert_true(!labelled || f->labelled[n]);
        assert_true(fabs(found[i].similarity - cosine(drawn->of[node], drawn->of[n])) <
                    0.02);
        assert_true(i == 0 || found[i].similarity <= found[i - 1].similarity);
    }
    unsigned better = 0; /* than the last, by more than packing makes of it */
    for (unsigned n = 0; n < NODES && count == LIMIT; n++)
        better +=
            n != node && f->places[n] != WALK_ANY && (!labelled || f->labelled[n]) &&
            cosine(drawn->of[node], drawn->of[n]) > found[count - 1].similarity + 0.02;
    assert_true(better < LIMIT);
}

static void the_nearest_that_are_seen_are_found(void **state)
{
    static struct drawn_vectors drawn;
    (void)state;
    for (int i = 0; i < 30; i++) {
        struct fixture f;
        begin(&f);
        draw_vectors(&drawn);
        struct node_vectors *vectors = put_all(&f, &drawn);
        for (unsigned n = 0; n < NODES; n++)
            if (f.places[n] != WALK_ANY) {
                check_nearest(&f, vectors, &drawn, n, false);
                check_nearest(&f, vectors, &drawn, n, true);
            }
        node_vectors_free(&vectors);
        end(&f);
    }
}

static void what_is_known_is_told_by_number_and_text(void **state)
{
    static const float nothing[DIMENSION] = {0}, one[DIMENSION] = {1};
    struct node_vectors *vectors;
    struct similar_node found[LIMIT];
    struct fixture f;
    size_t count;
    (void)state;
    begin(&f);
    unsigned node = draw_seen(&f);
    assert_int_equal(node_vectors_create(1, &vectors), SH_OK);
    node_vectors_reset(vectors, DIMENSION);
    uint32_t place = f.places[node];
    assert_false(node_vectors_has(vectors, place, node + 1, 7));
    assert_int_equal(node_vectors_put(vectors, place, node + 1, 7, nothing), SH_OK);
    assert_true(node_vectors_has(vectors, place, node + 1, 7));
    assert_false(node_vectors_has(vectors, place, node + 1, 8)); /* another text */
    assert_false(node_vectors_has(vectors, place, node + 2, 7)); /* another node */
    const struct similar_query query = {place, WALK_ANY, LIMIT};
    assert_false(node_vectors_nearest(vectors, &f.reader, &query, found, &count));
    assert_int_equal(node_vectors_put(vectors, place, node + 1, 8, one), SH_OK);
    assert_true(node_vectors_nearest(vectors, &f.reader, &query, found, &count));
    assert_int_equal(count, 0);
    assert_int_equal(node_vectors_put(vectors, place + 1000, 99, 1, one), SH_TOOBIG);
    assert_false(node_vectors_has(vectors, place + 1000, 99, 1));
    node_vectors_reset(vectors, 3);
    assert_false(node_vectors_has(vectors, place, node + 1, 8));
    node_vectors_free(&vectors);
    end(&f);
}

/* --- files ------------------------------------------------------------------------ */

struct taking_over {
    const struct kept_vectors *kept;
    struct node_vectors *to;
    size_t count;
};

static void take_over(void *arg, const struct packed_vector *vector)
{
    struct taking_over *taking = arg;
    struct packed_vector found;
    assert_true(kept_vectors_find(taking->kept, vector->number, vector->hash, &found));
    assert_false(
        kept_vectors_find(taking->kept, vector->number, vector->hash + 1, &found));
    assert_false(
        kept_vectors_find(taking->kept, vector->number + 1000, vector->hash, &found));
    assert_true(kept_vectors_find(taking->kept, vector->number, vector->hash, &found));
    assert_true(found.scale == vector->scale);
    assert_memory_equal(found.bytes, vector->bytes, DIMENSION);
    taking->count++;
}

/* Places are others in another process. */
static void vectors_are_kept_in_a_file(void **state)
{
    char dir[] = "/tmp/test_node_vectors-XXXXXX";
    char path[64];
    struct drawn_vectors drawn;
    struct fixture f;
    struct kept_vectors *kept;
    (void)state;
    begin(&f);
    draw_vectors(&drawn);
    struct node_vectors *vectors = put_all(&f, &drawn);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/vectors", dir);
    assert_int_equal(kept_vectors_open(path, &kept), SH_NOTFOUND);
    assert_int_equal(kept_vectors_save(vectors, "a model", path), SH_OK);
    assert_int_equal(kept_vectors_open(path, &kept), SH_OK);
    assert_string_equal(kept_vectors_fingerprint(kept), "a model");
    assert_int_equal(kept_vectors_dimension(kept), DIMENSION);
    struct taking_over taking = {kept, vectors, 0};
    node_vectors_each(vectors, take_over, &taking);
    assert_int_equal(taking.count, NODES);
    struct node_vectors *again;
    assert_int_equal(node_vectors_create(NODES, &again), SH_OK);
    node_vectors_reset(again, DIMENSION);
    for (unsigned n = 0; n < NODES; n++) {
        struct packed_vector found;
        assert_true(kept_vectors_find(kept, n + 1, n, &found));
        assert_int_equal(node_vectors_put_packed(again, place_of(&f, n), &found), SH_OK);
    }
    kept_vectors_close(&kept);
    for (unsigned n = 0; n < NODES; n++)
        if (f.places[n] != WALK_ANY)
            check_nearest(&f, again, &drawn, n, false);
    node_vectors_free(&again);
    node_vectors_free(&vectors);
    end(&f);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void a_file_that_is_not_whole_is_refused(void **state)
{
    static const float one[] = {1, 2, 3};
    char dir[] = "/tmp/test_node_vectors-XXXXXX";
    char path[64];
    char bytes[1024];
    struct node_vectors *vectors;
    struct kept_vectors *kept;
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/vectors", dir);
    assert_int_equal(node_vectors_create(2, &vectors), SH_OK);
    node_vectors_reset(vectors, SH_COUNT(one));
    assert_int_equal(node_vectors_put(vectors, 5, 9, 1, one), SH_OK);
    assert_int_equal(kept_vectors_save(vectors, "m", path), SH_OK);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < len; i++) {
        write_bytes(path, bytes, i);
        assert_int_equal(kept_vectors_open(path, &kept), SH_MALFORMED);
        bytes[i] ^= 4;
        write_bytes(path, bytes, len);
        assert_int_equal(kept_vectors_open(path, &kept), SH_MALFORMED);
        bytes[i] ^= 4;
    }
    write_bytes(path, bytes, len);
    assert_int_equal(kept_vectors_open(path, &kept), SH_OK);
    kept_vectors_close(&kept);
    node_vectors_free(&vectors);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

/* --- texts ------------------------------------------------------------------------ */

static void texts_are(const char *properties, const char *names, const char *want,
                      size_t want_len)
{
    struct graph *graph;
    struct graph_reader reader;
    struct node_text_keys keys;
    struct sh_buffer text = {0};
    uint32_t place;
    const struct graph_node_row row = {.id = {"t", 1},
                                       .properties = sh_bytes_of(properties),
                                       .clearance = 1,
                                       .number = 1};
    const struct graph_changes changes = {.nodes = &row, .node_count = 1};
    assert_int_equal(graph_create(&graph), SH_OK);
    assert_int_equal(graph_apply(graph, &changes), SH_OK);
    assert_int_equal(graph_enter(graph, &reader_of_level_2, &reader), SH_OK);
    assert_true(graph_find_node(&reader, sh_bytes_of("t"), &place));
    node_text_read_keys(names, graph_keys(graph), &keys);
    node_text_write(graph_node(&reader, place), &keys, &text);
    assert_int_equal(text.err, SH_OK);
    assert_int_equal(sh_buffer_bytes(&text).len, want_len);
    if (want_len > 0)
        assert_memory_equal(sh_buffer_bytes(&text).data, want, want_len);
    sh_buffer_free(&text);
    graph_leave(&reader);
    graph_free(&graph);
}

static void a_text_is_made_of_properties_in_order(void **state)
{
    static char properties[9000], want[NODE_TEXT_MAX];
    (void)state;
    texts_are("{\"b\":\"two\",\"a\":\"one\",\"c\":3}", "a,,b,c,none", "one. two", 8);
    texts_are("{\"c\":3,\"d\":\"\"}", "c,d", "", 0);
    texts_are("{\"a\":\"one\"}", "", "", 0);
    /* 1 + 2 n bytes: what is over is cut between characters */
    size_t at = (size_t)snprintf(properties, sizeof(properties), "{\"a\":\"x");
    want[0] = 'x';
    for (size_t i = 0; i < NODE_TEXT_MAX; i++)
        at += (size_t)snprintf(properties + at, sizeof(properties) - at, "é");
    (void)snprintf(properties + at, sizeof(properties) - at, "\"}");
    for (size_t i = 1; i + 1 < NODE_TEXT_MAX; i++)
        want[i] = "é"[(i + 1) % 2];
    texts_are(properties, "a", want, NODE_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_that_are_seen_are_found),
        cmocka_unit_test(what_is_known_is_told_by_number_and_text),
        cmocka_unit_test(vectors_are_kept_in_a_file),
        cmocka_unit_test(a_file_that_is_not_whole_is_refused),
        cmocka_unit_test(a_text_is_made_of_properties_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
