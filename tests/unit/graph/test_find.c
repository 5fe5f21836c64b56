/* Finding nodes by their names: random graphs that change, each question compared with
 * one that looks at everything, for callers of several rights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/access.h"
#include "services/graph/find/finder.h"
#include "tests/unit/graph/there.h"

enum { NODES = 2100, BATCHES = 30, NAME_ROOM = 64, QUESTIONS = 3 };

static unsigned draw(unsigned below)
{
    static uint64_t state = 88172645463325252U; /* xorshift64 (Marsaglia 2003) */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* --- folding, mistakes ------------------------------------------------------------ */

static void expect_folded(const char *text, const char *want)
{
    struct sh_buffer out = {0};
    fold_text(sh_bytes_of(text), &out);
    sh_buffer_append(&out, "", 1);
    assert_int_equal(out.err, SH_OK);
    assert_string_equal(out.data, want);
    sh_buffer_free(&out);
}

static void names_are_folded(void **state)
{
    (void)state;
    expect_folded("", "");
    expect_folded("  --  ", "");
    expect_folded("Newton's LAW, 2nd", "newton s law 2nd");
    expect_folded("L'Été à Zürich", "l ete a zurich");
    expect_folded("Straße", "strasse");
    expect_folded("ﬁne ½", "fine 1 2");
    expect_folded("ΣΊΣΥΦΟΣ", "σισυφοσ");
    expect_folded("日本 語", "日本 語");
    expect_folded("a\xff\xfe"
                  "b",
                  "a b");
}

static bool within(const char *left, const char *right, unsigned edits)
{
    return fold_within(sh_bytes_of(left), sh_bytes_of(right), edits);
}

static void mistakes_are_counted(void **state)
{
    (void)state;
    assert_true(within("house", "house", 0));
    assert_true(within("house", "horse", 1));
    assert_true(within("house", "huose", 1)); /* neighbours swapped */
    assert_true(within("house", "hose", 1));
    assert_true(within("house", "houses", 1));
    assert_false(within("house", "horses", 1));
    assert_true(within("house", "horses", 2));
    assert_true(within("zürich", "zurich", 1));
    assert_true(within("日本語", "日木語", 1));
    assert_false(within("日本語", "木木語", 1));
    assert_int_equal(fold_edits(sh_bytes_of("abc")), 0);
    assert_int_equal(fold_edits(sh_bytes_of("abcd")), 1);
    assert_int_equal(fold_edits(sh_bytes_of("üüüü")), 1);
    assert_int_equal(fold_edits(sh_bytes_of("abcdefg")), 1);
    assert_int_equal(fold_edits(sh_bytes_of("abcdefgh")), 2);
}

/* --- the long way ----------------------------------------------------------------- */

struct model_node {
    uint32_t clearance;
    unsigned links; /* to node 0 */
    bool there;
    bool labelled;
    char name[NAME_ROOM]; /* folded already; "": none */
    char title[NAME_ROOM];
    char note[NAME_ROOM]; /* a property that is no name */
};

