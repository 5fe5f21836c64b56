#include "shared/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libshared/src/log_limit.h"
#include "libshared/src/log_line.h"
#include "shared/clock.h"
#include "shared/errors.h"

enum { MESSAGE_MAX = 8192, SERVICE_MAX = 64, DIR_MAX = 3072 };

static struct {
    atomic_int level;
    bool text;
    char service[SERVICE_MAX];
    char dir[DIR_MAX];
    /* Written to by any thread without a lock: a reopened file takes the same number. */
    int app;
    int errors;
    void (*reopen)(void *arg); /* further logs */
    void *reopen_arg;
} out = {.level = SH_INFO, .service = "cairn", .app = -1, .errors = -1};

/* --- files ------------------------------------------------------------------------ */

/* As mkdir -p; what is there already is no error. */
static enum sh_err make_dirs(const char *dir)
{
    char path[DIR_MAX];
    (void)snprintf(path, sizeof(path), "%s", dir);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0750) != 0 && errno != EEXIST)
            return sh_err_from_errno(errno);
        *slash = '/';
    }
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return sh_err_from_errno(errno);
    return SH_OK;
}

/* Into *fd, keeping its number when it is open already. */
static enum sh_err open_file(const char *name, int *fd)
{
    char path[DIR_MAX + 32];
    (void)snprintf(path, sizeof(path), "%s/%s", out.dir, name);
    int opened = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (opened < 0)
        return sh_err_from_errno(errno);
    if (*fd < 0) {
        *fd = opened;
        return SH_OK;
    }
    int taken = dup3(opened, *fd, O_CLOEXEC);
    enum sh_err err = taken < 0 ? sh_err_from_errno(errno) : SH_OK;
    close(opened);
    return err;
}

static enum sh_err open_files(void)
{
    enum sh_err err = make_dirs(out.dir);
    if (err == SH_OK)
        err = open_file("app.log", &out.app);
    if (err == SH_OK)
        err = open_file("errors.log", &out.errors);
    return err;
}

static void close_file(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

enum sh_err sh_log_open(const struct sh_log_options *options)
{
    const char *dir = options->dir ? options->dir : "";
    if (strlen(dir) >= DIR_MAX)
        return SH_TOOBIG;
    sh_log_close();
    out.text = options->text;
    (void)snprintf(out.service, sizeof(out.service), "%s", options->service);
    (void)snprintf(out.dir, sizeof(out.dir), "%s", dir);
    sh_log_set_level(options->level);

    enum sh_err err = out.dir[0] != '\0' ? open_files() : SH_OK;
    if (err != SH_OK)
        sh_log_close();
    return err;
}

void sh_log_close(void)
{
    sh_log_flush_repeats(true);
    close_file(&out.app);
    close_file(&out.errors);
    out.dir[0] = '\0';
}

void sh_log_on_reopen(void (*reopen)(void *arg), void *arg)
{
    out.reopen = reopen;
    out.reopen_arg = arg;
}

void sh_log_reopen(void)
{
    if (out.reopen)
        out.reopen(out.reopen_arg);
    if (out.dir[0] == '\0')
        return;
    enum sh_err err = open_files();
    if (err != SH_OK)
        sh_error(NULL, "cannot reopen the log files in %s: %s", out.dir,
                 sh_err_text(err));
}

/* --- levels ----------------------------------------------------------------------- */

void sh_log_set_level(enum sh_log_level level)
{
    atomic_store_explicit(&out.level, (int)level, memory_order_relaxed);
}

bool sh_log_enabled(enum sh_log_level level)
{
    return (int)level >= atomic_load_explicit(&out.level, memory_order_relaxed);
}

bool sh_log_level_parse(const char *name, enum sh_log_level *level)
{
    for (int i = SH_DEBUG; i <= SH_CRITICAL; i++) {
        if (strcasecmp(name, sh_log_level_text((enum sh_log_level)i)) == 0) {
            *level = (enum sh_log_level)i;
            return true;
        }
    }
    return false;
}

const char *sh_log_service(void)
{
    return out.service;
}

/* --- lines ------------------------------------------------------------------------ */

/* One write a line, so that lines of several threads and processes do not mix. A log that
 * cannot be written has nowhere to say so. */
static void write_line(int fd, const struct sh_log_line *line)
{
    ssize_t wrote;
    do
        wrote = write(fd, line->data, line->len);
    while (wrote < 0 && errno == EINTR);
}

static void emit(const struct sh_log_record *record)
{
    struct sh_log_line line;
    if (out.text)
        sh_log_line_text(&line, record);
    else
        sh_log_line_json(&line, record);

    write_line(STDOUT_FILENO, &line);
    if (out.app >= 0)
        write_line(out.app, &line);
    if (out.errors >= 0 && record->level >= SH_ERROR)
        write_line(out.errors, &line);
}

static struct {
    pthread_mutex_t lock;
    sh_log_listener_fn *fn;
    void *arg;
} listener = {.lock = PTHREAD_MUTEX_INITIALIZER};

void sh_log_listen(sh_log_listener_fn *fn, void *arg)
{
    pthread_mutex_lock(&listener.lock);
    listener.fn = fn;
    listener.arg = arg;
    pthread_mutex_unlock(&listener.lock);
}

static void tell(const struct sh_log_record *record)
{
    if (record->level < SH_ERROR)
        return;
    pthread_mutex_lock(&listener.lock);
    if (listener.fn)
        listener.fn(listener.arg, &(struct sh_log_told){record->level, record->site,
                                                        record->trace, record->message});
    pthread_mutex_unlock(&listener.lock);
}

static void emit_repeats(const struct sh_log_repeats *repeats)
{
    struct sh_log_field field = {"repeated", NULL, repeats->count};
    emit(&(struct sh_log_record){
        .level = repeats->level,
        .service = out.service,
        .site = repeats->site,
        .message = "the line written here came again and was held back",
        .fields = &field,
        .count = 1,
    });
}

void sh_log_flush_repeats(bool all)
{
    struct sh_log_repeats repeats;
    while (sh_log_limit_take(sh_now_ms(), all, &repeats))
        emit_repeats(&repeats);
}

void sh_log_write(enum sh_log_level level, const struct sh_log_site *site,
                  const struct sh_trace *trace, const char *format, ...)
{
    struct sh_log_repeats owed = {0};
    sh_errors_add_site(level, site);
    bool pass = level == SH_DEBUG || sh_log_limit_pass(site, level, sh_now_ms(), &owed);
    if (owed.count > 0)
        emit_repeats(&owed);
    if (!pass)
        return;

    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    struct sh_log_record record = {
        .level = level,
        .service = out.service,
        .site = site,
        .trace = trace,
        .message = len < 0 ? format : message,
    };
    emit(&record);
    tell(&record);
}

void sh_log_event(enum sh_log_level level, const struct sh_log_site *site,
                  const struct sh_trace *trace, const char *message,
                  const struct sh_log_field *fields, size_t count)
{
    if (!sh_log_enabled(level))
        return;
    sh_errors_add_site(level, site);
    emit(&(struct sh_log_record){
        .level = level,
        .service = out.service,
        .site = site,
        .trace = trace,
        .message = message,
        .fields = fields,
        .count = count,
    });
}
