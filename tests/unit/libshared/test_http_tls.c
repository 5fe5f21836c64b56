/* The HTTP server over TLS: the same answers, and nothing of what TLS has grown out of.
 */
#include "tls_fixture.h"

#include <signal.h>
#include <time.h>

#include "shared/mem.h"
#include "shared/metrics.h"

static struct files files;
static struct sh_tls *tls;
static char why[256];

static void respond_body(void *arg, struct sh_http_request *request, enum sh_err err,
                         struct sh_bytes body)
{
    struct fixture *f = arg;
    f->calls++;
    if (err == SH_OK)
        sh_http_respond(request, 200, "text/plain", body);
    else
        sh_http_fail_err(request, err, NULL);
}

static void handler(void *arg, struct sh_http_request *request)
{
    assert_true(sh_http_is_secure(request));
    sh_http_read_all(request, 1 << 20, respond_body, arg);
}

static void serve_tls(struct fixture *f, sh_http_handler_fn *fn,
                      struct sh_http_limits limits)
{
    struct sh_http_server_options options = {
        .host = "127.0.0.1",
        .limits = limits,
        .fixed = {.secure = sh_bytes_of("X-Secure: yes\r\n")},
        .tls = tls,
        .handler = fn,
        .arg = f,
        .metrics_label = "tls-test",
    };
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
}

static void open_tls(uint32_t ticket_s, bool tls13_only)
{
    const struct sh_tls_options options = {files.cert, files.key, tls13_only, ticket_s};
    assert_int_equal(sh_tls_open(&options, &tls, why, sizeof why), SH_OK);
}

static int tls_setup(void **state)
{
    begin(state);
    make_files(&files, "first");
    open_tls(3600, false);
    return 0;
}

static int tls_teardown(void **state)
{
    int rc = teardown(state);
    sh_tls_close(&tls);
    remove_files(&files);
    return rc;
}

static struct heard *new_heard(void)
{
    struct heard *heard = calloc(1, sizeof(*heard));
    assert_non_null(heard);
    return heard;
}

#define SMALL "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST  "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void ask(struct fixture *f, struct client *client, const char *request,
                struct heard *heard)
{
    heard->len = 0;
    heard->data[0] = '\0';
    client_say(f, client, request, strlen(request));
    (void)client_hear(f, client, heard, "\r\n\r\n");
    assert_int_equal(status_of(heard), 200);
}

static double handshakes(const char *result)
{
    struct sh_buffer out = {0};
    char name[128];
    double value = 0;
    (void)snprintf(
        name, sizeof name,
        "cairn_http_tls_handshakes_total{listener=\"tls-test\",result=\"%s\"} ", result);
    sh_metrics_render(&out, false);
    sh_buffer_append(&out, "", 1);
    const char *at = strstr(out.data, name);
    if (at)
        value = strtod(at + strlen(name), NULL);
    sh_buffer_free(&out);
    return value;
}

static void requests_are_answered(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    serve_tls(f, handler, (struct sh_http_limits){0});
    for (size_t i = 0; i < SH_COUNT(versions); i++) {
        struct client client;
        double before = handshakes("ok");
        client_open(f, &client);
        SSL_set_min_proto_version(client.ssl, versions[i]);
        SSL_set_max_proto_version(client.ssl, versions[i]);
        assert_true(client_shake(f, &client));
        ask(f, &client, SMALL, heard);
        assert_non_null(strstr(heard->data, "\r\nX-Secure: yes\r\n"));
        ask(f, &client, SMALL, heard);
        heard->len = 0;
        client_say(f, &client, LAST, strlen(LAST));
        assert_true(client_hear(f, &client, heard, NULL)); /* the end is said */
        assert_int_equal(status_of(heard), 200);
        assert_true(handshakes("ok") == before + 1);
        client_close(&client);
    }
    free(heard);
    assert_int_equal(f->calls, 6);
}

/* What one side writes, the other gets a byte at a time. */
static void records_may_come_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    struct client client;
    char bytes[16384];
    serve_tls(f, handler, (struct sh_http_limits){0});
    client_open(f, &client);
    BIO *out = BIO_new(BIO_s_mem());
    BIO *in = BIO_new_socket(client.fd, BIO_NOCLOSE);
    SSL_set_bio(client.ssl, in, out);
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    bool asked = false;
    while (!strstr(heard->data, "\r\n\r\n")) {
        size_t got = 0;
        ERR_clear_error();
        if (SSL_do_handshake(client.ssl) == 1 && !asked) {
            asked = SSL_write(client.ssl, SMALL, sizeof SMALL - 1) > 0;
            assert_true(asked);
        }
        if (asked && SSL_read_ex(client.ssl, heard->data + heard->len, 4096, &got) == 1)
            heard->len += got;
        int len = BIO_read(out, bytes, sizeof bytes);
        for (int i = 0; i < len; i++) {
            say_bytes(client.fd, bytes + i, 1);
            turn(f, deadline);
        }
        turn(f, deadline);
    }
    assert_int_equal(status_of(heard), 200);
    client_close(&client);
    free(heard);
}

