/* Files in and out: POST /api/documents as a form, GET /api/documents/{id}/file. Search
 * is the test's own; the store is a real directory. */
struct fixture;
static void before_edge(struct fixture *f);
#define BEFORE_EDGE(f) before_edge(f)
#include "gateway_fixture.h"

#include "services/gateway/uploads/file_name.h"
#include "services/gateway/uploads/range.h"

#define BOUNDARY "XxXx"
#define FORM     "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"
#define FILE_PART(name)                                                                  \
    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" name  \
    "\"\r\nContent-Type: text/plain\r\n\r\n"
#define FIELD(name, value)                                                               \
    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value  \
    "\r\n"
#define END "--" BOUNDARY "--\r\n"
/* SHA-256 of "hello" */
#define HELLO_HASH "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static struct {
    char where[96];
    int claims, puts, releases;
    enum sh_err refuse_claim, refuse_put;
    const char *code;
    bool hold_put;
    struct sh_rpc_call *held;
    char said[1024]; /* of the last put */
    struct file_info info;
} search;

static void on_claim(void *arg, struct sh_rpc_call *call)
{
    struct file_claimed claimed = {7};
    (void)arg;
    search.claims++;
    if (search.refuse_claim != SH_OK)
        sh_rpc_fail(call, search.refuse_claim, NULL, NULL, "no");
    else
        sh_rpc_reply(call, file_claimed_desc(), &claimed);
}

static void on_release(void *arg, struct sh_rpc_call *call)
{
    struct file_claimed claimed;
    struct empty nothing = {0};
    (void)arg;
    if (sh_rpc_call_decode(call, file_claimed_desc(), &claimed) != SH_OK)
        return;
    assert_int_equal(claimed.claim, 7);
    search.releases++;
    sh_rpc_reply(call, empty_desc(), &nothing);
}

static void file_reply(struct sh_rpc_call *call)
{
    struct document_put_reply document = {.document_id = sh_bytes_of("doc_1"),
                                          .chunks = 3,
                                          .created = true,
                                          .xid = 9,
                                          .visible = true};
    struct file_put_reply reply = {.stored = &document,
                                   .stored_count = 1,
                                   .file_type = sh_bytes_of("text/plain"),
                                   .pages = 2,
                                   .report = sh_bytes_of("{\"sections\":1}")};
    sh_rpc_reply(call, file_put_reply_desc(), &reply);
}

#define TEXT(bytes) (int)(bytes).len, (bytes).len > 0 ? (const char *)(bytes).data : ""

static void on_file_put(void *arg, struct sh_rpc_call *call)
{
    struct file_put put;
    (void)arg;
    if (sh_rpc_call_decode(call, file_put_desc(), &put) != SH_OK)
        return;
    search.puts++;
    (void)snprintf(search.said, sizeof search.said,
                   "%.*s|%.*s|%u|%.*s|id %.*s|title %.*s|in %.*s|%.*s", TEXT(put.hash),
                   TEXT(put.name), (unsigned)put.size, TEXT(put.declared_type),
                   TEXT(put.document->id), TEXT(put.document->title),
                   TEXT(put.document->collection), TEXT(put.document->metadata));
    if (search.hold_put)
        search.held = call;
    else if (search.refuse_put != SH_OK)
        sh_rpc_fail(call, search.refuse_put, search.code, NULL, "it cannot be read");
    else
        file_reply(call);
}

static void on_file_info(void *arg, struct sh_rpc_call *call)
{
    struct file_ref ref;
    (void)arg;
    if (sh_rpc_call_decode(call, file_ref_desc(), &ref) != SH_OK)
        return;
    if (sh_bytes_is(ref.document_id, "doc_1"))
        sh_rpc_reply(call, file_info_desc(), &search.info);
    else
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
}

static void before_edge(struct fixture *f)
{
    static const struct {
        uint32_t method;
        sh_rpc_handler_fn *handler;
    } all[] = {{METHOD_FILE_CLAIM, on_claim},
               {METHOD_FILE_RELEASE, on_release},
               {METHOD_FILE_PUT, on_file_put},
               {METHOD_FILE_INFO, on_file_info}};

    memset(&search, 0, sizeof search);
    for (size_t i = 0; i < SH_COUNT(all); i++)
        assert_int_equal(sh_rpc_server_add(f->search, all[i].method,
                                           method_name(all[i].method), 0, all[i].handler,
                                           f),
                         SH_OK);
    (void)snprintf(search.where, sizeof search.where, "dir:%s/files", f->folder);
    f->gateway.file_config = (struct sh_file_config){search.where, ""};
    f->gateway.config.max_file_mb = 1;
}

