/* The web pages: what is read of a directory, and which path gets what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "services/gateway/web/pages.h"
#include "shared/mem.h"

static char dir[] = "/tmp/cairn-web-XXXXXX";

static const char *at(const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *text, size_t times)
{
    FILE *file = fopen(at(name), "we");

    assert_non_null(file);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static int make(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(mkdir(at("assets"), 0755), 0);
    put("index.html", "<!doctype html><title>Cairn</title>", 1);
    put("assets/index-abc.js", "console.log('hello');", 100);
    put("assets/notes.xyz", "not of a page", 1);
    put(".hidden.html", "not of a page", 1);
    assert_int_equal(symlink("/etc/passwd", at("assets/passwd.txt")), 0);
    return 0;
}

static int clear(void **state)
{
    static const char *const names[] = {"index.html",        "assets/index-abc.js",
                                        "assets/notes.xyz",  ".hidden.html",
                                        "assets/passwd.txt", "assets/large.js"};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(names); i++)
        (void)unlink(at(names[i]));
    (void)rmdir(at("assets"));
    return rmdir(dir);
}

static struct web_files *read_all(void)
{
    struct web_files *files = NULL;
    char why[256];

    assert_int_equal(web_files_read(dir, &files, why, sizeof why), SH_OK);
    return files;
}

static void reads_what_pages_are_made_of(void **state)
{
    struct web_files *files = read_all();
    const struct web_file *script =
        web_files_find(files, sh_bytes_of("/assets/index-abc.js"));

    (void)state;
    assert_int_equal(web_files_count(files), 2);
    assert_non_null(script);
    assert_string_equal(script->type, "text/javascript; charset=utf-8");
    assert_true(script->hashed);
    assert_int_equal(script->plain.len, 2100);
    assert_in_range(script->packed.len, 20, 300);
    assert_string_not_equal(script->tag, script->packed_tag);
    assert_false(web_files_find(files, sh_bytes_of("/index.html"))->hashed);
    assert_null(web_files_find(files, sh_bytes_of("/assets/passwd.txt")));
    assert_null(web_files_find(files, sh_bytes_of("/assets/notes.xyz")));
    assert_null(web_files_find(files, sh_bytes_of("/.hidden.html")));
    web_files_free(&files);
    assert_null(files);
}

static void packs_what_unpacks_to_the_same(void **state)
{
    struct web_files *files = read_all();
    const struct web_file *script =
        web_files_find(files, sh_bytes_of("/assets/index-abc.js"));
    unsigned char plain[2100];
    z_stream stream = {.next_in = sh_unconst(script->packed.data),
                       .avail_in = (uInt)script->packed.len,
                       .next_out = plain,
                       .avail_out = sizeof plain};

    (void)state;
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_out, 0);
    assert_memory_equal(plain, script->plain.data, sizeof plain);
    assert_int_equal(inflateEnd(&stream), Z_OK);
    web_files_free(&files);
}

static void hostile_paths_find_nothing(void **state)
{
    static const char *const paths[] = {"",
                                        "index.html",
                                        "//index.html",
                                        "/../index.html",
                                        "/assets/../index.html",
                                        "/assets/",
                                        "/assets/passwd.txt",
                                        "/assets/index-abc.js/",
                                        "/assets/index-abc.j",
                                        "/%2e%2e/etc/passwd",
                                        "/../../../../etc/passwd"};
    struct web_files *files = read_all();

    (void)state;
    for (size_t i = 0; i < SH_COUNT(paths); i++)
        assert_null(web_files_find(files, sh_bytes_of(paths[i])));
    assert_null(web_files_find(files, (struct sh_bytes){"/index.html\0x", 13}));
    web_files_free(&files);
}

static void what_cannot_be_read_is_told(void **state)
{
    struct web_files *files = NULL;
    char why[256];

    (void)state;
    assert_int_equal(web_files_read("/nowhere/at/all", &files, why, sizeof why),
                     SH_NOTFOUND);
    assert_non_null(strstr(why, "/nowhere/at/all"));
    assert_int_equal(web_files_read(at("assets"), &files, why, sizeof why), SH_NOTFOUND);
    assert_non_null(strstr(why, "index.html"));
    put("assets/large.js", "x", 1);
    assert_int_equal(truncate(at("assets/large.js"), WEB_FILE_BYTES + 1), 0);
    assert_int_equal(web_files_read(dir, &files, why, sizeof why), SH_TOOBIG);
    assert_null(files);
    assert_int_equal(unlink(at("assets/large.js")), 0);
}

static void each_path_gets_what_belongs_there(void **state)
{
    static const char html[] = "text/html,application/xhtml+xml,*/*;q=0.8";
    static const struct {
        const char *method;
        const char *path;
        const char *accept;
        int status; /* 0: the API answers */
    } cases[] = {
        {"GET", "/", "*/*", 200},
        {"HEAD", "/", html, 200},
        {"POST", "/", html, 0},
        {"GET", "/search", "*/*", 200},
        {"GET", "/documents/guide", html, 200},
        {"GET", "/documentsx", "*/*", 0},
        {"GET", "//api/errors/stats", "*/*", 0},
        {"GET", "/nowhere", html, 404},
        {"GET", "/nowhere", "application/json", 0},
        {"GET", "/nowhere", "", 0},
        {"GET", "/api/nowhere", html, 0},
        {"GET", "/v1/nowhere", html, 0},
        {"GET", "/health/nowhere", html, 0},
        {"GET", "/docs", html, 0},
        {"GET", "/assets/nowhere.js", html, 0},
        {"GET", "/assets/index-abc.js", "*/*", 200},
    };
    struct web_files *files = read_all();

    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct web_choice choice =
            web_choose(files, sh_bytes_of(cases[i].method), sh_bytes_of(cases[i].path),
                       sh_bytes_of(cases[i].accept));
        if (choice.status != cases[i].status)
            fail_msg("%s %s: %d", cases[i].method, cases[i].path, choice.status);
        assert_int_equal(choice.file != NULL, cases[i].status != 0);
    }
    assert_null(
        web_choose(NULL, sh_bytes_of("GET"), sh_bytes_of("/"), sh_bytes_of(html)).file);
    web_files_free(&files);
}

static void gzip_goes_to_who_takes_it(void **state)
{
    static const char *const yes[] = {"gzip", "br, gzip;q=0.5", "deflate , GZIP ",
                                      "gzip; q=0.001"};
    static const char *const no[] = {"",        "br",      "gzip;q=0", "gzip;q=0.000",
                                     "x-gzip2", "gzipped", ";",        ",,"};

    (void)state;
    for (size_t i = 0; i < SH_COUNT(yes); i++)
        assert_true(web_takes_gzip(sh_bytes_of(yes[i])));
    for (size_t i = 0; i < SH_COUNT(no); i++)
        assert_false(web_takes_gzip(sh_bytes_of(no[i])));
    assert_false(web_takes_gzip((struct sh_bytes){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_pages_are_made_of),
        cmocka_unit_test(packs_what_unpacks_to_the_same),
        cmocka_unit_test(hostile_paths_find_nothing),
        cmocka_unit_test(what_cannot_be_read_is_told),
        cmocka_unit_test(each_path_gets_what_belongs_there),
        cmocka_unit_test(gzip_goes_to_who_takes_it),
    };
    return cmocka_run_group_tests(tests, make, clear);
}
