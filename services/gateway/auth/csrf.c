#include "services/gateway/auth/csrf.h"

#include <sodium.h>
#include <strings.h>

#include "services/gateway/auth/sessions.h"

static const char purpose[] = "cairn: token against forged requests";

void csrf_token(struct sh_bytes cookie, char into[CSRF_TOKEN + 1])
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];

    /* None of these can fail. */
    (void)crypto_auth_hmacsha256_init(&state, cookie.data, cookie.len);
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)purpose,
                                        sizeof purpose - 1);
    (void)crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2base64(into, CSRF_TOKEN + 1, mac, sizeof mac,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(&state, sizeof state);
}

/* --- where it comes from ---------------------------------------------------------- */

static bool equal_folded(struct sh_bytes a, struct sh_bytes b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.data, b.data, a.len) == 0;
}

/* "https://host:port" → "host:port"; false for "null" and whatever else. A page that came
 * in plain text may be anybody's, so it is none of ours where cookies go by TLS only. */
static bool authority_of(struct sh_bytes origin, bool secure, struct sh_bytes *authority)
{
    static const char *const schemes[] = {"https://", "http://"};

    for (size_t i = 0; i < (secure ? 1 : SH_COUNT(schemes)); i++) {
        size_t len = strlen(schemes[i]);
        if (origin.len <= len || strncasecmp(origin.data, schemes[i], len) != 0)
            continue;
        *authority = (struct sh_bytes){(const char *)origin.data + len, origin.len - len};
        return true;
    }
    return false;
}

/* Whose pages may send cookies: CORS_ORIGINS with CORS_ALLOW_CREDENTIALS. */
static bool is_listed(const struct cors *cors, struct sh_bytes origin)
{
    return origin.len > 0 && cors->credentials && !cors->any && cors_allows(cors, origin);
}

bool csrf_same_origin(const struct gateway *gateway,
                      const struct sh_http_request *request)
{
    struct sh_bytes origin = sh_http_header(request, "Origin");
    struct sh_bytes site = sh_http_header(request, "Sec-Fetch-Site");
    struct sh_bytes authority;

    if (is_listed(&gateway->shell.cors, origin))
        return true;
    if (site.len > 0 && !sh_bytes_is(site, "same-origin") && !sh_bytes_is(site, "none"))
        return false;
    if (origin.len == 0)
        return true;
    return authority_of(origin, session_cookie_secure(gateway), &authority) &&
           equal_folded(authority, sh_http_header(request, "Host"));
}

/* --- the token -------------------------------------------------------------------- */

static bool changes_nothing(const struct sh_http_request *request)
{
    struct sh_bytes method = sh_http_method(request);

    return sh_bytes_is(method, "GET") || sh_bytes_is(method, "HEAD") ||
           sh_bytes_is(method, "OPTIONS");
}

enum csrf_fault csrf_check(const struct gateway *gateway,
                           const struct sh_http_request *request, struct sh_bytes cookie)
{
    char expected[CSRF_TOKEN + 1];
    struct sh_bytes token = sh_http_header(request, "X-CSRF-Token");

    if (changes_nothing(request))
        return CSRF_GOOD;
    if (!csrf_same_origin(gateway, request))
        return CSRF_ORIGIN;
    if (token.len == 0)
        return CSRF_MISSING;
    csrf_token(cookie, expected);
    bool same =
        token.len == CSRF_TOKEN && sodium_memcmp(token.data, expected, CSRF_TOKEN) == 0;
    return same ? CSRF_GOOD : CSRF_WRONG;
}

struct sh_problem csrf_problem(enum csrf_fault fault)
{
    static const char *const sentences[CSRF_FAULTS] = {
        [CSRF_GOOD] = "",
        [CSRF_ORIGIN] = "this request comes from a page of another site",
        [CSRF_MISSING] = "a request with a cookie needs the header X-CSRF-Token",
        [CSRF_WRONG] = "X-CSRF-Token is not the token of this session",
    };
    return (struct sh_problem){
        .status = 403, .code = "csrf_refused", .error = sentences[fault]};
}
