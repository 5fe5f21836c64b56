/* Keys of session tickets: how long they live, and that nobody else's open anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "libshared/src/tls_ticket.h"

struct ticket {
    unsigned char name[16];
    unsigned char iv[EVP_MAX_IV_LENGTH];
};

static int use(struct tls_tickets *self, uint64_t now_ms, struct ticket *ticket, int seal)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac_ctx = EVP_MAC_CTX_new(mac);
    assert_non_null(mac_ctx);
    const struct tls_ticket_parts parts = {ticket->name, ticket->iv, cipher, mac_ctx};
    int result = tls_tickets_use(self, now_ms, &parts, seal);
    EVP_MAC_CTX_free(mac_ctx);
    EVP_MAC_free(mac);
    EVP_CIPHER_CTX_free(cipher);
    return result;
}

static void a_ticket_opens_for_two_lives_of_its_key(void **state)
{
    struct tls_tickets tickets;
    struct ticket first;
    struct ticket second;
    (void)state;
    assert_true(tls_tickets_open(&tickets, 10));
    assert_int_equal(use(&tickets, 1000, &first, 1), 1);
    assert_int_equal(use(&tickets, 10999, &first, 0), 1);
    assert_int_equal(use(&tickets, 11000, &first, 0), 2); /* and a new one is given */
    assert_int_equal(use(&tickets, 11000, &second, 1), 1);
    assert_memory_not_equal(first.name, second.name, sizeof first.name);
    assert_int_equal(use(&tickets, 20999, &first, 0), 2);
    assert_int_equal(use(&tickets, 21000, &first, 0), 0);
    assert_int_equal(use(&tickets, 21000, &second, 0), 2);
    tls_tickets_close(&tickets);
}

static void a_long_silence_forgets_both_keys(void **state)
{
    struct tls_tickets tickets;
    struct ticket ticket;
    (void)state;
    assert_true(tls_tickets_open(&tickets, 10));
    assert_int_equal(use(&tickets, 1000, &ticket, 1), 1);
    assert_int_equal(use(&tickets, 21000, &ticket, 0), 0);
    tls_tickets_close(&tickets);
}

static void tickets_of_others_do_not_open(void **state)
{
    struct tls_tickets ours;
    struct tls_tickets theirs;
    struct ticket ticket;
    (void)state;
    assert_true(tls_tickets_open(&ours, 10));
    assert_true(tls_tickets_open(&theirs, 10));
    assert_int_equal(use(&theirs, 1000, &ticket, 1), 1);
    assert_int_equal(use(&ours, 1000, &ticket, 0), 0);
    tls_tickets_close(&ours);
    tls_tickets_close(&theirs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_opens_for_two_lives_of_its_key),
        cmocka_unit_test(a_long_silence_forgets_both_keys),
        cmocka_unit_test(tickets_of_others_do_not_open),
    };
    return cmocka_run_group_tests_name("tls_ticket", tests, NULL, NULL);
}
