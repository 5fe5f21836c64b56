#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/embedder/model/pack.h"
#include "services/embedder/model/pack_format.h"
#include "services/embedder/model/tokenizer.h"
#include "services/embedder/model/trie.h"
#include "services/embedder/model/use_lite.h"
#include "shared/mem.h"

static char dir[] = "/tmp/test-pack-XXXXXX";
static char path[64];
static const float row[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t source[PACK_DIGEST_BYTES] = {0xab, 0xcd};

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/pack", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir); /* fails when a temporary file was left */
}

static void write_pack(void)
{
    const struct pack_tensor tensors[] = {
        {"row", PACK_F32, 1, 8, row},
        {"bytes", PACK_RAW, 5, 1, "hello"},
    };
    assert_int_equal(pack_write(path, source, tensors, 2), SH_OK);
}

static void gives_back_what_was_written(void **state)
{
    (void)state;
    write_pack();
    struct pack *pack = NULL;
    assert_int_equal(pack_open(path, &pack, NULL), SH_OK);
    const float *got = pack_tensor(pack, "row", PACK_F32, 1, 8);
    assert_non_null(got);
    assert_int_equal((uintptr_t)got % PACK_ALIGN, 0);
    assert_memory_equal(got, row, sizeof(row));
    assert_memory_equal(pack_tensor(pack, "bytes", PACK_RAW, 0, 1), "hello", 5);
    assert_int_equal(pack_rows(pack, "bytes"), 5);
    assert_memory_equal(pack_source(pack), source, sizeof(source));
    assert_null(pack_tensor(pack, "row", PACK_F32, 1, 9));
    assert_null(pack_tensor(pack, "row", PACK_F64, 1, 8));
    assert_null(pack_tensor(pack, "none", PACK_F32, 1, 8));
    pack_rest(pack);
    assert_memory_equal(got, row, sizeof(row)); /* the pages come back */
    pack_close(&pack);
    assert_null(pack);
}

static size_t read_file(uint8_t *out, size_t room)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, room, f);
    assert_int_equal(fclose(f), 0);
    return n;
}

static void write_file(const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* Each byte in turn, and each length. */
static void a_damaged_file_is_refused(void **state)
{
    (void)state;
    write_pack();
    static uint8_t good[1024];
    size_t len = read_file(good, sizeof(good));
    assert_true(len > sizeof(struct pack_header) && len < sizeof(good));
    for (size_t i = 0; i < len; i++) {
        bool unused = i >= offsetof(struct pack_header, source) &&
                      i < offsetof(struct pack_header, digest);
        unused = unused || (i >= offsetof(struct pack_header, reserved) &&
                            i < sizeof(struct pack_header));
        if (unused)
            continue; /* says where the weights come from, no more */
        uint8_t bad[1024];
        struct pack *pack = NULL;
        const char *why = NULL;
        memcpy(bad, good, len);
        bad[i] ^= 0x10;
        write_file(bad, len);
        assert_int_equal(pack_open(path, &pack, &why), SH_MALFORMED);
        assert_null(pack);
        assert_non_null(why);
        write_file(good, i);
        assert_int_equal(pack_open(path, &pack, &why), SH_MALFORMED);
    }
}

static void another_pack_is_not_the_model(void **state)
{
    (void)state;
    write_pack();
    struct use_lite *model = NULL;
    const char *why = NULL;
    assert_int_equal(use_lite_open(path, &kernel_generic, &model, &why), SH_MALFORMED);
    assert_null(model);
    unlink(path);
    assert_int_equal(use_lite_open(path, &kernel_generic, &model, &why), SH_NOTFOUND);
    assert_int_equal(use_lite_convert(dir, path, &why), SH_MALFORMED);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    int failures = 0;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct pack *pack = NULL;
        const struct pack_tensor tensor = {"row", PACK_F32, 1, 8, row};
        sh_mem_fail_after(failures);
        err = pack_write(path, source, &tensor, 1);
        if (err == SH_OK)
            err = pack_open(path, &pack, NULL);
        sh_mem_fail_after(-1);
        pack_close(&pack);
        assert_true(err == SH_OK || err == SH_NOMEM || err == SH_MALFORMED);
    }
    assert_true(failures > 1);
}

/* --- the vocabulary --------------------------------------------------------------- */

#define MARK "\xe2\x96\x81"

