/* The shell around the gateway's HTTP: what goes with every answer, and who else's pages
 * may read it. Over real sockets, as a browser would see it. */
#include "services/gateway/shell/shell.h"
#include "tests/unit/libshared/http_fixture.h"

static struct shell_config defaults(void)
{
    return (struct shell_config){
        .security_headers = true,
        .frame_options = "DENY",
        .content_policy = "default-src 'self'; object-src 'none'",
        .referrer_policy = "no-referrer",
        .permissions_policy = "usb=()",
        .hsts_max_age_s = 31536000,
        .hsts_subdomains = true,
        .cors_origins = "",
        .cors_max_age_s = 600,
        .tls_cert_file = "",
        .tls_key_file = "",
        .tls_min_version = "1.2",
        .server_name = "",
    };
}

static struct shell shell; /* of the test at hand */
static const char *own_policy;
static bool secure;
static struct gateway_config around = {.api_host = "127.0.0.1", .api_port = 8000};

static void handler(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    if (shell_enter(&shell, request, "GET, HEAD, OPTIONS"))
        return;
    f->calls++;
    if (own_policy)
        sh_http_add_header(request, "Content-Security-Policy", own_policy);
    if (secure)
        sh_http_set_secure(request);
    assert_int_equal(sh_http_is_secure(request), secure);
    sh_http_respond(request, 200, "text/plain", sh_bytes_of("body"));
}

static void open_shell(const struct shell_config *config)
{
    char why[256];
    assert_int_equal(shell_open(config, &around, false, &shell, why, sizeof why), SH_OK);
}

static void serve_shell(struct fixture *f, const struct shell_config *config)
{
    open_shell(config);
    own_policy = NULL;
    secure = false;
    struct sh_http_server_options options = {
        .host = "127.0.0.1",
        .fixed = shell_fixed(&shell),
        .handler = handler,
        .arg = f,
        .metrics_label = "shell",
    };
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
}

static int shell_teardown(void **state)
{
    int rc = teardown(state);
    shell_close(&shell);
    return rc;
}

static struct heard *ask(struct fixture *f, const char *first, const char *headers)
{
    char bytes[1024];
    int len = snprintf(bytes, sizeof bytes,
                       "%s / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", first,
                       headers);
    return exchange(f, bytes, (size_t)len);
}

static void each_header_goes_once_with_every_answer(void **state)
{
    static const char *const wanted[] = {
        "\r\nX-Content-Type-Options: nosniff\r\n",
        "\r\nX-Frame-Options: DENY\r\n",
        "\r\nX-XSS-Protection: 1; mode=block\r\n",
        "\r\nReferrer-Policy: no-referrer\r\n",
        "\r\nPermissions-Policy: usb=()\r\n",
        "\r\nCross-Origin-Opener-Policy: same-origin\r\n",
        "\r\nCross-Origin-Embedder-Policy: require-corp\r\n",
        "\r\nCross-Origin-Resource-Policy: same-origin\r\n",
        "; object-src 'none'; frame-ancestors 'none'\r\n",
    };
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GARBAGE\r\n\r\n",
    };
    struct fixture *f = *state;
    struct shell_config config = defaults();
    serve_shell(f, &config);
    for (size_t r = 0; r < SH_COUNT(requests); r++) {
        struct heard *heard = exchange(f, requests[r], strlen(requests[r]));
        for (size_t i = 0; i < SH_COUNT(wanted); i++)
            assert_int_equal(count_of(heard->data, wanted[i]), 1);
        assert_null(strstr(heard->data, "Strict-Transport"));
        assert_null(strstr(heard->data, "Server:"));
        assert_null(strstr(heard->data, "Access-Control"));
        assert_null(strstr(heard->data, "Vary"));
        free(heard);
    }
}

static void a_page_may_have_a_policy_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct shell_config config = defaults();
    serve_shell(f, &config);
    own_policy = "default-src 'none'";
    struct heard *heard = ask(f, "GET", "");
    assert_int_equal(count_of(heard->data, "Content-Security-Policy"), 1);
    assert_non_null(
        strstr(heard->data, "Content-Security-Policy: default-src 'none'\r\n"));
    free(heard);
}

