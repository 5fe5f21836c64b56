/* redis: hiredis' asynchronous client on libuv, with the timeouts and reconnects that its
 * own adapter lacks. What Redis holds may always be lost: every command can fail, and no
 * caller may depend on it. Loop thread only. */
#ifndef SHARED_REDIS_H
#define SHARED_REDIS_H

#include <hiredis/hiredis.h>
#include <uv.h>

#include "shared/bytes.h"
#include "shared/config.h"
#include "shared/err.h"
#include "shared/health.h"

#define SH_REDIS_SETTINGS(S)                                                             \
    S(url, url, "REDIS_URL", "", 0, 4096, SH_SECRET, "",                                 \
      "redis://[user][:password@]host[:port][/db] or unix:///path; wins over the parts") \
    S(str, host, "REDIS_HOST", "localhost", 1, 255, 0, "", "host")                       \
    S(u32, port, "REDIS_PORT", "6379", 1, 65535, 0, "", "port")                          \
    S(str, password, "REDIS_PASSWORD", "", 0, 1024, SH_SECRET, "", "password")           \
    S(u32, timeout_ms, "REDIS_TIMEOUT_MS", "1000", 1, 60000, 0, "",                      \
      "longest wait for an answer; then the connection is made anew")

struct sh_redis_config {
    SH_REDIS_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings sh_redis_settings(struct sh_redis_config *into);

struct sh_redis;

/* `check` may be NULL; else kept current by a PING every 5 s (connection_active). An
 * absent server is not an error. Errors: SH_NOMEM; SH_INVALID: a URL it cannot use
 * (rediss:// among them), named in the log. */
SH_CHECK enum sh_err sh_redis_create(uv_loop_t *loop,
                                     const struct sh_redis_config *config,
                                     struct sh_health_check *check,
                                     struct sh_redis **out);
bool sh_redis_connected(const struct sh_redis *redis);
/* How often it has been connected so far: another number means that there was a time
 * without Redis, which may have forgotten everything. */
uint64_t sh_redis_connects(const struct sh_redis *redis);
/* `reply` is NULL unless SH_OK, borrowed until it returns, and may be a Redis error
 * reply. Exactly once per accepted command. */
typedef void sh_redis_done_fn(void *arg, enum sh_err err, const redisReply *reply);
/* Errors at once: SH_UNAVAILABLE when not connected, SH_BUSY when 10,000 (or 64 MiB)
 * wait, SH_INVALID without words, SH_NOMEM. Later: SH_TIMEOUT, SH_UNAVAILABLE (the
 * connection broke), SH_CANCELED. `done` NULL: nobody wants the answer. */
SH_CHECK enum sh_err sh_redis_command(struct sh_redis *redis, size_t count,
                                      const struct sh_bytes *words,
                                      sh_redis_done_fn *done, void *arg);
/* What waits gets SH_CANCELED before this returns; *redis becomes NULL. */
void sh_redis_close(struct sh_redis **redis);

#endif
