/* Glossaries in files: what is read of each format, and what is refused. Seeds of the
 * fuzz targets are the files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "services/search/extract/child/terms_out.h"

struct read {
    struct terms_out terms;
    json_t *rows;
    json_t *links;
    size_t errors;
    uint64_t count;
    uint64_t total; /* as the batches tell it */
};

static bool on_batch(void *arg, const struct glossary_batch *batch)
{
    struct read *read = arg;
    json_t *rows = json_loadb(batch->terms.data, batch->terms.len, 0, NULL);
    json_t *links = json_loadb(batch->links.data, batch->links.len, 0, NULL);

    assert_int_equal(json_array_extend(read->rows, rows), 0);
    assert_int_equal(json_array_extend(read->links, links), 0);
    read->errors += batch->errors_count;
    if (read->count > 0)
        assert_int_equal(batch->total, read->total); /* known from the first on */
    read->count += batch->rows;
    read->total = batch->total;
    json_decref(rows);
    json_decref(links);
    return true;
}

static struct read *read_bytes(const char *format, struct sh_bytes file)
{
    struct read *read = sh_alloc(sizeof(*read));

    assert_non_null(read);
    read->rows = json_array();
    read->links = json_array();
    read->terms.out.limits = (struct extract_limits){1, 1000000, 32, 100};
    read->terms.emit = on_batch;
    read->terms.arg = read;
    terms_read_file(file, format, &read->terms);
    return read;
}

static struct read *read_seed(const char *format, const char *name)
{
    static char bytes[65536];
    char path[256];
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "tests/fuzz/seeds/fuzz_terms_%s/%s", format, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    return read_bytes(format, (struct sh_bytes){bytes, len});
}

static void close_read(struct read *read)
{
    if (read->terms.out.code == NULL)
        assert_int_equal(read->total, read->count);
    json_decref(read->rows);
    json_decref(read->links);
    terms_free(&read->terms);
    sh_free(read);
}

static const char *field(const struct read *read, size_t row, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_array_get(read->rows, row), name));
    return text != NULL ? text : "";
}

static void has_links(const struct read *read, const char *expected)
{
    char *text = json_dumps(read->links, JSON_COMPACT);

    assert_string_equal(text, expected);
    free(text);
}

static void a_table_has_names_and_relations(void **state)
{
    struct read *read = read_seed("csv", "table");

    (void)state;
    assert_int_equal(read->count, 2);
    assert_int_equal(read->errors, 1); /* clearance 9 */
    assert_string_equal(field(read, 0, "term"), "a \"b\"");
    assert_string_equal(field(read, 0, "domain"), "mills");
    has_links(read, "[[\"1\",\"en\",[\"SYNONYM_OF\",\"2\"],[\"SYNONYM_OF\",\"3\"]]]");
    close_read(read);
}

/* The record's texts cannot hold it: the row fails, not all that come with it. */
static void a_nul_is_refused_by_row(void **state)
{
    static const char file[] =
        "term;synonym_of\nmill;\nmi\0ll;\nvane;m\0ill\nsail;mill\n";
    struct read *read = read_bytes("csv", (struct sh_bytes){file, sizeof(file) - 1});

    (void)state;
    assert_int_equal(read->count, 4);
    assert_int_equal(read->errors, 2);
    assert_int_equal(json_array_size(read->rows), 2);
    assert_string_equal(field(read, 1, "term"), "sail");
    close_read(read);
}

static void json_is_read_entry_by_entry(void **state)
{
    struct read *read = read_seed("json", "array");

    (void)state;
    assert_int_equal(read->count, 4);
    assert_int_equal(read->errors, 2); /* a number for a term, a line of nonsense */
    assert_string_equal(field(read, 1, "term"), "b");
    has_links(read, "[[\"1\",\"en\",[\"BROADER\",\"2\"]]]");
    close_read(read);
}

