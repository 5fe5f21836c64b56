/* Logins by a real slapd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "services/gateway/auth/ldap.h"
#include "services/gateway/auth/ldap_text.h"
#include "shared/clock.h"

#define PEOPLE "ou=people,dc=example,dc=org"
#define GROUPS "ou=groups,dc=example,dc=org"

struct fixture {
    struct ldap_config config;
    struct roles *roles;
    char url[64];
};

/* By a template, over the socket. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sh_buffer faults = {0};
    const struct sh_settings group = ldap_settings(&f->config);
    *state = f;
    if (sh_config_load(&group, 1, &faults) != SH_OK || roles_create(&f->roles) != SH_OK)
        return -1;
    sh_buffer_free(&faults);
    f->config.url = getenv("TEST_LDAPI_URL");
    f->config.ca_file = getenv("TEST_LDAP_CA");
    f->config.timeout_ms = 30000;
    f->config.dn_template = "uid={}," PEOPLE;
    f->config.group_map =
        "CN=staff, OU=Groups, dc=example,dc=org=staff; cn=admins," GROUPS "=admin";
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    roles_free(&f->roles);
    free(f);
    return 0;
}

static void search_first(struct fixture *f)
{
    f->config.dn_template = "";
    f->config.user_base = PEOPLE;
    f->config.search_dn = "cn=reader,dc=example,dc=org";
    f->config.search_password = "reader-secret";
    f->config.group_base = GROUPS;
}

static enum sh_err login(struct fixture *f, const char *name, const char *password,
                         struct principal **out)
{
    return directory_check(&f->config, roles_now(f->roles), sh_bytes_of(name),
                           sh_bytes_of(password), out);
}

static void is_refused(struct fixture *f, const char *name, const char *password)
{
    struct principal *p;
    enum sh_err err = login(f, name, password, &p);
    if (err != SH_FORBIDDEN)
        fail_msg("%s/%s: %s", name, password, sh_err_text(err));
    assert_null(p);
}

static void is_taken(struct fixture *f, const char *name, const char *password,
                     const char *role)
{
    struct principal *p;
    enum sh_err err = login(f, name, password, &p);
    if (err != SH_OK)
        fail_msg("%s: %s", name, sh_err_text(err));
    assert_true(sh_bytes_is(p->role, role));
    assert_true(sh_bytes_is(p->username, name));
    principal_drop(p);
}

static void a_user_binds_and_has_a_profile(void **state)
{
    struct principal *p;
    assert_int_equal(login(*state, "ann", "Ann-secret-1", &p), SH_OK);
    assert_true(sh_bytes_is(p->user_id, "ann"));
    assert_true(sh_bytes_is(p->username, "ann"));
    assert_true(sh_bytes_is(p->department, "IT Services"));
    assert_true(sh_bytes_is(p->campus, "King's Buildings"));
    assert_true(sh_bytes_is(p->role, "admin")); /* the higher of two groups */
    principal_drop(p);
}

static void the_same_by_searching_first(void **state)
{
    search_first(*state);
    is_taken(*state, "ann", "Ann-secret-1", "admin");
    is_refused(*state, "ann", "Bob-secret-1");
    is_refused(*state, "ann", "");
    is_refused(*state, "nobody", "Ann-secret-1");
    is_refused(*state, "reader", "reader-secret"); /* not among the users */
}

static void groups_are_found_without_memberof(void **state)
{
    struct fixture *f = *state;
    search_first(f);
    f->config.group_attribute = "";
    is_taken(f, "ann", "Ann-secret-1", "admin");
    is_taken(f, "o, neil (jr)*", "Odd-secret-1", "staff");
    f->config.group_base = "";
    is_taken(f, "ann", "Ann-secret-1", "anonymous");
}

static void other_passwords_are_refused(void **state)
{
    is_refused(*state, "ann", "ann-secret-1");
    is_refused(*state, "ann", "Ann-secret-1 ");
    is_refused(*state, "nobody", "Ann-secret-1");
    is_refused(*state, "", "Ann-secret-1");
}

/* The server would let it through, as nobody. */
static void an_empty_password_is_no_login(void **state)
{
    struct principal *p;
    is_refused(*state, "ann", "");
    assert_int_equal(directory_check(&((struct fixture *)*state)->config,
                                     roles_now(((struct fixture *)*state)->roles),
                                     sh_bytes_of("ann"), (struct sh_bytes){"\0x", 2}, &p),
                     SH_FORBIDDEN);
}

static void names_cannot_say_more_than_a_name(void **state)
{
    static const char *const names[] = {
        "ann,ou=people", "*",        "a*",          "ann)(uid=*", "*)(|(uid=*",
        "ann)",          "(",        "\\61nn",      "ann\\",      ("ann," PEOPLE),
        "uid=ann",       "ann+cn=x", "ann;x",       "#616e6e",    "ann\"",
        "ann\n",         "<ann>",    "twin,ou=more"};
    struct fixture *f = *state;
    for (int way = 0; way < 2; way++) {
        for (size_t i = 0; i < SH_COUNT(names); i++) {
            is_refused(f, names[i], "Ann-secret-1");
            is_refused(f, names[i], "Twin-secret-1");
        }
        search_first(f);
    }
}

static void odd_names_that_are_somebodys_work(void **state)
{
    is_taken(*state, "o, neil (jr)*", "Odd-secret-1", "staff");
    search_first(*state);
    is_taken(*state, "o, neil (jr)*", "Odd-secret-1", "staff");
}

static void two_of_a_name_are_nobody(void **state)
{
    search_first(*state);
    is_refused(*state, "twin", "Twin-secret-1");
}

