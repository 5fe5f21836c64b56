/* what every service sends: who calls, errors, greetings, health: see proto/messages.h.
 */
#ifndef PROTO_MESSAGES_COMMON_H
#define PROTO_MESSAGES_COMMON_H

/* clang-format off */
/* Travels in the meta frame of every request. */
#define CALLER(F)                                                                   \
    F(u32,  schema,            65535, _)                                            \
    F(str,  request_id,           64, _)                                            \
    F(str,  user_id,             256, _)                                            \
    F(str,  username,            256, _)                                            \
    F(str,  role,                 64, _)                                            \
    F(u32,  clearance,             5, _)                                            \
    F(flag, all_departments,       0, _)                                            \
    F(str,  department,          256, _)                                            \
    F(str,  campus,              256, _)

/* The payload of every ERROR. */
#define RPC_ERROR(F)                                                                \
    F(str,  code,                 64, _)                                            \
    F(str,  message,            1024, _)                                            \
    F(str,  field,               256, _)

/* In the meta frame of HELLO and HELLO_ACK. */
#define HELLO(F)                                                                    \
    F(str,  service,              64, _)                                            \
    F(str,  instance,             64, _)                                            \
    F(u32,  version_min,       65535, _)                                            \
    F(u32,  version_max,       65535, _)                                            \
    F(f64,  started,               0, _)                                            \
    F(u32,  max_in_flight,     65535, _)

#define EMPTY(F)                                                                    \
    F(u32,  unused,                0, _)

#define HEALTH_CHECK(F)                                                             \
    F(str,  name,                 64, _)                                            \
    F(str,  status,               16, _)                                            \
    F(flag, required,              0, _)                                            \
    F(f64,  response_time_s,       0, _)                                            \
    F(str,  message,             512, _)                                            \
    F(json, detail,             4096, _)

/* requests: answered on the bus; db_*: connections to PostgreSQL that there may be, and
 * those in use. */
#define HEALTH_REPLY(F)                                                             \
    F(str,  service,              64, _)                                            \
    F(str,  version,              64, _)                                            \
    F(str,  status,               16, _)                                            \
    F(flag, ready,                 0, _)                                            \
    F(f64,  uptime_s,              0, _)                                            \
    F(u64,  resident_bytes, UINT64_MAX, _)                                          \
    F(list, checks,               64, health_check)                                 \
    F(str,  instance,             64, _)                                            \
    F(f64,  cpu_s,                 0, _)                                            \
    F(u64,  requests,     UINT64_MAX, _)                                            \
    F(u32,  in_flight,    UINT32_MAX, _)                                            \
    F(u32,  db_pool, UINT32_MAX, _)                                          \
    F(u32,  db_active,    UINT32_MAX, _)

#define MESSAGES_COMMON(M)           \
    M(1, caller, CALLER)             \
    M(2, rpc_error, RPC_ERROR)       \
    M(3, hello, HELLO)               \
    M(4, empty, EMPTY)               \
    M(5, health_check, HEALTH_CHECK) \
    M(6, health_reply, HEALTH_REPLY)

#define METHODS_COMMON(X)                                      \
    X(1, RPC_ECHO, "rpc.echo", -, -, "the payload comes back") \
    X(2, RPC_HEALTH, "rpc.health", empty, health_reply, "the service's checks")
/* clang-format on */

#endif