struct fixture {
    struct graph *graph;
    struct finder *finder;
    struct model_node nodes[NODES];
};

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, by its definition. */
static unsigned distance(const char *a, const char *b)
{
    unsigned d[NAME_ROOM][NAME_ROOM];
    unsigned n = (unsigned)strlen(a);
    unsigned m = (unsigned)strlen(b);
    for (unsigned i = 0; i <= n; i++)
        for (unsigned j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

static enum words_match slow_word(const char *asked, bool last, const char *name)
{
    enum words_match best = MATCH_NONE;
    char copy[NAME_ROOM];
    char *rest = NULL;
    size_t len = strlen(asked);
    unsigned allowed = len >= 8 ? 2 : len >= 4;
    memcpy(copy, name, sizeof(copy));
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        if (strcmp(word, asked) == 0 || (last && strncmp(word, asked, len) == 0))
            best = MATCH_WORDS;
        else if (best == MATCH_NONE && distance(asked, word) <= allowed)
            best = MATCH_FUZZY;
    return best;
}

static enum words_match slow_match(const char *question, const char *name)
{
    enum words_match worst = MATCH_WORDS;
    char copy[NAME_ROOM];
    char *rest = NULL;
    if (strncmp(name, question, strlen(question)) == 0)
        return strcmp(name, question) == 0 ? MATCH_EXACT : MATCH_PREFIX;
    (void)snprintf(copy, sizeof(copy), "%s", question);
    for (char *word = strtok_r(copy, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest)) {
        enum words_match match = slow_word(word, *rest == '\0', name);
        worst = match > worst ? match : worst;
    }
    return worst;
}

/* --- the graph -------------------------------------------------------------------- */

static const char *const vocabulary[] = {
    "house", "horse", "hose",        "houses",    "a",
    "ab",    "green", "greenhouse",  "greenhose", "gerenhuse",
    "oak",   "oaks",  "mathematics", "mathmatics"};

static void draw_text(char text[NAME_ROOM])
{
    size_t words = draw(4);
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < words; i++)
        len += (size_t)snprintf(text + len, NAME_ROOM - len, "%s%s", i > 0 ? " " : "",
                                vocabulary[draw(SH_COUNT(vocabulary))]);
}

static void put_node(struct fixture *f, unsigned n)
{
    struct model_node *node = &f->nodes[n];
    char id[8];
    char json[4 * NAME_ROOM];
    struct sh_bytes label = sh_bytes_of("Kept");
    *node = (struct model_node){
        .there = true, .clearance = 1 + draw(3), .labelled = draw(2) == 0};
    draw_text(node->name);
    draw_text(node->title);
    draw_text(node->note);
    (void)snprintf(id, sizeof(id), "n%u", n);
    (void)snprintf(json, sizeof(json),
                   "{\"name\":\"%s\",\"title\":\"%s\",\"note\":\"%s\"}", node->name,
                   node->title, node->note);
    struct graph_node_row row = {.id = sh_bytes_of(id),
                                 .labels = &label,
                                 .label_count = node->labelled,
                                 .properties = sh_bytes_of(json),
                                 .clearance = node->clearance};
    struct graph_changes changes = {.nodes = &row, .node_count = 1};
    assert_int_equal(graph_apply(f->graph, &changes), SH_OK);
}

static void drop_node(struct fixture *f, unsigned n)
{
    char id[8];
    (void)snprintf(id, sizeof(id), "n%u", n);
    struct sh_bytes gone = sh_bytes_of(id);
    struct graph_changes changes = {.gone_nodes = &gone, .gone_node_count = 1};
    f->nodes[n].there = false;
    assert_int_equal(graph_apply(f->graph, &changes), SH_OK);
}

static int set_up(void **state)
{
    struct fixture *f = sh_alloc(sizeof(*f));
    assert_non_null(f);
    assert_int_equal(graph_create(&f->graph), SH_OK);
    assert_int_equal(finder_create("name, title", &f->finder), SH_OK);
    for (unsigned n = 0; n < NODES; n++)
        put_node(f, n);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    finder_free(&f->finder);
    graph_free(&f->graph);
    sh_free(f);
    return 0;
}

/* --- comparing -------------------------------------------------------------------- */

static bool may_see(const struct caller *caller, const struct model_node *node)
{
    return node->there && access_judge(caller, node->clearance, sh_bytes_of("")).readable;
}

static enum words_match judge(const struct model_node *node, const char *text, bool note)
{
    if (note)
        return slow_match(text, node->note);
    enum words_match name = slow_match(text, node->name);
    enum words_match title = slow_match(text, node->title);
    return name < title ? name : title;
}

static unsigned number_of(const struct graph_reader *reader, uint32_t place)
{
    struct sh_bytes id = node_there(reader, place)->body->id;
    char text[8] = "";
    memcpy(text, id.data, id.len);
    return (unsigned)strtoul(text + 1, NULL, 10);
}

static void compare(struct fixture *f, const struct graph_reader *reader,
                    const struct caller *caller, const char *text)
{
    bool note = draw(3) == 0;
    bool label = draw(3) == 0;
    const struct find_question question = {.text = sh_bytes_of(text),
                                           .property = sh_bytes_of(note ? "note" : ""),
                                           .label = sh_bytes_of(label ? "Kept" : ""),
                                           .first = draw(5),
                                           .limit = draw(2 * NODES)};
    uint64_t counts[MATCH_NONE + 1] = {0};
    struct sh_arena arena = {0};
    struct find_hits hits;
    assert_int_equal(finder_find(f->finder, reader, &question, NULL, &arena, &hits),
                     SH_OK);
    for (unsigned n = 0; n < NODES; n++)
        if (may_see(caller, &f->nodes[n]) && (!label || f->nodes[n].labelled))
            counts[judge(&f->nodes[n], text, note)]++;
    uint64_t total = 0;
    for (unsigned match = 0; match < MATCH_NONE; match++)
        total += counts[match];
    assert_int_equal(hits.total, total);
    uint64_t left = total > question.first ? total - question.first : 0;
    assert_int_equal(hits.count, left < question.limit ? left : question.limit);
    for (size_t i = 0; i < hits.count; i++) {
        const struct model_node *node = &f->nodes[number_of(reader, hits.hits[i].place)];
        uint64_t before = 0; /* better matches, all of which come first */
        for (unsigned match = 0; match < hits.hits[i].match; match++)
            before += counts[match];
        assert_true(question.first + i >= before);
        assert_true(question.first + i < before + counts[hits.hits[i].match]);
        assert_true(may_see(caller, node));
        assert_int_equal(judge(node, text, note), hits.hits[i].match);
    }
    sh_arena_free(&arena);
}

static void compare_some(struct fixture *f)
{
    for (uint32_t level = 1; level <= 3; level++) {
        const struct caller caller = {.role = sh_bytes_of("student"), .clearance = level};
        struct graph_reader reader;
        char text[NAME_ROOM];
        assert_int_equal(graph_enter(f->graph, &caller, &reader), SH_OK);
        for (int i = 0; i < QUESTIONS; i++) {
            draw_text(text);
            if (text[0] == '\0')
                (void)snprintf(text, sizeof(text), "hou");
            text[strlen(text) - draw(2)] = '\0';
            if (text[0] != '\0' && text[strlen(text) - 1] != ' ')
                compare(f, &reader, &caller, text);
        }
        graph_leave(&reader);
    }
}

static void everything_is_found_whatever_changed(void **state)
{
    struct fixture *f = *state;
    struct caller all = {.schema = 0};
    struct graph_reader before;
    compare_some(f);
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        unsigned first = draw(NODES - 100); /* in one page or two */
        for (unsigned i = draw(30); i > 0; i--)
            draw(4) == 0 ? drop_node(f, first + draw(100))
                         : put_node(f, first + draw(100));
        compare_some(f);
    }
    /* one that is in an older version than the index: it sees that version */
    assert_int_equal(graph_enter(f->graph, &all, &before), SH_OK);
    struct model_node kept[NODES];
    memcpy(kept, f->nodes, sizeof(kept));
    for (unsigned n = 0; n < NODES; n++)
        put_node(f, n);
    compare_some(f);
    memcpy(f->nodes, kept, sizeof(kept));
    compare(f, &before, &all, "green house");
    graph_leave(&before);
}

