#include "cli/cairn/download.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool on_piece(void *arg, struct sh_bytes piece)
{
    const int *fd = arg;
    const char *data = piece.data;
    while (piece.len > 0) {
        ssize_t n = write(*fd, data, piece.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        piece.len -= (size_t)n;
    }
    return true;
}

static int fetch(struct cli *cli, const char *path, int fd, off_t *size)
{
    errno = 0;
    int code = cli_ask(
        cli, &(struct api_request){
                 .path = path, .patient = true, .sink = on_piece, .sink_arg = &fd});
    int cause = errno;
    *size = lseek(fd, 0, SEEK_END);
    if (code == CLI_OK && cli->reply.ended) {
        cli_say("the file could not be written: %s", strerror(cause));
        return CLI_FAILED;
    }
    return code;
}

/* What is whole appears under its name, and nothing else. */
static int fetch_into(struct cli *cli, const char *path, const char *name)
{
    char draft[PATH_MAX];
    off_t size = 0;
    if (snprintf(draft, sizeof(draft), "%s.XXXXXX", name) >= (int)sizeof(draft))
        return CLI_USAGE;
    int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0) {
        cli_say("%s: %s", name, strerror(errno));
        return CLI_FAILED;
    }
    mode_t mask = umask(0);
    (void)umask(mask);
    int code = fetch(cli, path, fd, &size);
    bool kept = code == CLI_OK && fchmod(fd, 0666 & ~mask) == 0;
    kept = close(fd) == 0 && kept && rename(draft, name) == 0;
    if (!kept)
        (void)unlink(draft);
    if (kept || code != CLI_OK)
        return code;
    cli_say("%s: %s", name, strerror(errno));
    return CLI_FAILED;
}

int download_text(struct cli *cli, const char *path)
{
    const char *name = args_text(&cli->args, "output");
    off_t size = 0;
    if (name && strcmp(name, "-") != 0)
        return fetch_into(cli, path, name);
    return fetch(cli, path, STDOUT_FILENO, &size);
}

int download(struct cli *cli, const char *path)
{
    const char *name = args_text(&cli->args, "output");
    if ((name && strcmp(name, "-") != 0) || !isatty(STDOUT_FILENO))
        return download_text(cli, path);
    cli_say("that would be a file on the terminal: -o PATH, or a pipe");
    return CLI_FAILED;
}