static void long_bodies_come_through(void **state)
{
    enum { LEN = 200000 };
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    struct client client;
    char *body = malloc(LEN);
    assert_non_null(body);
    for (size_t i = 0; i < LEN; i++)
        body[i] = (char)('a' + i * 7 % 26);
    serve_tls(f, handler, (struct sh_http_limits){0});
    client_open(f, &client);
    assert_true(client_shake(f, &client));
    char head[128];
    int len = snprintf(head, sizeof head,
                       "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Content-Length: %d\r\n\r\n",
                       LEN);
    client_say(f, &client, head, (size_t)len);
    client_say(f, &client, body, LEN);
    assert_true(client_hear(f, &client, heard, NULL));
    const char *got = strstr(heard->data, "\r\n\r\n");
    assert_non_null(got);
    assert_int_equal(heard->len - (size_t)(got + 4 - heard->data), LEN);
    assert_memory_equal(got + 4, body, LEN);
    client_close(&client);
    free(body);
    free(heard);
}

static void stream(void *arg)
{
    struct fixture *f = arg;
    struct sh_http_request *request = f->request;
    static char piece[9000];
    memset(piece, 'z', sizeof piece);
    while (f->drains < 2000) {
        f->drains++;
        if (!sh_http_send(request, (struct sh_bytes){piece, sizeof piece}))
            return;
    }
    f->request = NULL;
    sh_http_end(request);
}

static void stream_handler(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->request = request;
    sh_http_begin(request, 200, "text/plain");
    sh_http_on_drained(request, stream, f);
    stream(f);
}

/* 18 MB to a client that reads when it likes: nothing is lost, and little is queued. */
static void streamed_answers_wait_for_slow_readers(void **state)
{
    struct fixture *f = *state;
    struct client client;
    size_t letters = 0;
    serve_tls(f, stream_handler, (struct sh_http_limits){.write_buffer = 65536});
    client_open(f, &client);
    assert_true(client_shake(f, &client));
    client_say(f, &client, LAST, strlen(LAST));
    pump_until(f, f->drains > 0);
    pump_for(f, 5);
    assert_true(f->drains < 2000);
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    for (;;) {
        char bytes[16384];
        size_t got = 0;
        ERR_clear_error();
        if (SSL_read_ex(client.ssl, bytes, sizeof bytes, &got) != 1) {
            if (!would_wait(&client, 0))
                break;
            turn(f, deadline);
        }
        for (size_t i = 0; i < got; i++)
            letters += bytes[i] == 'z';
    }
    assert_int_equal(SSL_get_error(client.ssl, 0), SSL_ERROR_ZERO_RETURN);
    assert_int_equal(letters, 2000 * 9000);
    client_close(&client);
}

static void http11_is_agreed_on_and_nothing_else(void **state)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1";
    static const unsigned char h2[] = "\x02h2";
    struct fixture *f = *state;
    struct client client;
    const unsigned char *chosen;
    unsigned len;
    serve_tls(f, handler, (struct sh_http_limits){0});
    client_open(f, &client);
    SSL_set_alpn_protos(client.ssl, both, sizeof both - 1);
    assert_true(client_shake(f, &client));
    SSL_get0_alpn_selected(client.ssl, &chosen, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    client_close(&client);
    client_open(f, &client);
    SSL_set_alpn_protos(client.ssl, h2, sizeof h2 - 1);
    assert_false(client_shake(f, &client));
    client_close(&client);
}

static void old_versions_and_weak_ciphers_are_refused(void **state)
{
    static const char *const weak[] = {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256",
                                       "ECDHE-ECDSA-AES256-SHA", "eNULL", "aNULL"};
    struct fixture *f = *state;
    struct client client;
    serve_tls(f, handler, (struct sh_http_limits){0});
    double before = handshakes("failed");
    client_open(f, &client);
    SSL_set_min_proto_version(client.ssl, TLS1_VERSION);
    SSL_set_max_proto_version(client.ssl, TLS1_1_VERSION);
    assert_false(client_shake(f, &client));
    client_close(&client);
    for (size_t i = 0; i < SH_COUNT(weak); i++) {
        client_open(f, &client);
        SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
        bool known = SSL_set_cipher_list(client.ssl, weak[i]) == 1;
        assert_false(known && client_shake(f, &client));
        client_close(&client);
    }
    pump_until(f, sh_http_server_connections(f->server) == 0);
    assert_true(handshakes("failed") > before);
}