static bool is_kept(const struct fixture *f, const char *hash)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/files/%.2s/%s", f->folder, hash, hash);
    return access(path, F_OK) == 0;
}

static long spooled(const struct fixture *f)
{
    char command[160], text[16] = "";
    (void)snprintf(command, sizeof command, "ls '%s/files/spool' | wc -l", f->folder);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(text, sizeof text, out));
    assert_int_equal(pclose(out), 0);
    return strtol(text, NULL, 10);
}

static const char *upload(struct fixture *f, const char *body)
{
    return post(f, "/api/documents", FORM, body);
}

/* --- in
 * --------------------------------------------------------------------------------- */

static void a_file_becomes_a_document(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        upload(f, FIELD("id", "a") FIELD("title", " T ") FIELD("unknown", "x")
                      FILE_PART("C:\\\\dir\\\\notes.txt") "hello\r\n" FIELD(
                          "metadata", "{\"department\":\"X\",\"language\":\"de\"}")
                          FIELD("language", "en") FIELD("collection", "c") END);

    assert_says(answer, "HTTP/1.1 201 ");
    assert_says(answer, "\"document_id\":\"doc_1\",\"chunks\":3,\"pending_embedding\":0,"
                        "\"created\":true,\"unchanged\":false,\"file\":{\"name\":"
                        "\"notes.txt\",\"type\":\"text/plain\",\"size\":5,\"sha256\":"
                        "\"" HELLO_HASH "\",\"pages\":2},\"report\":{\"sections\":1},"
                        "\"visible\":true}");
    assert_string_equal(search.said,
                        HELLO_HASH "|notes.txt|5|text/plain|id a|title T|in c|"
                                   "{\"department\":\"X\",\"language\":\"en\"}");
    assert_true(is_kept(f, HELLO_HASH));
    pump_until(f, search.releases == 1);
    assert_int_equal(search.claims, 1);
    pump_until(f, spooled(f) == 0);
}

static void assert_answer(const char *answer, const char *status, const char *part)
{
    assert_memory_equal(answer + 9, status, 3);
    assert_says(answer, part);
}

