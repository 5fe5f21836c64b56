/* sessions: who a browser is logged in as, kept in Redis for all gateways. The cookie is
 * 256 random bits; Redis knows only their SHA-256, so that who reads Redis can use no
 * session. A session ends after SESSION_LIFETIME without use and after
 * SESSION_MAX_LIFETIME in any case.
 *
 * Each carries the user's epoch, a number that the database raises when the password
 * changes or the user is deactivated. session_end_all() writes it down beside the
 * sessions, and those of an older epoch are over. Loop thread only. */
#ifndef GATEWAY_SESSIONS_H
#define GATEWAY_SESSIONS_H

#include "services/gateway/edge.h"

enum { SESSION_ID = 43 }; /* letters of the cookie's value: base64url of 32 bytes */

struct session {
    struct sh_bytes user_id;
    struct sh_bytes username;
    struct sh_bytes role;
    struct sh_bytes department;
    struct sh_bytes campus;
    uint64_t epoch;
    uint64_t ends_s; /* Unix seconds; 0 when it is made: SESSION_MAX_LIFETIME from now */
    bool local;      /* a user of ours, not one of the directory */
    bool lasting;    /* its cookie survives the end of the browser */
};

/* A call under way. Cancelling it drops `done`; what it does in Redis happens anyway. */
struct session_call;
void session_cancel(struct session_call **call);

/* The texts are valid until it returns; NULL unless err is SH_OK. */
typedef void session_found_fn(void *arg, enum sh_err err, const struct session *session);
/* Whose session it is; used now, so it lasts longer. `*out` is for session_cancel() and
 * must be forgotten when `done` is called. Errors at once, `done` is then never called:
 * SH_NOTFOUND (no cookie of ours), SH_UNAVAILABLE, SH_BUSY, SH_NOMEM. Later: SH_NOTFOUND,
 * SH_UNAVAILABLE, SH_TIMEOUT, SH_CANCELED. All but SH_NOTFOUND mean that nobody knows:
 * answer 503, and let nobody in. */
SH_CHECK enum sh_err session_find(struct edge *edge, struct sh_bytes cookie,
                                  session_found_fn *done, void *arg,
                                  struct session_call **out);

/* `id` is the cookie's value, SESSION_ID letters and a NUL, valid until it returns; NULL
 * unless err is SH_OK. SH_CONFLICT: all of the user's sessions were ended meanwhile. */
typedef void session_made_fn(void *arg, enum sh_err err, const char *id);
/* A new session, always with a new id; `former`, if it is one, is over: an id that
 * somebody knew before the login is worth nothing after it. Errors as session_find(). */
SH_CHECK enum sh_err session_create(struct edge *edge, const struct session *session,
                                    struct sh_bytes former, session_made_fn *done,
                                    void *arg, struct session_call **out);

typedef void session_ended_fn(void *arg, enum sh_err err);
/* Errors as session_find(), but an unknown one has ended, too. */
SH_CHECK enum sh_err session_end(struct edge *edge, struct sh_bytes cookie,
                                 session_ended_fn *done, void *arg,
                                 struct session_call **out);
/* All sessions of a user from before `epoch`. Errors as session_find(). */
SH_CHECK enum sh_err session_end_all(struct edge *edge, struct sh_bytes user_id,
                                     uint64_t epoch, session_ended_fn *done, void *arg,
                                     struct session_call **out);

/* --- the cookie ------------------------------------------------------------------- */

/* Whether the cookie goes by TLS only. */
bool session_cookie_secure(const struct gateway *gateway);
/* The value of a request's session cookie; an empty view when there is none, or none that
 * could be ours. */
struct sh_bytes session_cookie(const struct gateway *gateway,
                               const struct sh_http_request *request);
/* Add the Set-Cookie header that gives it to the browser. Before answering, as the next.
 */
void session_set_cookie(const struct gateway *gateway, struct sh_http_request *request,
                        const char *id, const struct session *session);
/* The header that takes it away. */
void session_drop_cookie(const struct gateway *gateway, struct sh_http_request *request);

#endif
