#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/gateway/auth/claims.h"
#include "shared/mem.h"

struct fixture {
    struct auth_config config;
    struct claims_map *map;
    struct roles *roles;
    enum jwt_alg alg;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sh_buffer faults = {0};
    const struct sh_settings group = auth_settings(&f->config);
    *state = f;
    f->alg = JWT_RS256;
    if (sh_config_load(&group, 1, &faults) != SH_OK ||
        claims_map_create(&f->config, &f->map) != SH_OK ||
        roles_create(&f->roles) != SH_OK)
        return -1;
    sh_buffer_free(&faults);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    claims_map_free(&f->map);
    roles_free(&f->roles);
    free(f);
    return 0;
}

/* NULL: refused. */
static struct principal *read_claims(struct fixture *f, const char *text)
{
    struct principal *principal;
    struct jwt jwt = {json_loads(text, 0, NULL), 1234, f->alg};
    assert_non_null(jwt.claims);
    enum sh_err err = claims_read(f->map, &jwt, roles_now(f->roles), &principal);
    jwt_free(&jwt);
    assert_int_equal(err, principal != NULL ? SH_OK : SH_INVALID);
    return principal;
}

static void is_role(struct fixture *f, const char *claims, const char *role)
{
    struct principal *principal = read_claims(f, claims);
    assert_non_null(principal);
    if (!sh_bytes_is(principal->role, role))
        fail_msg("%s gives %.*s, not %s", claims, (int)principal->role.len,
                 (const char *)principal->role.data, role);
    principal_drop(principal);
}

static void is_refused(struct fixture *f, const char *claims)
{
    if (read_claims(f, claims) != NULL)
        fail_msg("was taken: %s", claims);
}

static void a_profile_becomes_a_caller(void **state)
{
    struct principal *p = read_claims(
        *state, "{\"guid\":\"g-1\",\"sub\":\"s-1\",\"username\":\"john.smith\","
                "\"role\":\"professional_services\",\"department\":\"IT Services\","
                "\"primary_campus\":\"King's Buildings\"}");
    assert_non_null(p);
    assert_true(sh_bytes_is(p->user_id, "g-1"));
    assert_true(sh_bytes_is(p->username, "john.smith"));
    assert_true(sh_bytes_is(p->role, "staff"));
    assert_true(sh_bytes_is(p->department, "IT Services"));
    assert_true(sh_bytes_is(p->campus, "King's Buildings"));
    assert_int_equal(p->expires_s, 1234);
    principal_drop(p);
}

static void roles_are_mapped(void **state)
{
    is_role(*state, "{\"sub\":\"u\",\"role\":\"academic_staff\"}", "academic");
    is_role(*state, "{\"sub\":\"u\",\"role\":\"professional_services\"}", "staff");
    is_role(*state, "{\"sub\":\"u\",\"role\":\"it_administrator\"}", "admin");
    is_role(*state, "{\"sub\":\"u\",\"role\":\"student\"}", "student");
    is_role(*state, "{\"sub\":\"u\",\"role\":\"staff\"}", "staff");
}

static void unknown_means_the_least(void **state)
{
    static const char *const claims[] = {
        "{\"sub\":\"u\"}",
        "{\"sub\":\"u\",\"role\":\"root\"}",
        "{\"sub\":\"u\",\"role\":\"Admin\"}",
        "{\"sub\":\"u\",\"role\":\"admin \"}",
        "{\"sub\":\"u\",\"role\":null}",
        "{\"sub\":\"u\",\"role\":5}",
        "{\"sub\":\"u\",\"role\":true}",
        "{\"sub\":\"u\",\"role\":{\"admin\":true}}",
        "{\"sub\":\"u\",\"role\":[]}",
        "{\"sub\":\"u\",\"role\":[[\"admin\"],7,\"nobody\"]}",
        "{\"sub\":\"u\",\"roles\":[\"admin\"]}",
        "{\"sub\":\"u\",\"role\":\"\"}",
    };
    for (size_t i = 0; i < SH_COUNT(claims); i++)
        is_role(*state, claims[i], "anonymous");
}

static void unknown_roles_can_be_refused_or_given_one(void **state)
{
    struct fixture *f = *state;
    f->config.role_unknown = "refuse";
    is_refused(f, "{\"sub\":\"u\",\"role\":\"root\"}");
    is_role(f, "{\"sub\":\"u\",\"role\":\"staff\"}", "staff");
    f->config.role_unknown = "student";
    is_role(f, "{\"sub\":\"u\",\"role\":\"visitor\"}", "student");
}