static void what_is_wrong_with_a_form_is_said(void **state)
{
    static const struct {
        const char *body;
        const char *status;
        const char *part;
    } all[] = {
        {FIELD("title", "x") END, "400", "there is no part named file"},
        {FILE_PART("a") "x\r\n" FILE_PART("b") "y\r\n" END, "400",
         "an upload has one file"},
        {FILE_PART("") "\r\n" END, "400", "\"field\":\"file\""},
        {FIELD("file", "x") END, "400", "\"field\":\"file\""},
        {"--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"other\"; "
         "filename=\"a\"\r\n\r\nx\r\n" END,
         "400", "the file belongs in the part file"},
        {FIELD("id", "a") FIELD("id", "b") FILE_PART("a") "x\r\n" END, "400",
         "a field may come once"},
        {FIELD("metadata", "[1]") FILE_PART("a") "x\r\n" END, "400",
         "\"field\":\"metadata\""},
        {FIELD("metadata", "{\"a\":1,") FILE_PART("a") "x\r\n" END, "400",
         "\"field\":\"metadata\""},
        {FIELD("id", "a\tb") FILE_PART("a") "x\r\n" END, "400", "\"field\":\"id\""},
        {FIELD("id", "a\xff") FILE_PART("a") "x\r\n" END, "400", "id must be UTF-8"},
        {FIELD("id", "a\xff") FILE_PART("a") "x\r\n" END, "400", "\"field\":\"id\""},
        {FIELD("title", "\xc3") FILE_PART("a") "x\r\n" END, "400", "\"field\":\"title\""},
        {FIELD("collection", "\xc3(") FILE_PART("a") "x\r\n" END, "400",
         "\"field\":\"collection\""},
        {FIELD("language", "\xff") FILE_PART("a") "x\r\n" END, "400",
         "\"field\":\"language\""},
        {FILE_PART("a") "x", "400", "malformed_multipart"},
        {FILE_PART("a") "x\r\n--" BOUNDARY "x", "400", "malformed_multipart"},
        {"", "400", "malformed_multipart"},
        {FILE_PART("a") "\r\n" END, "422", "unreadable_document"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < SH_COUNT(all); i++) {
        assert_answer(upload(f, all[i].body), all[i].status, all[i].part);
    }
    assert_int_equal(search.puts, 0);
    pump_until(f, search.claims == search.releases);
    pump_until(f, spooled(f) == 0);
    assert_says(post(f, "/api/documents", "Content-Type: multipart/form-data\r\n", "x"),
                "malformed_multipart");
    assert_says(post(f, "/api/documents", FORM "Content-Encoding: gzip\r\n", "x"),
                " 415 ");
    assert_says(post(f, "/api/documents/batch", FORM, "x"), " 415 "); /* only documents */
}

static void too_large_a_file_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char before[] = FILE_PART("a"), after[] = "\r\n" END;
    const size_t file = (1 << 20) + 1, len = sizeof before - 1 + file + sizeof after - 1;
    char *body = malloc(len);
    char head[256];
    int fd = dial(f);

    /* said at once, before anything came */
    (void)snprintf(head, sizeof head,
                   "POST /api/documents HTTP/1.1\r\nHost: x\r\n" FORM
                   "Content-Length: 5000000\r\n\r\n");
    say(fd, head);
    pump_until(f, heard(f, fd, "HTTP/1.1 413 "));
    close(fd);
    /* and where the form has room for it, but the file is over its limit */
    assert_non_null(body);
    memcpy(body, before, sizeof before - 1);
    memset(body + sizeof before - 1, 'x', file);
    memcpy(body + len - (sizeof after - 1), after, sizeof after - 1);
    fd = dial(f);
    (void)snprintf(head, sizeof head,
                   "POST /api/documents HTTP/1.1\r\nHost: x\r\n" FORM
                   "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                   len);
    say(fd, head);
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(fd, body + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            break;
        at += sent > 0 ? (size_t)sent : 0;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    pump_until(f, heard(f, fd, "HTTP/1.1 413 "));
    assert_says(f->heard, "\"field\":\"file\"");
    close(fd);
    free(body);
    pump_until(f, spooled(f) == 0);
    assert_int_equal(search.claims, 0);
}

static void a_refusal_of_search_is_told_and_the_claim_ends(void **state)
{
    struct fixture *f = *state;

    search.refuse_put = SH_CONFLICT;
    search.code = "some_code";
    assert_says(upload(f, FILE_PART("a") "hello\r\n" END), "\"code\":\"some_code\"");
    pump_until(f, search.releases == 1);
    search.refuse_put = SH_INTERNAL; /* it may have been stored */
    assert_says(upload(f, FILE_PART("a") "hello\r\n" END), "HTTP/1.1 500 ");
    search.refuse_put = SH_OK;
    search.refuse_claim = SH_BUSY;
    assert_says(upload(f, FILE_PART("a") "other\r\n" END), "HTTP/1.1 503 ");
    search.refuse_claim = SH_OK;
    assert_says(upload(f, FILE_PART("a") "hello\r\n" END), "HTTP/1.1 201 ");
    pump_until(f, search.releases == 2); /* one stays: its outcome is not known */
    assert_false(
        is_kept(f, "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"));
}

static void who_leaves_early_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);

    say(fd, "POST /api/documents HTTP/1.1\r\nHost: x\r\n" FORM
            "Content-Length: 5000\r\n\r\n" FILE_PART("a") "hello");
    pump_until(f, spooled(f) == 1);
    hang_up(fd);
    pump_until(f, spooled(f) == 0);
    assert_int_equal(search.claims, 0);
}

static void who_leaves_late_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    char request[1024];
    const char *body = FILE_PART("a") "hello\r\n" END;

    search.hold_put = true;
    (void)snprintf(request, sizeof request,
                   "POST /api/documents HTTP/1.1\r\nHost: x\r\n" FORM
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    say(fd, request);
    pump_until(f, search.held != NULL);
    hang_up(fd);
    pump_until(f, sh_http_server_connections(f->edge.server) == 0);
    file_reply(search.held);
    pump_until(f, search.releases == 1); /* the document is stored all the same */
    assert_true(is_kept(f, HELLO_HASH));
}

/* --- out
 * -------------------------------------------------------------------------------- */

