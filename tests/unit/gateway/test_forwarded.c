/* Addresses, networks, and whom X-Forwarded-For is believed to name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/gateway/limits/forwarded.h"

/* What an address reads as; "-" when it is none. In memory of exactly its length, so that
 * reading past it is found. */
static const char *read_as(const char *text, bool hop)
{
    static char out[ADDRESS_TEXT];
    struct address address;
    size_t len = strlen(text);
    char *exact = calloc(1, len + (len == 0));

    assert_non_null(exact);
    for (size_t i = 0; i < len; i++)
        exact[i] = text[i];
    struct sh_bytes bytes = {exact, len};
    if (hop ? address_read_hop(bytes, &address) : address_read(bytes, &address))
        address_write(&address, out);
    else
        strcpy(out, "-");
    free(exact);
    return out;
}

static void reads_addresses(void **state)
{
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"", "-"},
        {" 192.0.2.1", "-"},
        {"192.0.2", "-"},
        {"192.0.2.256", "-"},
        {"192.0.2.1.1", "-"},
        {"0x7f.0.0.1", "-"},
        {"2130706433", "-"},
        {"fe80::1%eth0", "-"},
        {"[::1]", "-"},
        {"192.0.2.1:80", "-"},
        {":::", "-"},
        {"2001:db8::1::2", "-"},
        {"localhost", "-"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", "-"},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_string_equal(read_as(cases[i][0], false), cases[i][1]);
    struct address address;
    assert_false(address_read((struct sh_bytes){"10.0.0.1\0x", 10}, &address));
}

static void reads_hops_as_proxies_write_them(void **state)
{
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {" \t192.0.2.1 ", "192.0.2.1"},
        {"192.0.2.1:8080", "192.0.2.1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"2001:db8::1", "2001:db8::1"},
        {"\"[2001:db8::1]:443\"", "2001:db8::1"},
        {"192.0.2.1:", "-"},
        {"192.0.2.1:123456", "-"},
        {"192.0.2.1:8o", "-"},
        {"[2001:db8::1", "-"},
        {"[2001:db8::1]x", "-"},
        {"[2001:db8::1]:", "-"},
        {"[192.0.2.1]", "-"},
        {"[]", "-"},
        {"[", "-"},
        {"]", "-"},
        {":", "-"},
        {":80", "-"},
        {"\"", "-"},
        {"\"\"", "-"},
        {"", "-"},
        {"  ", "-"},
        {"unknown", "-"},
        {"_hidden", "-"},
        {"2001:db8::1:80", "2001:db8::1:80"}, /* without brackets that is an address */
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_string_equal(read_as(cases[i][0], true), cases[i][1]);
}

static void counts_a_v6_network_as_one(void **state)
{
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2::", "2001:db8:1:2::/64"},
        {"2001:db8:1:3::", "2001:db8:1:3::/64"},
        {"1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444::/64"},
        {"::1", "::/64"},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct address address;
        char out[ADDRESS_TEXT];
        assert_true(address_read(sh_bytes_of(cases[i][0]), &address));
        address_write_subject(&address, out);
        assert_string_equal(out, cases[i][1]);
    }
}

static bool held(const char *networks, const char *text)
{
    static struct networks list;
    struct address address;
    struct sh_bytes bad;

    assert_true(networks_read(networks, &list, &bad));
    assert_true(address_read(sh_bytes_of(text), &address));
    return networks_hold(&list, &address);
}

static void knows_what_a_network_holds(void **state)
{
    (void)state;
    assert_true(held("192.0.2.0/24", "192.0.2.255"));
    assert_false(held("192.0.2.0/24", "192.0.3.0"));
    assert_true(held("192.0.2.128/25", "192.0.2.128"));
    assert_false(held("192.0.2.128/25", "192.0.2.127"));
    assert_true(held("0.0.0.0/0", "203.0.113.9"));
    assert_false(held("0.0.0.0/0", "2001:db8::1"));
    assert_true(held("::/0", "2001:db8::1"));
    assert_true(held("10.0.0.7", "10.0.0.7"));
    assert_false(held("10.0.0.7", "10.0.0.6"));
    assert_true(held("10.0.0.7", "::ffff:10.0.0.7"));
    assert_true(held(" 10.0.0.1,\t2001:db8::/33 ,", "2001:db8:7fff::1"));
    assert_false(held("10.0.0.1, 2001:db8::/33", "2001:db8:8000::1"));
    assert_false(held("", "10.0.0.1"));
}

static void refuses_networks_that_are_none(void **state)
{
    static const char *const cases[] = {
        "192.0.2.1/24",  "192.0.2.0/33",  "192.0.2.0/",     "192.0.2.0/a",
        "192.0.2.0/024", "192.0.2.0/-1",  "2001:db8::/129", "x",
        "10.0.0.0/8/8",  "proxy.example", "2001:db8::1/32", "/8",
        "10.0.0.0/1000"};
    static struct networks list;
    struct sh_bytes bad;

    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "10.0.0.1, %s", cases[i]);
        assert_false(networks_read(text, &list, &bad));
        assert_true(sh_bytes_is(bad, cases[i]));
    }
    char *many = calloc(ADDRESS_NETWORKS + 1, 9);
    assert_non_null(many);
    size_t len = 0;
    for (size_t i = 0; i < ADDRESS_NETWORKS; i++)
        len += (size_t)sprintf(many + len, "10.0.0.1 ");
    assert_true(networks_read(many, &list, &bad));
    (void)sprintf(many + len, "10.0.0.1");
    assert_false(networks_read(many, &list, &bad));
    free(many);
}

