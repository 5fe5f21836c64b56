#include "cli/cairn/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, FEWEST_COLUMNS = 20 };

static size_t columns_of(int fd)
{
    struct winsize size;
    const char *given = getenv("COLUMNS");
    long columns = given ? strtol(given, NULL, 10) : 0;
    if (columns <= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns <= 0)
        columns = USUAL_COLUMNS;
    return columns < FEWEST_COLUMNS ? FEWEST_COLUMNS : (size_t)columns;
}

struct terminal terminal_of(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    int fd = fileno(stream);
    if (!isatty(fd))
        return (struct terminal){0};
    return (struct terminal){.is_one = true,
                             .colour = !(no_colour && *no_colour) && kind &&
                                       strcmp(kind, "dumb") != 0,
                             .columns = columns_of(fd)};
}

static const char *sequence(const struct terminal *terminal, const char *text)
{
    return terminal->colour ? text : "";
}

const char *terminal_bold(const struct terminal *terminal)
{
    return sequence(terminal, "\x1b[1m");
}

const char *terminal_faint(const struct terminal *terminal)
{
    return sequence(terminal, "\x1b[2m");
}

const char *terminal_mark(const struct terminal *terminal)
{
    return sequence(terminal, "\x1b[1;33m");
}

const char *terminal_plain(const struct terminal *terminal)
{
    return sequence(terminal, "\x1b[0m");
}