static void keep_hello(struct fixture *f)
{
    (void)upload(f, FILE_PART("a") "hello\r\n" END);
    search.info = (struct file_info){.document_id = sh_bytes_of("doc_1"),
                                     .hash = sh_bytes_of(HELLO_HASH),
                                     .name = sh_bytes_of("h\xc3\xa9llo \"x\".txt"),
                                     .type = sh_bytes_of("text/html"),
                                     .size = 5};
}

static const char *fetch(struct fixture *f, const char *method, const char *more)
{
    char request[512];
    (void)snprintf(request, sizeof request,
                   "%s /api/documents/doc_1/file HTTP/1.1\r\nHost: x\r\n%s"
                   "Connection: close\r\n\r\n",
                   method, more);
    return ask(f, request);
}

static const char *body_of(const char *answer)
{
    return strstr(answer, "\r\n\r\n") + 4;
}

static void a_file_is_given_back_as_it_came(void **state)
{
    struct fixture *f = *state;

    keep_hello(f);
    const char *answer = fetch(f, "GET", "");
    assert_says(answer, "HTTP/1.1 200 ");
    assert_says(answer, "Content-Type: text/html\r\n");
    assert_says(answer, "Content-Length: 5\r\n");
    assert_says(answer, "ETag: \"" HELLO_HASH "\"\r\n");
    assert_says(answer, "Accept-Ranges: bytes\r\n");
    assert_says(answer, "Content-Disposition: attachment; filename=\"h_llo _x_.txt\"; "
                        "filename*=UTF-8''h%C3%A9llo%20%22x%22.txt\r\n");
    assert_says(answer, "Content-Security-Policy: default-src 'none'; frame-ancestors "
                        "'none'; sandbox\r\n");
    assert_string_equal(body_of(answer), "hello");
    answer = fetch(f, "HEAD", "");
    assert_says(answer, "Content-Length: 5\r\n");
    assert_string_equal(body_of(answer), "");
    assert_says(get(f, "/api/documents/other/file"), "HTTP/1.1 404 ");
}

static void parts_of_a_file_can_be_had(void **state)
{
    struct fixture *f = *state;

    keep_hello(f);
    const char *answer = fetch(f, "GET", "Range: bytes=1-2\r\n");
    assert_says(answer, "HTTP/1.1 206 ");
    assert_says(answer, "Content-Range: bytes 1-2/5\r\n");
    assert_says(answer, "Content-Length: 2\r\n");
    assert_string_equal(body_of(answer), "el");
    assert_string_equal(body_of(fetch(f, "GET", "Range: bytes=-2\r\n")), "lo");
    answer = fetch(f, "GET", "Range: bytes=5-\r\n");
    assert_says(answer, "HTTP/1.1 416 ");
    assert_says(answer, "Content-Range: bytes */5\r\n");
    answer = fetch(f, "GET", "Range: bytes=1-2\r\nIf-Range: \"" HELLO_HASH "\"\r\n");
    assert_says(answer, "HTTP/1.1 206 ");
    answer = fetch(f, "GET", "Range: bytes=1-2\r\nIf-Range: \"else\"\r\n");
    assert_says(answer, "HTTP/1.1 200 ");
    answer = fetch(f, "GET", "If-None-Match: \"x\", W/\"" HELLO_HASH "\"\r\n");
    assert_says(answer, "HTTP/1.1 304 ");
    assert_string_equal(body_of(answer), "");
}

