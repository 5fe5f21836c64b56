#include "services/backup/service/teller.h"

#include <assert.h>
#include <stdlib.h>

/* --- what it says ----------------------------------------------------------------- */

static void take_lines(struct teller *teller)
{
    struct sh_line line;

    while (sh_lines_next(&teller->lines, &line)) {
        json_t *said =
            json_loadb(line.text.data ? line.text.data : "", line.text.len, 0, NULL);
        if (said != NULL)
            teller->on_line(teller->arg, said);
        json_decref(said);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct teller *teller = handle->data;

    if (--teller->handles > 0)
        return;
    sh_lines_close(&teller->lines);
    teller->on_end(teller->arg);
}

static void close_one(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct teller *teller = handle->data;

    (void)wanted;
    *buf = uv_buf_init(teller->read, sizeof(teller->read));
}

static void on_out(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct teller *teller = stream->data;

    if (len > 0 &&
        sh_lines_feed(&teller->lines, (struct sh_bytes){buf->base, (size_t)len}) == SH_OK)
        take_lines(teller);
    else if (len != 0)
        close_one((uv_handle_t *)stream);
}

static void on_exit_of(uv_process_t *process, int64_t status, int term_signal)
{
    struct teller *teller = process->data;

    teller->exited = true;
    teller->status = status;
    teller->term_signal = term_signal;
    close_one((uv_handle_t *)process);
}

/* --- its life --------------------------------------------------------------------- */

static int spawn(struct teller *teller, uv_loop_t *loop, const struct teller_spec *spec)
{
    uv_stdio_container_t stdio[TELLER_INHERITS_MOST] = {{.flags = UV_IGNORE}};
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = spec->program,
                                    .args = spec->argv,
                                    .stdio_count = 3,
                                    .stdio = stdio};

    if (spec->inherits >= 0) {
        assert(spec->inherits_as >= 3 && spec->inherits_as < TELLER_INHERITS_MOST);
        stdio[spec->inherits_as].flags = UV_INHERIT_FD;
        stdio[spec->inherits_as].data.fd = spec->inherits;
        options.stdio_count = spec->inherits_as + 1;
    }
    stdio[1].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    stdio[1].data.stream = (uv_stream_t *)&teller->out;
    int rc = uv_spawn(loop, &teller->process, &options);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&teller->out, on_alloc, on_out);
    return rc;
}

int teller_start(struct teller *teller, uv_loop_t *loop, const struct teller_spec *spec)
{
    teller->handles = 2;
    teller->exited = false;
    teller->status = EXIT_FAILURE;
    teller->term_signal = 0;
    sh_lines_open(&teller->lines, spec->line_most);
    teller->out.data = teller->process.data = teller;
    (void)uv_pipe_init(loop, &teller->out, 0); /* cannot fail */
    int rc = spawn(teller, loop, spec);
    if (rc != 0)
        teller_let_go(teller);
    return rc;
}

void teller_kill(struct teller *teller, int number)
{
    if (teller->handles > 0 && !teller->exited)
        (void)uv_process_kill(&teller->process, number);
}

void teller_let_go(struct teller *teller)
{
    if (teller->handles == 0)
        return;
    close_one((uv_handle_t *)&teller->out);
    close_one((uv_handle_t *)&teller->process);
}