/* The client as text, for a chain that stands on one line, or several separated by '|'.
 */
static struct forwarded resolve(const char *peer, const char *chain, const char *real,
                                const char *proto)
{
    static struct networks trusted;
    struct forwarded_headers headers = {.real = sh_bytes_of(real),
                                        .proto = sh_bytes_of(proto)};
    struct address address;
    struct sh_bytes bad;

    assert_true(networks_read("10.0.0.0/8 fd00::/8 127.0.0.1", &trusted, &bad));
    assert_true(address_read(sh_bytes_of(peer), &address));
    while (chain != NULL) {
        size_t len = strcspn(chain, "|");
        headers.chain[headers.lines++] = (struct sh_bytes){chain, len};
        chain = chain[len] == '|' ? chain + len + 1 : NULL;
    }
    return forwarded_resolve(&trusted, &address, &headers);
}

static const char *client(const char *peer, const char *chain, const char *real)
{
    static char out[ADDRESS_TEXT];
    struct forwarded result = resolve(peer, chain, real, NULL);

    address_write(&result.client, out);
    return out;
}

static void only_trusted_proxies_are_believed(void **state)
{
    (void)state;
    assert_string_equal(client("203.0.113.5", "198.51.100.1", "198.51.100.2"),
                        "203.0.113.5");
    assert_false(resolve("203.0.113.5", NULL, NULL, "https").https);
    assert_string_equal(client("10.0.0.1", "198.51.100.1", NULL), "198.51.100.1");
    assert_string_equal(client("fd00::1", "2001:db8::9", NULL), "2001:db8::9");
    assert_string_equal(client("10.0.0.1", NULL, NULL), "10.0.0.1");
}

static void the_right_most_hop_that_nobody_vouches_for_is_the_client(void **state)
{
    (void)state;
    /* what the client wrote itself stands left of what the proxy added */
    assert_string_equal(client("10.0.0.1", "1.2.3.4, 198.51.100.1", NULL),
                        "198.51.100.1");
    assert_string_equal(client("10.0.0.1", "127.0.0.1, 198.51.100.1, 10.9.9.9", NULL),
                        "198.51.100.1");
    assert_string_equal(client("10.0.0.1", "10.1.1.1, 10.2.2.2", NULL), "10.1.1.1");
    /* a proxy that adds a line of its own */
    assert_string_equal(client("10.0.0.1", "1.2.3.4|198.51.100.1", NULL), "198.51.100.1");
    assert_string_equal(
        client("10.0.0.1", "1.2.3.4, 198.51.100.1|10.3.3.3|fd00::2", NULL),
        "198.51.100.1");
    assert_string_equal(client("10.0.0.1", "::ffff:10.1.1.1,::ffff:198.51.100.1", NULL),
                        "198.51.100.1");
}

static void what_cannot_be_read_hides_the_rest(void **state)
{
    (void)state;
    assert_string_equal(client("10.0.0.1", "198.51.100.1, unknown", NULL), "10.0.0.1");
    assert_string_equal(client("10.0.0.1", "198.51.100.1, _x, 10.2.2.2", NULL),
                        "10.2.2.2");
    assert_string_equal(client("10.0.0.1", "198.51.100.1,", NULL), "10.0.0.1");
    assert_string_equal(client("10.0.0.1", "", NULL), "10.0.0.1");
    assert_string_equal(client("10.0.0.1", "198.51.100.1|", NULL), "10.0.0.1");
}

static void x_real_ip_stands_in_for_a_missing_chain(void **state)
{
    (void)state;
    assert_string_equal(client("10.0.0.1", NULL, "198.51.100.2"), "198.51.100.2");
    assert_string_equal(client("10.0.0.1", "198.51.100.1", "1.2.3.4"), "198.51.100.1");
    assert_string_equal(client("10.0.0.1", "unknown", "1.2.3.4"), "10.0.0.1");
    assert_string_equal(client("10.0.0.1", NULL, "nonsense"), "10.0.0.1");
}

static void the_nearest_proxy_says_whether_it_was_https(void **state)
{
    static const struct {
        const char *proto;
        bool https;
    } cases[] = {{"https", true},        {"HTTPS", true},       {"http", false},
                 {"https, http", false}, {"http, https", true}, {" https\t", true},
                 {"httpsx", false},      {"", false},           {NULL, false},
                 {"https,", false},      {"xhttps", false}};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_int_equal(resolve("10.0.0.1", NULL, NULL, cases[i].proto).https,
                         cases[i].https);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(reads_hops_as_proxies_write_them),
        cmocka_unit_test(counts_a_v6_network_as_one),
        cmocka_unit_test(knows_what_a_network_holds),
        cmocka_unit_test(refuses_networks_that_are_none),
        cmocka_unit_test(only_trusted_proxies_are_believed),
        cmocka_unit_test(the_right_most_hop_that_nobody_vouches_for_is_the_client),
        cmocka_unit_test(what_cannot_be_read_hides_the_rest),
        cmocka_unit_test(x_real_ip_stands_in_for_a_missing_chain),
        cmocka_unit_test(the_nearest_proxy_says_whether_it_was_https),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