static void a_file_that_is_lost_is_no_empty_file(void **state)
{
    struct fixture *f = *state;

    keep_hello(f);
    search.info.size = 6;
    assert_says(fetch(f, "GET", ""), "HTTP/1.1 500 ");
    search.info.hash =
        sh_bytes_of("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_says(fetch(f, "GET", ""), "HTTP/1.1 500 ");
}

/* --- names and ranges
 * ------------------------------------------------------------------- */

static void assert_name(const char *raw, const char *clean)
{
    char out[FILE_NAME_MAX];
    assert_int_equal(file_name_clean(sh_bytes_of(raw), out), SH_OK);
    assert_string_equal(out, clean);
}

static void names_are_harmless(void **state)
{
    char longest[1000], out[FILE_NAME_MAX], disposition[1100];
    (void)state;

    assert_name("report.pdf", "report.pdf");
    assert_name("../../etc/passwd", "passwd");
    assert_name("C:\\temp\\a.txt", "a.txt");
    assert_name("", "file");
    assert_name("/", "file");
    assert_name("..", "file");
    assert_name(". .", "file");
    assert_name("a\r\nSet-Cookie: x", "a Set-Cookie: x");
    assert_name("  a \t b  ", "a b");
    assert_name("a\x01\x7f"
                "b",
                "ab");
    assert_name("\xe2\x80\xae"
                "fdp.exe",
                "fdp.exe");                       /* written from right to left */
    assert_name("e\xcc\x81.txt", "\xc3\xa9.txt"); /* NFC */
    assert_name("a\xff\xfe"
                "b",
                "ab");
    memset(longest, 'x', sizeof longest);
    (void)snprintf(longest + 900, 16, ".docx");
    assert_int_equal(file_name_clean(sh_bytes_of(longest), out), SH_OK);
    assert_int_equal(strlen(out), FILE_NAME_MAX - 1);
    assert_string_equal(out + FILE_NAME_MAX - 6, ".docx");
    for (size_t i = 0; i + 3 < 900; i += 3)
        for (size_t k = 0; k < 3; k++)
            longest[i + k] = "\xe2\x82\xac"[k];
    assert_int_equal(file_name_clean(sh_bytes_of(longest), out), SH_OK);
    file_name_disposition(out, disposition, sizeof disposition);
    assert_says(disposition, "filename*=UTF-8''%E2%82%AC");
    assert_null(strpbrk(disposition, "\r\n"));
    file_name_disposition("abcdefgh", disposition, 40); /* no room for the long form */
    assert_string_equal(disposition + strlen(disposition) - 1, "\"");
}

static void assert_range(const char *header, uint64_t size, enum range_verdict verdict,
                         uint64_t first, uint64_t last)
{
    uint64_t from = 0, to = 0;
    assert_int_equal(range_read(sh_bytes_of(header), size, &from, &to), verdict);
    if (verdict == RANGE_PART) {
        assert_int_equal(from, first);
        assert_int_equal(to, last);
    }
}

static void ranges_are_read_by_the_letter(void **state)
{
    (void)state;
    assert_range("bytes=0-0", 10, RANGE_PART, 0, 0);
    assert_range("bytes=0-", 10, RANGE_PART, 0, 9);
    assert_range("bytes=5-99", 10, RANGE_PART, 5, 9);
    assert_range("bytes=-3", 10, RANGE_PART, 7, 9);
    assert_range("bytes=-99", 10, RANGE_PART, 0, 9);
    assert_range("BYTES=1-2", 10, RANGE_PART, 1, 2);
    assert_range("bytes=10-", 10, RANGE_NOTHING, 0, 0);
    assert_range("bytes=-0", 10, RANGE_NOTHING, 0, 0);
    assert_range("bytes=0-", 0, RANGE_NOTHING, 0, 0);
    assert_range("bytes=2-1", 10, RANGE_WHOLE, 0, 0);
    assert_range("bytes=1-2,4-5", 10, RANGE_WHOLE, 0, 0);
    assert_range("bytes=", 10, RANGE_WHOLE, 0, 0);
    assert_range("bytes=a-b", 10, RANGE_WHOLE, 0, 0);
    assert_range("lines=1-2", 10, RANGE_WHOLE, 0, 0);
    assert_range("bytes=1-99999999999999999999999", 10, RANGE_WHOLE, 0, 0);
    assert_true(range_names(sh_bytes_of("*"), "\"a\"", true));
    assert_true(range_names(sh_bytes_of("\"b\", \"a\""), "\"a\"", false));
    assert_false(range_names(sh_bytes_of("W/\"a\""), "\"a\"", false));
    assert_false(range_names(sh_bytes_of("\"ab\""), "\"a\"", true));
}

static int tear_down_files(void **state)
{
    const struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s/files'", f->folder);
    assert_int_equal(system(command), 0);
    return tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_files)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_becomes_a_document),
        TEST(what_is_wrong_with_a_form_is_said),
        TEST(too_large_a_file_is_refused),
        TEST(a_refusal_of_search_is_told_and_the_claim_ends),
        TEST(who_leaves_early_leaves_nothing),
        TEST(who_leaves_late_is_not_waited_for),
        TEST(a_file_is_given_back_as_it_came),
        TEST(parts_of_a_file_can_be_had),
        TEST(a_file_that_is_lost_is_no_empty_file),
        cmocka_unit_test(names_are_harmless),
        cmocka_unit_test(ranges_are_read_by_the_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
