/* Tokens and key sets, as strangers send them. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>

#include "services/gateway/auth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "a shared secret of thirty-two byt";

/* With the signature made right, so that the claims are reached. */
static void verify_signed(const struct jwt_rules *rules, struct sh_bytes json)
{
    struct sh_arena arena = {0};
    struct sh_bytes token;
    struct jwt jwt;
    json_t *claims = json_loadb(json.data, json.len, 0, NULL);
    if (json_is_object(claims) &&
        jwt_sign(claims, sh_bytes_of(secret), &arena, &token) == SH_OK) {
        (void)jwt_verify(token, rules, &jwt);
        jwt_free(&jwt);
    }
    json_decref(claims);
    sh_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwt_keys *keys = NULL;
    struct jwt jwt;
    size_t added = 0;
    if (size == 0 || jwt_keys_create(&keys) != SH_OK)
        return 0;
    struct sh_bytes rest = {data + 1, size - 1};
    struct jwt_rules rules = {keys, "us", "cairn", 60, 1700000000};
    if (jwt_keys_add_secret(keys, sh_bytes_of(secret)) != SH_OK)
        abort();
    if (data[0] % 3 == 0) {
        if (jwt_verify(rest, &rules, &jwt) == JWT_GOOD && !jwt.claims)
            abort();
        jwt_free(&jwt);
    } else if (data[0] % 3 == 1) {
        verify_signed(&rules, rest);
    } else if (jwt_keys_add_set(keys, rest, &added) == SH_OK &&
               added + 1 != jwt_keys_count(keys)) {
        abort();
    }
    jwt_keys_free(&keys);
    return 0;
}