static void browsers_are_told_to_stay_with_tls_over_tls_only(void **state)
{
    static const char wanted[] =
        "\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n";
    struct fixture *f = *state;
    struct shell_config config = defaults();
    serve_shell(f, &config);
    secure = true;
    struct heard *heard = ask(f, "GET", "");
    assert_int_equal(count_of(heard->data, wanted), 1);
    free(heard);
    secure = false;
    heard = ask(f, "GET", "");
    assert_null(strstr(heard->data, "Strict-Transport"));
    free(heard);
}

static void headers_can_be_left_to_a_proxy(void **state)
{
    struct fixture *f = *state;
    struct shell_config config = defaults();
    config.security_headers = false;
    serve_shell(f, &config);
    secure = true;
    struct heard *heard = ask(f, "GET", "");
    assert_int_equal(status_of(heard), 200);
    assert_null(strstr(heard->data, "X-Frame"));
    assert_null(strstr(heard->data, "Policy"));
    assert_null(strstr(heard->data, "Strict"));
    free(heard);
}

static void frames_of_ones_own_can_be_allowed(void **state)
{
    struct shell_config config = defaults();
    (void)state;
    config.frame_options = "SAMEORIGIN";
    open_shell(&config);
    sh_buffer_append(&shell.policy, "", 1);
    assert_non_null(strstr(shell.policy.data, "; frame-ancestors 'self'\r\n"));
    shell_close(&shell);
    config.content_policy = "frame-ancestors https://a.example";
    open_shell(&config);
    sh_buffer_append(&shell.policy, "", 1);
    assert_int_equal(count_of(shell.policy.data, "frame-ancestors"), 1);
    shell_close(&shell);
}

/* --- CORS ------------------------------------------------------------------------- */

#define PREFLIGHT                                                                        \
    "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x\r\n"

static void listed_origins_may_read(void **state)
{
    struct fixture *f = *state;
    struct shell_config config = defaults();
    config.cors_origins = "https://A.example, http://b.example:8080";
    config.cors_credentials = true;
    serve_shell(f, &config);
    struct heard *heard = ask(f, "GET", "Origin: https://a.example\r\n");
    assert_non_null(
        strstr(heard->data, "\r\nAccess-Control-Allow-Origin: https://a.example\r\n"));
    assert_non_null(
        strstr(heard->data, "\r\nAccess-Control-Allow-Credentials: true\r\n"));
    assert_non_null(strstr(heard->data, "\r\nAccess-Control-Expose-Headers: "));
    assert_int_equal(count_of(heard->data, "\r\nVary: Origin\r\n"), 1);
    free(heard);
    assert_int_equal(f->calls, 1);
}

static void preflight_requests_are_answered_without_the_handler(void **state)
{
    struct fixture *f = *state;
    struct shell_config config = defaults();
    config.cors_origins = "[\"https://a.example\"]";
    serve_shell(f, &config);
    struct heard *heard = ask(f, "OPTIONS", "Origin: https://a.example\r\n" PREFLIGHT);
    assert_int_equal(status_of(heard), 204);
    assert_non_null(
        strstr(heard->data, "\r\nAccess-Control-Allow-Origin: https://a.example\r\n"));
    assert_non_null(
        strstr(heard->data, "\r\nAccess-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"));
    assert_non_null(
        strstr(heard->data, "\r\nAccess-Control-Allow-Headers: Authorization"));
    assert_non_null(strstr(heard->data, "\r\nAccess-Control-Max-Age: 600\r\n"));
    assert_null(strstr(heard->data, "Credentials"));
    assert_int_equal(count_of(heard->data, "\r\nVary: Origin\r\n"), 1);
    free(heard);
    assert_int_equal(f->calls, 0);
}

