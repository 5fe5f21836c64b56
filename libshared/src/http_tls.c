#include "http_tls.h"

#include <openssl/err.h>

#include "http_internal.h"
#include "shared/mem.h"
#include "tls_internal.h"

enum {
    READ_MAX = 65536,          /* what the socket gives at once */
    PLAIN_MAX = 65536 + 32768, /* and the part of a record that came before */
    RECORD = 16384,
    FLUSH_BYTES = 262144, /* of a long answer, enciphered at once */
    HELLO_MAX = 32768,    /* bytes of a client's handshake */
    KEEP_BYTES = 65536,
};

struct http_tls {
    SSL *ssl;
    struct http_tls_shared *shared;
    struct sh_bytes raw; /* not yet taken by OpenSSL */
    size_t hello;
    bool open;
    bool under_way;
    bool said_bye;
};

static struct sh_family handshakes_family = {
    .kind = SH_COUNTER,
    .name = "cairn_http_tls_handshakes_total",
    .help = "TLS handshakes, by what became of them",
    .labels = {"listener", "result"},
};

/* --- between OpenSSL and the buffers ---------------------------------------------- */

static int bio_read(BIO *bio, char *out, int size)
{
    struct http_tls *self = BIO_get_data(bio);
    size_t len = (size_t)size < self->raw.len ? (size_t)size : self->raw.len;
    BIO_clear_retry_flags(bio);
    if (len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(out, self->raw.data, len);
    self->raw.data = (const char *)self->raw.data + len;
    self->raw.len -= len;
    return (int)len;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct http_tls *self = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    sh_buffer_append(&self->shared->cipher, data, (size_t)size);
    return self->shared->cipher.err == SH_OK ? size : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* Made once and never freed: as many as there are processes. */
static BIO_METHOD *method;
static uv_once_t method_once = UV_ONCE_INIT;

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cairn");
    if (made && BIO_meth_set_read(made, bio_read) == 1 &&
        BIO_meth_set_write(made, bio_write) == 1 &&
        BIO_meth_set_ctrl(made, bio_ctrl) == 1)
        method = made;
    else
        BIO_meth_free(made);
}

/* --- what a server has ------------------------------------------------------------ */

enum sh_err http_tls_share(struct http_tls_shared *self, struct sh_tls *tls, size_t most,
                           const char *listener)
{
    *self = (struct http_tls_shared){.tls = tls, .most = most};
    if (!tls)
        return SH_OK;
    uv_once(&method_once, make_method);
    self->plain = sh_alloc(PLAIN_MAX);
    if (!self->plain || !method) {
        http_tls_unshare(self);
        return SH_NOMEM;
    }
    self->good = sh_series(&handshakes_family, (const char *[]){listener, "ok"});
    self->failed = sh_series(&handshakes_family, (const char *[]){listener, "failed"});
    self->slow = sh_series(&handshakes_family, (const char *[]){listener, "timeout"});
    self->crowded = sh_series(&handshakes_family, (const char *[]){listener, "crowded"});
    return SH_OK;
}

void http_tls_unshare(struct http_tls_shared *self)
{
    sh_free(self->plain);
    sh_buffer_free(&self->cipher);
    sh_buffer_free(&self->joined);
    *self = (struct http_tls_shared){0};
}

/* --- a connection's --------------------------------------------------------------- */

static bool connect_bio(struct http_tls *self)
{
    BIO *bio = BIO_new(method);
    if (!bio)
        return false;
    BIO_set_data(bio, self);
    BIO_set_init(bio, 1);
    SSL_set_bio(self->ssl, bio, bio); /* takes it over */
    SSL_set_accept_state(self->ssl);
    return true;
}

struct http_tls *http_tls_open(struct http_conn *conn)
{
    struct http_tls_shared *shared = &conn->server->tls;
    if (shared->under_way >= shared->most) {
        sh_series_add(shared->crowded, 1);
        return NULL;
    }
    struct http_tls *self = sh_alloc(sizeof(*self));
    if (!self)
        return NULL;
    self->shared = shared;
    self->ssl = tls_connection(shared->tls);
    if (!self->ssl || !connect_bio(self)) {
        http_tls_free(self);
        return NULL;
    }
    self->under_way = true;
    shared->under_way++;
    return self;
}

static void handshake_over(struct http_tls *self, struct sh_series *result)
{
    if (!self->under_way)
        return;
    self->under_way = false;
    self->shared->under_way--;
    if (result)
        sh_series_add(result, 1);
}

void http_tls_free(struct http_tls *self)
{
    if (!self)
        return;
    handshake_over(self, NULL);
    SSL_free(self->ssl);
    sh_free(self);
}

bool http_tls_is_open(const struct http_tls *self)
{
    return self->open;
}

void http_tls_expired(struct http_conn *conn)
{
    handshake_over(conn->tls, conn->server->tls.slow);
}

/* --- out -------------------------------------------------------------------------- */

static void flush(struct http_conn *conn)
{
    struct sh_buffer *cipher = &conn->server->tls.cipher;
    struct sh_bytes part = sh_buffer_bytes(cipher);
    if (cipher->err != SH_OK)
        http_write_fail(conn);
    else if (part.len > 0)
        http_write_raw(conn, &part, 1);
    if (cipher->capacity > KEEP_BYTES)
        sh_buffer_free(cipher);
    else
        sh_buffer_clear(cipher);
}

/* The buffer is always empty here, and takes all that OpenSSL writes. */
static bool encipher(struct http_conn *conn, struct sh_bytes part)
{
    while (part.len > 0) {
        size_t len = part.len < FLUSH_BYTES ? part.len : FLUSH_BYTES;
        size_t done = 0;
        ERR_clear_error();
        if (SSL_write_ex(conn->tls->ssl, part.data, len, &done) != 1 || done != len) {
            ERR_clear_error();
            sh_buffer_clear(&conn->server->tls.cipher);
            http_write_fail(conn);
            return false;
        }
        flush(conn);
        part = (struct sh_bytes){(const char *)part.data + len, part.len - len};
    }
    return true;
}

void http_tls_write(struct http_conn *conn, const struct sh_bytes *parts, unsigned count)
{
    struct sh_buffer *joined = &conn->server->tls.joined;
    sh_buffer_clear(joined);
    for (unsigned i = 0; i < count; i++) {
        if (joined->len + parts[i].len <= RECORD) {
            sh_buffer_append(joined, parts[i].data, parts[i].len);
            continue;
        }
        if (!encipher(conn, sh_buffer_bytes(joined)))
            return;
        sh_buffer_clear(joined);
        if (parts[i].len <= RECORD)
            sh_buffer_append(joined, parts[i].data, parts[i].len);
        else if (!encipher(conn, parts[i]))
            return;
    }
    if (joined->err != SH_OK)
        http_write_fail(conn);
    else
        (void)encipher(conn, sh_buffer_bytes(joined)); /* it told the connection */
}

void http_tls_bye(struct http_conn *conn)
{
    struct http_tls *self = conn->tls;
    struct sh_buffer *cipher = &conn->server->tls.cipher;
    if (!self->open || self->said_bye || conn->broken || http_write_queued(conn) > 0)
        return;
    self->said_bye = true;
    ERR_clear_error();
    (void)SSL_shutdown(self->ssl); /* its answer is not waited for */
    ERR_clear_error();
    if (cipher->err == SH_OK && cipher->len > 0) {
        uv_buf_t buf = uv_buf_init(cipher->data, (unsigned)cipher->len);
        (void)uv_try_write((uv_stream_t *)&conn->tcp, &buf,
                           1); /* or it learns by the end */
    }
    sh_buffer_clear(cipher);
}

/* --- in --------------------------------------------------------------------------- */

/* True: done, or more is needed. */
static bool shake_hands(struct http_conn *conn, size_t came)
{
    struct http_tls *self = conn->tls;
    self->hello += came;
    ERR_clear_error();
    int rc = SSL_do_handshake(self->ssl);
    bool waiting = rc != 1 && SSL_get_error(self->ssl, rc) == SSL_ERROR_WANT_READ &&
                   self->hello <= HELLO_MAX;
    if (rc == 1) {
        self->open = true;
        handshake_over(self, self->shared->good);
    } else if (!waiting) {
        handshake_over(self, self->shared->failed);
    }
    return rc == 1 || waiting;
}

static bool decipher(struct http_tls *self, struct sh_bytes *plain, bool *over)
{
    size_t len = 0;
    size_t got = 0;
    ERR_clear_error();
    while (len < PLAIN_MAX &&
           SSL_read_ex(self->ssl, self->shared->plain + len, PLAIN_MAX - len, &got) == 1)
        len += got;
    *plain = (struct sh_bytes){self->shared->plain, len};
    int error = len < PLAIN_MAX ? SSL_get_error(self->ssl, 0) : SSL_ERROR_SSL;
    *over = error == SSL_ERROR_ZERO_RETURN;
    return *over || error == SSL_ERROR_WANT_READ;
}

bool http_tls_read(struct http_conn *conn, struct sh_bytes bytes, struct sh_bytes *plain,
                   bool *over)
{
    struct http_tls *self = conn->tls;
    *plain = (struct sh_bytes){0};
    *over = false;
    self->raw = bytes;
    bool good = self->open || shake_hands(conn, bytes.len);
    if (good && self->open)
        good = decipher(self, plain, over);
    ERR_clear_error();
    self->raw = (struct sh_bytes){0};
    flush(conn);
    return good;
}