static void only_13_can_be_asked_for(void **state)
{
    struct fixture *f = *state;
    struct client client;
    sh_tls_close(&tls);
    open_tls(0, true);
    serve_tls(f, handler, (struct sh_http_limits){0});
    client_open(f, &client);
    SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
    assert_false(client_shake(f, &client));
    client_close(&client);
    client_open(f, &client);
    assert_true(client_shake(f, &client));
    client_close(&client);
}

static void renegotiation_is_refused(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    struct client client;
    serve_tls(f, handler, (struct sh_http_limits){0});
    client_open(f, &client);
    SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
    assert_true(client_shake(f, &client));
    assert_int_equal(SSL_renegotiate(client.ssl), 1);
    assert_false(client_shake(f, &client)); /* a no_renegotiation alert */
    client_close(&client);
    free(heard);
}

static void what_is_not_tls_is_closed(void **state)
{
    static const char *const bytes[] = {SMALL, "\x16\x03\x01\x40\x01garbage",
                                        "\x80\x2e\x01\x00\x02"};
    struct fixture *f = *state;
    serve_tls(f, handler, (struct sh_http_limits){.handshake_timeout_ms = 200});
    for (size_t i = 0; i < SH_COUNT(bytes); i++) {
        struct heard *heard = exchange(f, bytes[i], strlen(bytes[i]));
        assert_null(strstr(heard->data, "HTTP/1.1"));
        free(heard);
    }
    assert_int_equal(f->calls, 0);
    pump_until(f, sh_http_server_connections(f->server) == 0);
}

static void slow_handshakes_are_cut_off(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    serve_tls(f, handler, (struct sh_http_limits){.handshake_timeout_ms = 50});
    double before = handshakes("timeout");
    int silent = dial(f);
    int slow = dial(f);
    say_bytes(slow, "\x16\x03\x01\x02\x00\x01", 6);
    hear_end(f, silent, heard);
    assert_int_equal(heard->len, 0);
    heard->eof = false;
    hear_end(f, slow, heard);
    pump_until(f, sh_http_server_connections(f->server) == 0);
    assert_true(handshakes("timeout") == before + 2);
    close(silent);
    close(slow);
    free(heard);
}

static void handshakes_at_the_same_time_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    struct client client;
    serve_tls(f, handler, (struct sh_http_limits){.handshakes = 2});
    int first = dial(f);
    int second = dial(f);
    pump_until(f, sh_http_server_connections(f->server) == 2);
    int third = dial(f);
    hear_end(f, third, heard);
    assert_int_equal(heard->len, 0);
    close(first);
    pump_until(f, sh_http_server_connections(f->server) == 1);
    client_open(f, &client);
    assert_true(client_shake(f, &client));
    ask(f, &client, SMALL, heard);
    client_close(&client);
    close(second);
    close(third);
    free(heard);
}

static void faults_are_answered_over_tls(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    struct client client;
    serve_tls(f, handler, (struct sh_http_limits){.head_timeout_ms = 50});
    client_open(f, &client);
    assert_true(client_shake(f, &client));
    client_say(f, &client, "GET / HTTP/1.1\r\nHost:", 21);
    assert_true(client_hear(f, &client, heard, NULL));
    assert_int_equal(status_of(heard), 408);
    client_close(&client);
    free(heard);
}

/* --- sessions --------------------------------------------------------------------- */

static SSL_SESSION *kept;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static bool resumes(struct fixture *f, int version)
{
    struct heard *heard = new_heard();
    struct client client;
    client_open(f, &client);
    SSL_set_max_proto_version(client.ssl, version);
    SSL_CTX_set_session_cache_mode(client.context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client.context, keep_session);
    if (kept)
        assert_int_equal(SSL_set_session(client.ssl, kept), 1);
    assert_true(client_shake(f, &client));
    bool resumed = SSL_session_reused(client.ssl) == 1;
    ask(f, &client, SMALL, heard);
    client_close(&client);
    free(heard);
    return resumed;
}

static void sessions_are_resumed_also_after_a_reload(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct fixture *f = *state;
    serve_tls(f, handler, (struct sh_http_limits){0});
    for (size_t i = 0; i < SH_COUNT(versions); i++) {
        assert_false(resumes(f, versions[i]));
        assert_non_null(kept);
        assert_true(resumes(f, versions[i]));
        assert_int_equal(sh_tls_reload(tls, why, sizeof why), SH_OK);
        assert_true(resumes(f, versions[i]));
        SSL_SESSION_free(kept);
        kept = NULL;
    }
}

static void without_tickets_nothing_is_resumed(void **state)
{
    struct fixture *f = *state;
    sh_tls_close(&tls);
    open_tls(0, false);
    serve_tls(f, handler, (struct sh_http_limits){0});
    assert_false(resumes(f, TLS1_3_VERSION));
    assert_false(resumes(f, TLS1_3_VERSION));
    SSL_SESSION_free(kept);
    kept = NULL;
}