static void of_several_roles_the_highest_counts(void **state)
{
    is_role(*state, "{\"sub\":\"u\",\"role\":[\"student\",\"academic_staff\",\"x\"]}",
            "academic");
    is_role(*state, "{\"sub\":\"u\",\"role\":[\"offline_access\",\"student\"]}",
            "student");
}

static void the_map_wins_over_names(void **state)
{
    struct fixture *f = *state;
    claims_map_free(&f->map);
    f->config.role_map = " admin = , power=admin,";
    assert_int_equal(claims_map_create(&f->config, &f->map), SH_OK);
    is_role(f, "{\"sub\":\"u\",\"role\":\"admin\"}", "anonymous");
    is_role(f, "{\"sub\":\"u\",\"role\":\"power\"}", "admin");
}

static void bad_maps_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"admin", "=admin", "a=b,c", " = "};
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        struct claims_map *map;
        f->config.role_map = bad[i];
        assert_int_equal(claims_map_create(&f->config, &map), SH_INVALID);
        assert_null(map);
    }
}

static void claims_may_lie_deeper(void **state)
{
    struct fixture *f = *state;
    f->config.claim_role = "https://example.org/role|realm_access.roles";
    is_role(f, "{\"sub\":\"u\",\"realm_access\":{\"roles\":[\"staff\"]}}", "staff");
    is_role(f, "{\"sub\":\"u\",\"https://example.org/role\":\"student\"}", "student");
    is_role(f, "{\"sub\":\"u\",\"realm_access\":\"staff\"}", "anonymous");
}

static void only_our_own_tokens_may_use_our_names(void **state)
{
    struct fixture *f = *state;
    f->config.claim_role = "groups";
    f->config.claim_user_id = "oid";
    is_role(f, "{\"oid\":\"u\",\"role\":\"admin\"}", "anonymous");
    is_refused(f, "{\"sub\":\"u\",\"role\":\"admin\"}");
    f->alg = JWT_HS256;
    is_role(f, "{\"sub\":\"u\",\"role\":\"staff\"}", "staff");
    is_role(f, "{\"oid\":\"u\",\"groups\":\"student\",\"role\":\"staff\"}", "student");
}

static void who_cannot_be_named_is_refused(void **state)
{
    char text[512], name[300];
    memset(name, 'n', sizeof name);
    name[257] = '\0';
    is_refused(*state, "{}");
    is_refused(*state, "{\"sub\":\"\",\"role\":\"admin\"}");
    is_refused(*state, "{\"sub\":7,\"role\":\"admin\"}");
    is_refused(*state, "{\"sub\":\"a\\nb\",\"role\":\"admin\"}");
    is_refused(*state, "{\"sub\":[\"a\",\"b\"],\"role\":\"admin\"}");
    is_refused(*state, "{\"sub\":\"u\",\"department\":{\"name\":\"x\"}}");
    (void)snprintf(text, sizeof text, "{\"sub\":\"%s\"}", name);
    is_refused(*state, text);
}

static void roles_that_went_away_leave_the_least(void **state)
{
    struct fixture *f = *state;
    struct principal *p = read_claims(f, "{\"sub\":\"u\",\"role\":\"admin\"}");
    char why[256];
    assert_string_equal(principal_role(p, roles_now(f->roles))->name, "admin");
    assert_int_equal(
        roles_load(f->roles,
                   sh_bytes_of("{\"roles\":{\"anonymous\":{\"clearance\":1,"
                               "\"requests_per_minute\":1,\"requests_per_hour\":1,"
                               "\"max_results\":1,\"departments\":\"public\","
                               "\"permissions\":[]}}}"),
                   why, sizeof why),
        SH_OK);
    assert_string_equal(principal_role(p, roles_now(f->roles))->name, "anonymous");
    principal_drop(p);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_profile_becomes_a_caller),
        T(roles_are_mapped),
        T(unknown_means_the_least),
        T(unknown_roles_can_be_refused_or_given_one),
        T(of_several_roles_the_highest_counts),
        T(the_map_wins_over_names),
        T(bad_maps_are_refused),
        T(claims_may_lie_deeper),
        T(only_our_own_tokens_may_use_our_names),
        T(who_cannot_be_named_is_refused),
        T(roles_that_went_away_leave_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
