/* err: the one error type of the project. 0 is success, everything else names what went
 * wrong, with the HTTP status and the machine-readable code that a client sees. Foreign
 * codes (errno, libuv, zmq, SQLSTATE) are converted where they appear and never travel
 * further up. */
#ifndef SHARED_ERR_H
#define SHARED_ERR_H

#define SH_CHECK __attribute__((warn_unused_result))

/* clang-format off */
/* X(name, HTTP status, code, text) */
#define SH_ERRORS(X)                                                                     \
    X(SH_OK,          200, "ok",                     "ok")                               \
    X(SH_NOMEM,       503, "out_of_memory",          "out of memory")                    \
    X(SH_INVALID,     400, "invalid_request",        "the request is not valid")         \
    X(SH_MALFORMED,   400, "malformed",              "the request cannot be parsed")     \
    X(SH_TYPE,        415, "type_refused",           "files of this type are not taken") \
    X(SH_UNREADABLE,  422, "unreadable",             "the file cannot be read")          \
    X(SH_TOOBIG,      413, "too_large",              "over the size limit")              \
    X(SH_NOTFOUND,    404, "not_found",              "not found")                        \
    X(SH_CONFLICT,    409, "conflict",               "in conflict with what is stored")  \
    X(SH_FORBIDDEN,   403, "forbidden",              "not allowed")                      \
    X(SH_BUSY,        503, "overloaded",             "at capacity, try later")           \
    X(SH_TIMEOUT,     504, "deadline_exceeded",      "no answer in time")                \
    X(SH_CANCELED,    503, "canceled",               "the work was cancelled")           \
    X(SH_DRAINING,    503, "draining",               "shutting down, nothing was done")  \
    X(SH_REJECTED,    503, "not_executed",           "refused before anything was done") \
    X(SH_UNAVAILABLE, 503, "dependency_unavailable", "something it needs is down")       \
    X(SH_UPSTREAM,    502, "bad_upstream",           "an upstream answered nonsense")    \
    X(SH_IO,          500, "io_error",               "i/o error")                        \
    X(SH_INTERNAL,    500, "internal_error",         "internal error")
/* clang-format on */

#define SH_ERR_ENUM(name, status, code, text) name,
enum sh_err { SH_ERRORS(SH_ERR_ENUM) SH_ERR_COUNT };
#undef SH_ERR_ENUM

const char *sh_err_text(enum sh_err err);
const char *sh_err_code(enum sh_err err);
int sh_err_http_status(enum sh_err err);

/* Convert a libuv status (0 or negative), or an errno value (0 or positive). */
enum sh_err sh_err_from_uv(int status);
enum sh_err sh_err_from_errno(int code);

#endif
