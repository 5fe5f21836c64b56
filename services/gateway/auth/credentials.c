#include "services/gateway/auth/credentials.h"

#include <strings.h>

#include "services/gateway/auth/api_keys.h"
#include "services/gateway/auth/sessions.h"

static const char bearer[] = "bearer";

static struct credentials read_authorization(struct sh_bytes header)
{
    const char *data = header.data;
    size_t at = sizeof bearer - 1;

    if (header.len <= at || strncasecmp(data, bearer, at) != 0 || data[at] != ' ')
        return (struct credentials){.offer = OFFER_BAD};
    while (at < header.len && data[at] == ' ')
        at++;
    struct sh_bytes text = {data + at, header.len - at};
    if (text.len == 0 || memchr(text.data, ' ', text.len) != NULL)
        return (struct credentials){.offer = OFFER_BAD};
    return (struct credentials){api_key_looks_like_one(text) ? OFFER_KEY : OFFER_TOKEN,
                                text};
}

struct credentials credentials_read(const struct gateway *gateway,
                                    const struct sh_http_request *request)
{
    struct sh_bytes authorization = sh_http_header(request, "Authorization");
    struct sh_bytes key = sh_http_header(request, "X-API-Key");

    if (authorization.data != NULL && key.data != NULL)
        return (struct credentials){.offer = OFFER_MANY};
    if (authorization.data != NULL)
        return read_authorization(authorization);
    if (key.data != NULL)
        return (struct credentials){key.len > 0 ? OFFER_KEY : OFFER_BAD, key};
    struct sh_bytes cookie = session_cookie(gateway, request);
    return (struct credentials){cookie.len > 0 ? OFFER_SESSION : OFFER_NONE, cookie};
}