static void who_has_no_role_has_the_least_or_no_entry(void **state)
{
    struct fixture *f = *state;
    is_taken(f, "bob", "Bob-secret-1", "anonymous");
    f->config.role_unknown = "student";
    is_taken(f, "bob", "Bob-secret-1", "student");
    f->config.role_unknown = "refuse";
    is_refused(f, "bob", "Bob-secret-1");
    is_taken(f, "ann", "Ann-secret-1", "admin");
}

static void passwords_go_by_tls_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct principal *p;
    f->config.url = getenv("TEST_LDAP_URL");
    is_taken(f, "ann", "Ann-secret-1", "admin");
    f->config.url = getenv("TEST_LDAPS_URL");
    is_taken(f, "ann", "Ann-secret-1", "admin");
    f->config.ca_file = ""; /* the system knows nothing of this certificate */
    assert_int_equal(login(f, "ann", "Ann-secret-1", &p), SH_UNAVAILABLE);
    f->config.url = getenv("TEST_LDAP_URL");
    assert_int_equal(login(f, "ann", "Ann-secret-1", &p), SH_UNAVAILABLE);
    assert_null(p);
}

static void our_own_account_that_fails_is_no_users_fault(void **state)
{
    struct fixture *f = *state;
    struct principal *p;
    search_first(f);
    f->config.search_password = "wrong";
    assert_int_equal(login(f, "ann", "Ann-secret-1", &p), SH_UNAVAILABLE);
}

/* A port of our own: that nobody answers on, and then that nobody listens on. */
static int listen_mutely(struct fixture *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(f->url, sizeof f->url, "ldap://127.0.0.1:%d", ntohs(at.sin_port));
    f->config.url = f->url;
    return fd;
}

static void a_directory_that_is_away_lets_nobody_in(void **state)
{
    struct fixture *f = *state;
    struct principal *p;
    int fd = listen_mutely(f);
    f->config.timeout_ms = 100;
    f->config.starttls = false;
    assert_int_equal(login(f, "ann", "Ann-secret-1", &p), SH_TIMEOUT);
    f->config.starttls = true;
    assert_int_equal(login(f, "ann", "Ann-secret-1", &p), SH_TIMEOUT);
    close(fd);
    f->config.timeout_ms = 30000;
    assert_int_equal(login(f, "ann", "Ann-secret-1", &p), SH_UNAVAILABLE);
    assert_null(p);
}

static void settings_that_leak_are_refused(void **state)
{
    struct fixture *f = *state;
    char why[256];
    static const struct {
        const char *url;
        bool starttls, production, good;
    } cases[] = {
        {"ldaps://ldap.example.org", false, true, true},
        {"ldap://ldap.example.org", true, true, true},
        {"ldap://ldap.example.org", false, false, false},
        {"ldap://127.0.0.1", false, false, true},
        {"ldap://127.0.0.1", false, true, false},
        {"ldapi://%2Frun%2Fldapi", false, true, true},
        {"http://ldap.example.org", true, false, false},
        {"", false, true, true},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        f->config.url = cases[i].url;
        f->config.starttls = cases[i].starttls;
        assert_int_equal(
            ldap_settings_check(&f->config, cases[i].production, why, sizeof why),
            cases[i].good);
    }
    f->config.url = "ldaps://ldap.example.org";
    f->config.dn_template = "uid=me";
    assert_false(ldap_settings_check(&f->config, false, why, sizeof why));
    f->config.dn_template = "";
    assert_false(ldap_settings_check(&f->config, false, why, sizeof why));
    search_first(f);
    assert_true(ldap_settings_check(&f->config, false, why, sizeof why));
    f->config.search_password = "";
    assert_false(ldap_settings_check(&f->config, false, why, sizeof why));
    f->config.search_dn = "";
    f->config.group_map = "staff";
    assert_false(ldap_settings_check(&f->config, false, why, sizeof why));
}

static void values_are_escaped_for_names_and_filters(void **state)
{
    struct sh_buffer out = {0};
    (void)state;
    ldap_fill("(|(uid={})(mail={}))", sh_bytes_of("a*)\xc3\xa9 1"), &out);
    assert_string_equal(out.data,
                        "(|(uid=a\\2a\\29\\c3\\a9\\201)(mail=a\\2a\\29\\c3\\a9\\201))");
    sh_buffer_free(&out);
}

static void run_again_with_slapd(char **argv)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 64);
    if (getenv("TEST_LDAPI_URL") != NULL)
        return;
    path[len > 0 ? len : 0] = '\0';
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        (void)snprintf(slash, 64, "/tests/support/with_slapd.sh"); /* room was left */
        if (access(path, X_OK) == 0) {
            char *again[] = {path, argv[0], NULL};
            execv(path, again);
            break;
        }
        *slash = '\0';
    }
    (void)fprintf(stderr, "cannot run tests/support/with_slapd.sh\n");
    exit(125);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(int argc, char **argv)
{
    (void)argc;
    const struct CMUnitTest tests[] = {
        T(a_user_binds_and_has_a_profile),
        T(the_same_by_searching_first),
        T(groups_are_found_without_memberof),
        T(other_passwords_are_refused),
        T(an_empty_password_is_no_login),
        T(names_cannot_say_more_than_a_name),
        T(odd_names_that_are_somebodys_work),
        T(two_of_a_name_are_nobody),
        T(who_has_no_role_has_the_least_or_no_entry),
        T(passwords_go_by_tls_or_not_at_all),
        T(our_own_account_that_fails_is_no_users_fault),
        T(a_directory_that_is_away_lets_nobody_in),
        T(settings_that_leak_are_refused),
        T(values_are_escaped_for_names_and_filters),
    };
    run_again_with_slapd(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