static void among_equals_the_better_connected_come_first(void **state)
{
    struct fixture *f = *state;
    const struct sh_bytes ids[] = {sh_bytes_of("x"), sh_bytes_of("y"), sh_bytes_of("z")};
    struct graph_node_row nodes[3];
    for (size_t i = 0; i < 3; i++)
        nodes[i] =
            (struct graph_node_row){.id = ids[i],
                                    .properties = sh_bytes_of("{\"name\":\"Quill\"}"),
                                    .clearance = 1};
    const struct graph_edge_row edges[] = {{.id = sh_bytes_of("zy"),
                                            .type = sh_bytes_of("T"),
                                            .from = ids[2],
                                            .to = ids[1],
                                            .properties = sh_bytes_of("{}"),
                                            .clearance = 1},
                                           {.id = sh_bytes_of("zz"),
                                            .type = sh_bytes_of("T"),
                                            .from = ids[2],
                                            .to = ids[2],
                                            .properties = sh_bytes_of("{}"),
                                            .clearance = 1},
                                           {.id = sh_bytes_of("x1"),
                                            .type = sh_bytes_of("T"),
                                            .from = ids[0],
                                            .to = ids[0],
                                            .properties = sh_bytes_of("{}"),
                                            .clearance = 4},
                                           {.id = sh_bytes_of("x2"),
                                            .type = sh_bytes_of("T"),
                                            .from = ids[0],
                                            .to = ids[0],
                                            .properties = sh_bytes_of("{}"),
                                            .clearance = 4}};
    struct graph_changes changes = {
        .nodes = nodes, .node_count = 3, .edges = edges, .edge_count = 4};
    const struct caller caller = {.role = sh_bytes_of("student"), .clearance = 1};
    const struct find_question question = {.text = sh_bytes_of("quill"), .limit = 10};
    struct graph_reader reader;
    struct sh_arena arena = {0};
    struct find_hits hits;
    assert_int_equal(graph_apply(f->graph, &changes), SH_OK);
    assert_int_equal(graph_enter(f->graph, &caller, &reader), SH_OK);
    assert_int_equal(finder_find(f->finder, &reader, &question, NULL, &arena, &hits),
                     SH_OK);
    assert_int_equal(hits.total, 3);
    const char *want = "zyx"; /* what x has is not to be seen */
    for (size_t i = 0; i < 3; i++) {
        struct sh_bytes id = node_there(&reader, hits.hits[i].place)->body->id;
        assert_int_equal(*(const char *)id.data, want[i]);
    }
    sh_arena_free(&arena);
    graph_leave(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_folded),
        cmocka_unit_test(mistakes_are_counted),
        cmocka_unit_test_setup_teardown(everything_is_found_whatever_changed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(among_equals_the_better_connected_come_first,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
