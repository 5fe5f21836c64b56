#include "services/gateway/audit/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/log.h"

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* Other threads, too, write to standard output; of a file the kernel lets one at a time.
 */
static bool is_file(int fd)
{
    struct stat it;
    return fd >= 0 && fstat(fd, &it) == 0 && S_ISREG(it.st_mode);
}

enum sh_err audit_sink_open(struct audit_sink *sink, const char *log, const char *log_dir)
{
    int len = 0;

    *sink = (struct audit_sink){.fd = -1};
    if (strcmp(log, "off") == 0)
        return SH_OK;
    if (log[0] != '\0')
        len = snprintf(sink->path, sizeof sink->path, "%s", log);
    else if (log_dir[0] != '\0')
        len = snprintf(sink->path, sizeof sink->path, "%s/audit.log", log_dir);
    if (len < 0 || (size_t)len >= sizeof sink->path)
        return SH_TOOBIG;
    sink->fd = sink->path[0] != '\0' ? open_path(sink->path) : STDOUT_FILENO;
    sink->alone = is_file(sink->fd);
    return sink->fd >= 0 ? SH_OK : SH_IO;
}

void audit_sink_close(struct audit_sink *sink)
{
    if (sink->fd >= 0 && sink->path[0] != '\0')
        close(sink->fd);
    sink->fd = -1;
}

void audit_sink_reopen(struct audit_sink *sink)
{
    if (sink->fd < 0 || sink->path[0] == '\0')
        return;
    int fd = open_path(sink->path);
    if (fd < 0) {
        sh_error(NULL, "cannot reopen the audit log %s", sink->path);
        return;
    }
    close(sink->fd);
    sink->fd = fd;
    sink->alone = is_file(fd);
}

static void write_line(struct audit_sink *sink, const char *line, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(sink->fd, line, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            sink->failed++;
            return;
        }
        line += wrote;
        len -= (size_t)wrote;
    }
}

/* As many as a pipe takes at once, so that no line of another thread comes between; at
 * least one. */
static size_t whole_lines(const char *at, size_t len)
{
    const char *newline = memrchr(at, '\n', len < PIPE_BUF ? len : PIPE_BUF);
    if (newline == NULL)
        newline = memchr(at, '\n', len);
    return newline != NULL ? (size_t)(newline - at) + 1 : len;
}

void audit_sink_write(struct audit_sink *sink, struct sh_bytes lines)
{
    if (sink->fd >= 0 && sink->alone) {
        write_line(sink, lines.data, lines.len);
        return;
    }
    const char *at = lines.data;
    size_t left = lines.len;

    while (sink->fd >= 0 && left > 0) {
        size_t len = whole_lines(at, left);
        write_line(sink, at, len);
        at += len;
        left -= len;
    }
}