static void terms_of_a_concept_belong_together(void **state)
{
    struct read *read = read_seed("tbx", "martif");

    (void)state;
    assert_int_equal(read->count, 3);
    assert_int_equal(read->errors, 0);
    assert_string_equal(field(read, 0, "id"), "IATE-1-en-1");
    assert_string_equal(field(read, 0, "definition"), "d & e");
    assert_string_equal(field(read, 1, "term"), "demand");
    assert_string_equal(field(read, 2, "language"), "de");
    assert_string_equal(field(read, 2, "status"), "deprecated");
    assert_string_equal(field(read, 2, "domain"), "law");
    has_links(read, "[[\"IATE-1-en-2\",\"en\",[\"SYNONYM_OF\",\"IATE-1-en-1\"]],"
                    "[\"IATE-1-de-3\",\"de\",[\"TRANSLATION_OF\",\"IATE-1-en-1\"]]]");
    close_read(read);
    read = read_seed("tbx", "own");
    assert_string_equal(field(read, 0, "id"), "a b");
    close_read(read);
}

static void labels_of_a_concept_are_terms(void **state)
{
    struct read *read = read_seed("skos", "thesaurus");

    (void)state;
    assert_int_equal(read->count, 4);
    assert_int_equal(read->errors, 1); /* a concept without a label */
    assert_string_equal(field(read, 0, "id"), "http://x.org/1");
    assert_string_equal(field(read, 0, "status"), "validated");
    assert_string_equal(field(read, 1, "term"), "chat");
    assert_string_equal(field(read, 2, "term"), "puss");
    has_links(read,
              "[[\"http://x.org/1\",\"en\",[\"BROADER\",\"a b\"]],"
              "[\"http://x.org/1#fr-1\",\"fr\",[\"TRANSLATION_OF\",\"http://x.org/1\"]],"
              "[\"http://x.org/1#en-2\",\"en\",[\"SYNONYM_OF\",\"http://x.org/1\"]]]");
    close_read(read);
}

static void a_sheet_has_shared_texts_and_gaps(void **state)
{
    struct read *read = read_seed("xlsx", "shared");

    (void)state;
    assert_int_equal(read->count, 1);
    assert_string_equal(field(read, 0, "term"), "ab");
    assert_string_equal(field(read, 0, "id"), "7");
    close_read(read);
}

static void refused(const char *format, const char *text, const char *code)
{
    struct read *read = read_bytes(format, sh_bytes_of(text));

    assert_string_equal(read->terms.out.code, code);
    close_read(read);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    refused("csv", "a,b\n1,2\n", OUT_DAMAGED);
    refused("json", " ", OUT_NO_TEXT);
    refused("tbx", "<tbx><a>", OUT_DAMAGED);
    refused("tbx", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", OUT_DAMAGED);
    refused("skos", "<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/passwd\">]><a>&b;</a>",
            OUT_DAMAGED);
    refused("xlsx", "PK", OUT_DAMAGED);
    refused("pdf", "x", OUT_TYPE);
}

/* The last of a batch and the first of the next: none is lost, none comes twice. */
static void batches_add_up(void **state)
{
    struct sh_buffer text = {0};
    struct read *read;

    (void)state;
    for (unsigned i = 0; i < 1250; i++)
        sh_buffer_printf(&text, "{\"term\":\"t%u\",\"clearance_level\":%u}\n", i,
                         i % 100 == 7 ? 9 : 1);
    read = read_bytes("json", sh_buffer_bytes(&text));
    assert_int_equal(read->count, 1250);
    assert_int_equal(read->errors, 13);
    assert_int_equal(json_array_size(read->rows), 1237);
    assert_string_equal(field(read, 1236, "term"), "t1249");
    close_read(read);
    sh_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_names_and_relations),
        cmocka_unit_test(a_nul_is_refused_by_row),
        cmocka_unit_test(json_is_read_entry_by_entry),
        cmocka_unit_test(terms_of_a_concept_belong_together),
        cmocka_unit_test(labels_of_a_concept_are_terms),
        cmocka_unit_test(a_sheet_has_shared_texts_and_gaps),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(batches_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