static void other_origins_get_nothing(void **state)
{
    static const char *const others[] = {
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://a.example\r\n", /* not TLS */
        "Origin: https://a.example:444\r\n",
        "Origin: https://a.example.evil.example\r\n",
        "Origin: https://evil-a.example\r\n",
        "Origin: https://sub.a.example\r\n",
        "Origin: https://a.example/\r\n",
        "Origin: https://a.example, https://evil.example\r\n",
        "Origin: \r\n",
        "",
    };
    struct fixture *f = *state;
    struct shell_config config = defaults();
    config.cors_origins = "https://a.example";
    serve_shell(f, &config);
    for (size_t i = 0; i < SH_COUNT(others); i++) {
        char headers[512];
        (void)snprintf(headers, sizeof headers, "%s" PREFLIGHT, others[i]);
        struct heard *heard = ask(f, "OPTIONS", headers);
        assert_int_equal(status_of(heard), 200); /* the handler's */
        assert_null(strstr(heard->data, "Access-Control"));
        assert_int_equal(count_of(heard->data, "\r\nVary: Origin\r\n"), 1);
        free(heard);
    }
    assert_int_equal(f->calls, SH_COUNT(others));
}

static void any_origin_means_no_credentials(void **state)
{
    struct fixture *f = *state;
    struct shell_config config = defaults();
    config.cors_origins = "*";
    serve_shell(f, &config);
    struct heard *heard = ask(f, "GET", "Origin: https://anyone.example\r\n");
    assert_non_null(strstr(heard->data, "\r\nAccess-Control-Allow-Origin: *\r\n"));
    assert_null(strstr(heard->data, "Credentials"));
    free(heard);
    heard = ask(f, "GET", "Origin: null\r\n");
    assert_null(strstr(heard->data, "Access-Control"));
    free(heard);
}

static void assert_refused(const struct shell_config *config, bool production,
                           const char *word)
{
    char why[256] = "";
    struct shell other;
    assert_int_equal(shell_open(config, &around, production, &other, why, sizeof why),
                     SH_INVALID);
    assert_non_null(strstr(why, word));
}

static void weak_settings_are_refused(void **state)
{
    static const char *const bad[] = {
        "null",
        "https://",
        "a.example",
        "ftp://a.example",
        "https://a.example/",
        "https://a.example/path",
        "https://a example",
        "https://a.example:",
        "https://a.example:0",
        "https://a.example:123456",
        "https://*.example",
        "https://user@a.example",
        "[\"https://a.example\"",
        "[1]",
        "[\"\"]",
        "https://[::1",
        "https://a.example https://b.example",
    };
    struct shell_config config = defaults();
    (void)state;
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        config.cors_origins = bad[i];
        assert_refused(&config, false, "CORS_ORIGINS");
    }
    config.cors_origins = "*";
    assert_refused(&config, true, "CORS_ORIGINS");
    config.cors_credentials = true;
    assert_refused(&config, false, "CORS_ALLOW_CREDENTIALS");
    config = defaults();
    config.content_policy = "default-src 'self'\r\nX-Evil: 1";
    assert_refused(&config, false, "CONTENT_SECURITY_POLICY");
}

static void plain_http_beyond_loopback_is_not_for_production(void **state)
{
    struct shell_config config = defaults();
    (void)state;
    around.api_host = "0.0.0.0";
    assert_refused(&config, true, "TLS_CERT_FILE");
    open_shell(&config);
    shell_close(&shell);
    char why[256];
    config.behind_tls_proxy = true;
    assert_int_equal(shell_open(&config, &around, true, &shell, why, sizeof why), SH_OK);
    shell_close(&shell);
    config.behind_tls_proxy = false;
    around.api_host = "::1";
    assert_int_equal(shell_open(&config, &around, true, &shell, why, sizeof why), SH_OK);
    shell_close(&shell);
    around.api_host = "127.0.0.1";
}

static void half_of_a_tls_set_up_is_refused(void **state)
{
    struct shell_config config = defaults();
    (void)state;
    config.tls_cert_file = "/nowhere/cert.pem";
    assert_refused(&config, false, "go together");
    config.tls_key_file = "/nowhere/key.pem";
    assert_refused(&config, false, "/nowhere/cert.pem");
    config.tls_port = around.api_port;
    assert_refused(&config, false, "TLS_PORT");
    config = defaults();
    config.tls_port = 8443;
    assert_refused(&config, false, "TLS_PORT");
}