/* --- certificates ----------------------------------------------------------------- */

static void assert_name(const struct client *client, const char *wanted)
{
    char name[64];
    X509 *cert = SSL_get1_peer_certificate(client->ssl);
    assert_non_null(cert);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                              sizeof name);
    X509_free(cert);
    assert_string_equal(name, wanted);
}

static void a_reload_changes_certificates_and_drops_nobody(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    struct client old;
    struct client fresh;
    serve_tls(f, handler, (struct sh_http_limits){0});
    client_open(f, &old);
    assert_true(client_shake(f, &old));
    assert_name(&old, "first");
    write_pair(&files, "second");
    assert_int_equal(sh_tls_reload(tls, why, sizeof why), SH_OK);
    client_open(f, &fresh);
    assert_true(client_shake(f, &fresh));
    assert_name(&fresh, "second");
    ask(f, &old, SMALL, heard);
    ask(f, &fresh, SMALL, heard);
    client_close(&old);
    client_close(&fresh);
    free(heard);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void refused(const char *word)
{
    assert_int_equal(sh_tls_reload(tls, why, sizeof why), SH_INVALID);
    if (!strstr(why, word))
        fail_msg("'%s' is not in '%s'", word, why);
}

static void bad_files_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct client client;
    serve_tls(f, handler, (struct sh_http_limits){0});
    double expires = sh_tls_expires(tls);
    assert_true(expires > (double)time(NULL));
    EVP_PKEY_free(write_key(files.key, NULL)); /* of another certificate */
    refused("is not for the key");
    EVP_PKEY_free(write_key(files.key, "secret"));
    refused("without a password");
    write_text(files.key, "nothing");
    refused("no usable key");
    (void)unlink(files.key);
    refused("cannot read the key");
    write_text(files.cert, "-----BEGIN CERTIFICATE-----\nAAAA\n");
    refused("no usable certificate");
    assert_true(sh_tls_expires(tls) == expires);
    client_open(f, &client);
    assert_true(client_shake(f, &client));
    assert_name(&client, "first");
    client_close(&client);
}

static void keys_that_others_may_read_are_refused(void **state)
{
    static const mode_t bad[] = {0604, 0644, 0660, 0602, 0777};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        assert_int_equal(chmod(files.key, bad[i]), 0);
        refused("can be read by others");
    }
    assert_int_equal(chmod(files.key, 0640), 0);
    enum sh_err err = sh_tls_reload(tls, why, sizeof why);
    assert_int_equal(err, geteuid() == 0 ? SH_OK : SH_INVALID);
    assert_int_equal(chmod(files.key, 0400), 0);
    assert_int_equal(sh_tls_reload(tls, why, sizeof why), SH_OK);
}

static void connections_survive_every_allocation_failure(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = new_heard();
    int failures = 0;
    for (bool whole = false; !whole; failures++) {
        struct client client;
        serve_tls(f, handler, (struct sh_http_limits){0});
        client_open(f, &client);
        sh_mem_fail_after(failures);
        whole = client_shake(f, &client);
        if (whole) {
            size_t done = 0;
            heard->len = 0;
            heard->data[0] = '\0';
            (void)SSL_write_ex(client.ssl, LAST, sizeof LAST - 1, &done);
            (void)client_hear(f, &client, heard, NULL);
            whole = status_of(heard) == 200;
            assert_true(whole || status_of(heard) == 503 || heard->len == 0);
        }
        sh_mem_fail_after(-1);
        client_close(&client);
        sh_http_server_close(&f->server);
        pump_for(f, 1);
    }
    assert_true(failures > 2);
    free(heard);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tls_setup, tls_teardown)
    const struct CMUnitTest tests[] = {
        TEST(requests_are_answered),
        TEST(records_may_come_byte_by_byte),
        TEST(long_bodies_come_through),
        TEST(streamed_answers_wait_for_slow_readers),
        TEST(http11_is_agreed_on_and_nothing_else),
        TEST(old_versions_and_weak_ciphers_are_refused),
        TEST(only_13_can_be_asked_for),
        TEST(renegotiation_is_refused),
        TEST(what_is_not_tls_is_closed),
        TEST(slow_handshakes_are_cut_off),
        TEST(handshakes_at_the_same_time_are_bounded),
        TEST(faults_are_answered_over_tls),
        TEST(sessions_are_resumed_also_after_a_reload),
        TEST(without_tickets_nothing_is_resumed),
        TEST(a_reload_changes_certificates_and_drops_nobody),
        TEST(bad_files_change_nothing),
        TEST(keys_that_others_may_read_are_refused),
        TEST(connections_survive_every_allocation_failure),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("http_tls", tests, NULL, NULL);
}
