/* ROUTE: there is one server, and it is where the client already is. */
#include <stdio.h>

#include "services/gateway/bolt/conn.h"

enum { TTL_S = 300 };

static void put_server(struct sh_buffer *out, const char *role, struct sh_bytes address)
{
    ps_map(out, 2);
    ps_word(out, "addresses");
    ps_list(out, 1);
    ps_text(out, address);
    ps_word(out, "role");
    ps_word(out, role);
}

/* Writers are named too, since drivers write unless told otherwise, and ask such a server
 * for everything; what writes is refused when it comes. */
static void put_table(struct bolt_conn *conn, struct sh_bytes address)
{
    struct sh_buffer *out = &conn->bolt->out;
    size_t begin = reply_success_begin(conn, 1);

    ps_word(out, "rt");
    ps_map(out, 3);
    ps_word(out, "ttl");
    ps_int(out, TTL_S);
    ps_word(out, "db");
    ps_word(out, BOLT_DATABASE);
    ps_word(out, "servers");
    ps_list(out, 3);
    put_server(out, "READ", address);
    put_server(out, "WRITE", address);
    put_server(out, "ROUTE", address);
    reply_end(conn, begin);
}

void route_answer(struct bolt_conn *conn, const struct bolt_request *request)
{
    const struct gateway *gateway = conn->bolt->edge->gateway;
    struct sh_bytes address = {0}, name;
    char own[BOLT_ADDRESS + 1];

    if (ps_find_text(request->fields[2], "db", &name) &&
        !sh_bytes_is(name, BOLT_DATABASE)) {
        reply_failure(conn, BOLT_NO_DATABASE, "there is only the database %s",
                      BOLT_DATABASE);
        return;
    }
    if (!ps_find_text(request->fields[0], "address", &address) || address.len == 0)
        address = sh_bytes_of(conn->address);
    if (address.len == 0) {
        (void)snprintf(own, sizeof own, "%s:%u", gateway->config.api_host,
                       bolt_port(conn->bolt));
        address = sh_bytes_of(own);
    }
    put_table(conn, address);
}