/* --- the plain port beside TLS ---------------------------------------------------- */

static void serve_redirects(struct fixture *f, const struct shell_config *config)
{
    open_shell(config);
    struct sh_http_server_options options = {
        .host = "127.0.0.1",
        .handler = shell_redirect,
        .arg = &shell,
        .metrics_label = "redirect",
    };
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
}

static void redirected(struct fixture *f, const char *request, const char *location)
{
    struct heard *heard = exchange(f, request, strlen(request));
    assert_int_equal(status_of(heard), 308);
    if (!strstr(heard->data, location))
        fail_msg("no '%s' in: %s", location, heard->data);
    free(heard);
}

static void readers_are_sent_to_tls(void **state)
{
    struct fixture *f = *state;
    struct shell_config config = defaults();
    serve_redirects(f, &config);
    config.tls_port = 8443; /* after the rules, which would want a certificate */
    redirected(f,
               "GET /a?b=c HTTP/1.1\r\nHost: x.example:80\r\nConnection: close\r\n\r\n",
               "\r\nLocation: https://x.example:8443/a?b=c\r\n");
    redirected(f, "HEAD / HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n",
               "\r\nLocation: https://[::1]:8443/\r\n");
    config.tls_port = 443;
    config.server_name = "cairn.example";
    redirected(f, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
               "\r\nLocation: https://cairn.example/\r\n");
}

static void what_should_have_come_by_tls_is_refused(void **state)
{
    static const char *const requests[] = {
        "POST /api/search HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        "GET / HTTP/1.0\r\n\r\n", /* nobody to send it to */
    };
    struct fixture *f = *state;
    struct shell_config config = defaults();
    serve_redirects(f, &config);
    config.tls_port = 8443;
    for (size_t i = 0; i < SH_COUNT(requests); i++) {
        struct heard *heard = exchange(f, requests[i], strlen(requests[i]));
        assert_int_equal(status_of(heard), 403);
        assert_non_null(strstr(heard->data, "tls_required"));
        free(heard);
    }
}

static void origins_are_compared_as_browsers_write_them(void **state)
{
    struct shell_config config = defaults();
    (void)state;
    config.cors_origins = "HTTPS://A.Example:443,http://b:80 ,http://[::1]:3000,,"
                          "http://b:8080";
    open_shell(&config);
    assert_true(cors_allows(&shell.cors, sh_bytes_of("https://a.example")));
    assert_true(cors_allows(&shell.cors, sh_bytes_of("http://b")));
    assert_true(cors_allows(&shell.cors, sh_bytes_of("http://[::1]:3000")));
    assert_true(cors_allows(&shell.cors, sh_bytes_of("http://b:8080")));
    assert_false(cors_allows(&shell.cors, sh_bytes_of("http://b:80")));
    assert_false(cors_allows(&shell.cors, sh_bytes_of("https://b")));
    shell_close(&shell);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, shell_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_header_goes_once_with_every_answer),
        TEST(a_page_may_have_a_policy_of_its_own),
        TEST(browsers_are_told_to_stay_with_tls_over_tls_only),
        TEST(headers_can_be_left_to_a_proxy),
        TEST(listed_origins_may_read),
        TEST(preflight_requests_are_answered_without_the_handler),
        TEST(other_origins_get_nothing),
        TEST(any_origin_means_no_credentials),
        cmocka_unit_test(frames_of_ones_own_can_be_allowed),
        TEST(readers_are_sent_to_tls),
        TEST(what_should_have_come_by_tls_is_refused),
        cmocka_unit_test(plain_http_beyond_loopback_is_not_for_production),
        cmocka_unit_test(half_of_a_tls_set_up_is_refused),
        cmocka_unit_test(weak_settings_are_refused),
        cmocka_unit_test(origins_are_compared_as_browsers_write_them),
    };
    return cmocka_run_group_tests_name("shell", tests, NULL, NULL);
}
