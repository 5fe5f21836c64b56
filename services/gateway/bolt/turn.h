/* turn: what stands before a login and before every query, as the gate does before an
 * HTTP request: is the credential still good, is there too much to do, has this caller
 * asked too much, may they. One per connection at a time. Loop thread only. */
#ifndef GATEWAY_BOLT_TURN_H
#define GATEWAY_BOLT_TURN_H

#include "services/gateway/bolt/conn.h"

/* At the end, maybe at once from inside, `go_on` is called, or the client has been told
 * why not: `refused` is called after that, in both of which the connection is still busy.
 * `refused` gets the status that HTTP would have, and our code. */
typedef void turn_go_fn(struct bolt_conn *conn);
typedef void turn_refused_fn(struct bolt_conn *conn, int status, const char *code);

void turn_login(struct bolt_conn *conn, turn_go_fn *go_on, turn_refused_fn *refused);
void turn_query(struct bolt_conn *conn, turn_go_fn *go_on, turn_refused_fn *refused);
/* Nothing is called any more. */
void turn_cancel(struct bolt_conn *conn);

#endif
