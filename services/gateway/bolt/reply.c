/* The messages of a server. */
#include <stdarg.h>
#include <stdio.h>

#include "proto/wire.h"
#include "services/gateway/bolt/conn.h"

enum { SENTENCE = 1024 };

size_t reply_success_begin(struct bolt_conn *conn, size_t pairs)
{
    struct sh_buffer *out = &conn->bolt->out;
    size_t begin = chunks_begin(out);

    ps_struct(out, BOLT_SUCCESS, 1);
    ps_map(out, pairs);
    return begin;
}

void reply_end(struct bolt_conn *conn, size_t begin)
{
    chunks_end(&conn->bolt->out, begin);
}

void reply_success(struct bolt_conn *conn)
{
    reply_end(conn, reply_success_begin(conn, 0));
}

void reply_ignored(struct bolt_conn *conn)
{
    struct sh_buffer *out = &conn->bolt->out;
    size_t begin = chunks_begin(out);

    ps_struct(out, BOLT_IGNORED, 0);
    chunks_end(out, begin);
}

/* What a sentence quotes may be cut anywhere. */
static size_t whole_characters(const char *text, size_t len)
{
    while (len > 0 && !wire_utf8((struct sh_bytes){text, len}))
        len--;
    return len;
}

__attribute__((format(printf, 3, 0))) static void
write_failure(struct bolt_conn *conn, const char *code, const char *format, va_list args)
{
    struct sh_buffer *out = &conn->bolt->out;
    char sentence[SENTENCE];

    (void)vsnprintf(sentence, sizeof sentence, format, args);
    size_t begin = chunks_begin(out);
    ps_struct(out, BOLT_FAILURE, 1);
    ps_map(out, 2);
    ps_word(out, "code");
    ps_word(out, code);
    ps_word(out, "message");
    ps_text(out,
            (struct sh_bytes){sentence, whole_characters(sentence, strlen(sentence))});
    chunks_end(out, begin);
    results_drop_all(conn);
    conn->in_tx = false;
    conn->state = BOLT_FAILED;
}

void reply_failure(struct bolt_conn *conn, const char *code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_failure(conn, code, format, args);
    va_end(args);
}

void reply_fatal(struct bolt_conn *conn, const char *code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_failure(conn, code, format, args);
    va_end(args);
    conn->state = BOLT_DEFUNCT;
    conn->ending = true;
}

void reply_flush(struct bolt_conn *conn)
{
    struct sh_buffer *out = &conn->bolt->out;

    if (out->err != SH_OK) /* part of it is missing: the rest would mean something else */
        conn->ending = true;
    else if (out->len > 0)
        sh_stream_send(conn->stream, sh_buffer_bytes(out));
    if (out->capacity > BOLT_KEPT_OUT)
        sh_buffer_free(out);
    else
        sh_buffer_clear(out);
    if (conn->ending)
        sh_stream_end(conn->stream);
}

void conn_resume(struct bolt_conn *conn)
{
    conn->busy = false;
    reply_flush(conn);
    sh_stream_kick(conn->stream);
}
