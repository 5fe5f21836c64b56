/* The Cookie header, as strangers send it: what is found is a cookie's value, and is what
 * a Set-Cookie of ours can hold. */
#include <stdint.h>
#include <stdlib.h>

#include "services/gateway/auth/cookies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[1 << 16];
    struct sh_bytes header = {data, size};
    struct cookie cookie = {.name = "cairn_session", .same_site = "Lax"};

    if (size > sizeof text / 2)
        return 0;
    enum cookie_found found = cookie_get(header, cookie.name, &cookie.value);
    if ((found == COOKIE_FOUND) != (cookie.value.data != NULL))
        abort();
    if (found == COOKIE_FOUND && cookie_write(&cookie, text, sizeof text) != SH_OK)
        abort();
    return 0;
}
