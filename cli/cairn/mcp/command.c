/* cairn mcp: lines of JSON-RPC on standard input, answers on standard output. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/mcp/mcp.h"
#include "cli/cairn/mcp/reader.h"

enum { PIECE = 64 << 10, PATIENCE_S = 10 };

struct session {
    struct api *api;
    struct mcp mcp;
    struct mcp_reader reader;
    bool ended; /* there is no more input */
};

static enum api_end ask(void *arg, const struct api_request *request,
                        struct api_reply *reply)
{
    struct session *session = arg;
    return api_call(session->api, request, reply);
}

static bool write_line(void *arg, struct sh_bytes line)
{
    (void)arg;
    const char *at = line.data;
    size_t left = line.len;
    while (left > 0) {
        ssize_t done = write(STDOUT_FILENO, at, left);
        if (done < 0 && (errno != EINTR || atomic_load(&cli_stop)))
            return false;
        at += done > 0 ? done : 0;
        left -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/* Whether there is input; with `wait` until there is. A signal ends the waiting, and none
 * is missed between the look at cli_stop and the waiting. */
static bool has_input(bool wait)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec now = {0};
    sigset_t ending;
    sigset_t before;
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGINT);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ending, &before);
    int count = 0;
    if (!atomic_load(&cli_stop))
        count = ppoll(&input, 1, wait ? NULL : &now, &before);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return count > 0;
}

static bool read_piece(struct session *session)
{
    static char piece[PIECE];
    ssize_t len = read(STDIN_FILENO, piece, sizeof(piece));
    if (len < 0)
        return errno == EINTR || errno == EAGAIN;
    session->ended = len == 0;
    return mcp_reader_feed(&session->reader, (struct sh_bytes){piece, (size_t)len});
}

/* Takes the lines that are there and for which there is room. */
static void take_lines(struct session *session)
{
    struct sh_bytes line;
    enum mcp_line what = MCP_LINE_READ;
    while (what != MCP_LINE_NONE && mcp_has_room(&session->mcp)) {
        what = mcp_reader_next(&session->reader, session->ended, &line);
        if (what == MCP_LINE_READ)
            mcp_take(&session->mcp, line);
        else if (what == MCP_LINE_LONG)
            mcp_refuse_long(&session->mcp);
    }
}

/* While the API is asked: what comes may cancel that request. What cannot be read now is
 * read before the next one, and said there. */
static bool given_up(void *arg)
{
    struct session *session = arg;
    if (!session->ended && mcp_has_room(&session->mcp) && has_input(false) &&
        read_piece(session))
        take_lines(session);
    return session->mcp.cancelled;
}

/* Before each request it reads what has come meanwhile: it may cancel that request. */
static int serve(struct session *session)
{
    while (!atomic_load(&cli_stop)) {
        take_lines(session);
        bool idle = session->mcp.count == 0;
        if (session->mcp.deaf || (idle && session->ended))
            break;
        if (!session->ended && mcp_has_room(&session->mcp) && has_input(idle)) {
            if (!read_piece(session))
                return CLI_FAILED;
        } else {
            (void)mcp_serve(&session->mcp);
        }
    }
    return atomic_load(&cli_stop) ? CLI_INTERRUPTED : CLI_OK;
}

static int run(struct cli *cli)
{
    struct session session = {.mcp = {.ask = ask, .write = write_line, .arg = &session}};
    struct api_settings settings = cli_api_settings(cli);
    settings.patience_s = PATIENCE_S;
    settings.given_up = given_up;
    settings.given_up_arg = &session;
    session.api = api_new(&settings);
    if (!session.api) {
        cli_say("%s is no address: http://HOST:PORT or https://HOST", settings.url);
        return CLI_USAGE;
    }
    int code = serve(&session);
    mcp_free(&session.mcp);
    mcp_reader_free(&session.reader);
    api_free(&session.api);
    return code;
}

/* clang-format off */
const struct command mcp_command = {
    .name = "mcp",
    .summary = "Let a program with a language model search, by the Model Context Protocol",
    .details =
        "Such a program starts it and speaks to it on standard input and output: tools "
        "search, get_document, define_term and graph_neighbors, and documents as "
        "resources, all of it under the rights of the profile, CAIRN_TOKEN or "
        "CAIRN_API_KEY. It changes nothing on the server.",
    .options = (const struct option_row[]){{0}},
    .run = run};
/* clang-format on */