static struct sh_buffer units;

static struct tokenizer make_tokenizer(const char *const *pieces, const double *scores,
                                       size_t count)
{
    static struct trie_entry entries[32];
    for (size_t i = 1; i < count; i++)
        entries[i - 1] = (struct trie_entry){sh_bytes_of(pieces[i]), (int32_t)i};
    sh_buffer_free(&units);
    assert_int_equal(trie_build(entries, count - 1, &units), SH_OK);
    return (struct tokenizer){
        .trie = {(const struct trie_unit *)(const void *)units.data,
                 (uint32_t)(units.len / sizeof(struct trie_unit))},
        .scores = scores,
        .count = count,
    };
}

static void check_pieces(const struct tokenizer *tokenizer, const char *text,
                         const uint32_t *want, size_t count)
{
    struct pieces pieces;
    assert_int_equal(tokenizer_encode(tokenizer, sh_bytes_of(text), 100, &pieces), SH_OK);
    assert_int_equal(pieces.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pieces.ids[i], want[i]);
    pieces_free(&pieces);
}

static void the_likeliest_split_wins(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "",  MARK,      "a", "b", "ab", "abc", "\xe2\x96\x81\x61" /* mark, a */,
        "c", "\xc3\xa9"};
    static const double scores[] = {0, -1, -2, -2, -3, -9, -2.5, -2, -4};
    struct tokenizer t = make_tokenizer(pieces, scores, SH_COUNT(pieces));
    check_pieces(&t, "abc", (const uint32_t[]){1, 4, 7}, 3);    /* ▁ ab c: -6 */
    check_pieces(&t, "a b", (const uint32_t[]){6, 1, 3}, 3);    /* ▁a ▁ b */
    check_pieces(&t, "xyz", (const uint32_t[]){1, 0}, 2);       /* a run of unknowns */
    check_pieces(&t, "xaz", (const uint32_t[]){1, 0, 2, 0}, 4); /* two */
    check_pieces(&t, "e\xcc\x81", (const uint32_t[]){1, 8}, 2); /* composed by NFKC */
    check_pieces(&t, "\xef\xbd\x81", (const uint32_t[]){6}, 1); /* fullwidth a */
    check_pieces(&t, "\xc2\xa0", (const uint32_t[]){1, 1}, 2);  /* a space, too */
    check_pieces(&t, "", NULL, 0);
    struct pieces cut;
    assert_int_equal(tokenizer_encode(&t, sh_bytes_of("bbbb"), 2, &cut), SH_OK);
    assert_true(cut.cut && cut.count == 2 && cut.ids[1] == 3);
    pieces_free(&cut);
    struct sh_bytes bad = {"\xe2\x96", 2};
    assert_int_equal(tokenizer_encode(&t, bad, 9, &cut), SH_MALFORMED);
    sh_buffer_free(&units);
}

static void every_key_is_found_and_no_other(void **state)
{
    (void)state;
    enum { KEYS = 3000 };
    static char keys[KEYS][8];
    static struct trie_entry entries[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%zx", i * 2654435761u % 0xfffff);
        entries[i] = (struct trie_entry){sh_bytes_of(keys[i]), (int32_t)i};
    }
    struct sh_buffer out = {0};
    assert_int_equal(trie_build(entries, KEYS, &out), SH_OK);
    struct trie trie = {(const struct trie_unit *)(const void *)out.data,
                        (uint32_t)(out.len / sizeof(struct trie_unit))};
    for (size_t i = 0; i < KEYS; i++) {
        uint32_t at = 0;
        for (const char *c = keys[i]; *c; c++)
            assert_true(trie_step(&trie, &at, (uint8_t)*c));
        int32_t value = trie.units[at].value;
        assert_true(value >= 0);
        assert_string_equal(keys[value], keys[i]);
        assert_false(trie_step(&trie, &at, 'z'));
    }
    sh_buffer_free(&out);
    assert_int_equal(trie_build(entries, 0, &out), SH_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(a_damaged_file_is_refused),
        cmocka_unit_test(another_pack_is_not_the_model),
        cmocka_unit_test(survives_every_allocation_failure),
        cmocka_unit_test(the_likeliest_split_wins),
        cmocka_unit_test(every_key_is_found_and_no_other),
    };
    return cmocka_run_group_tests_name("pack", tests, set_up, tear_down);
}
