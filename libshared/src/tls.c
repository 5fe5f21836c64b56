#include "shared/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "tls_internal.h"
#include "tls_ticket.h"

struct sh_tls {
    struct sh_tls_options options;
    pthread_mutex_t lock; /* over the two below */
    SSL_CTX *context;
    double expires;
    struct tls_tickets tickets;
};

struct fault {
    char *why;
    size_t size;
};

/* `what`, and what OpenSSL has to say about it. */
static enum sh_err refuse(const struct fault *fault, const char *what, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(fault->why, fault->size, "%s %s%s%s", what, file, reason ? ": " : "",
                   reason ? reason : "");
    ERR_clear_error();
    return SH_INVALID;
}

/* --- the files -------------------------------------------------------------------- */

/* As PostgreSQL asks of its key: ours and for us alone, or root's and at most for our
 * group to read. */
static bool is_private(const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return false;
    if (status->st_uid == geteuid() && (status->st_mode & 077) == 0)
        return true;
    return status->st_uid == 0 && (status->st_mode & 037) == 0;
}

static int no_password(char *buffer, int size, int writing, void *arg)
{
    (void)writing;
    (void)arg;
    if (size > 0)
        buffer[0] = '\0';
    return -1; /* and nobody is asked at a terminal */
}

static enum sh_err read_key(const char *file, EVP_PKEY **out, const struct fault *fault)
{
    struct stat status;
    FILE *stream = NULL;
    enum sh_err err = SH_INVALID;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *out = NULL;
    if (fd < 0 || fstat(fd, &status) != 0) {
        (void)snprintf(fault->why, fault->size, "cannot read the key %s: %s", file,
                       strerror(errno));
        goto out;
    }
    if (!is_private(&status)) {
        (void)snprintf(
            fault->why, fault->size,
            "the key %s can be read by others: chmod 600 (or 640, owned by root)", file);
        goto out;
    }
    stream = fdopen(fd, "r");
    if (!stream)
        goto out;
    fd = -1; /* the stream's now */
    *out = PEM_read_PrivateKey(stream, NULL, no_password, NULL);
    err = *out ? SH_OK : refuse(fault, "no usable key without a password in", file);
out:
    if (stream)
        (void)fclose(stream); /* was only read */
    if (fd >= 0)
        close(fd);
    return err;
}

static double when(const ASN1_TIME *time)
{
    struct tm tm = {0};
    if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
        return 0;
    return (double)timegm(&tm);
}

/* --- how TLS is spoken ------------------------------------------------------------ */

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 3.2 */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
                     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
    struct sh_tls *self = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct tls_ticket_parts parts = {.cipher = cipher, .mac = mac};
    parts.name = name;
    parts.iv = iv;
    int result = tls_tickets_use(&self->tickets, sh_now_ms(), &parts, seal);
    /* clients of TLS 1.3 use a ticket once, so each gets a new one */
    bool again = !seal && result == 1 && SSL_version(ssl) == TLS1_3_VERSION;
    return again ? 2 : result;
}

static bool set_tickets(struct sh_tls *self, SSL_CTX *context)
{
    static const unsigned char whose[] = "cairn";
    uint32_t life_s = self->options.ticket_s;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (life_s == 0) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(context, 0) == 1;
    }
    SSL_CTX_set_timeout(context, (long)life_s * 2);
    return SSL_CTX_set_num_tickets(context, 1) == 1 &&
           SSL_CTX_set_session_id_context(context, whose, sizeof(whose) - 1) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

static bool set_up(struct sh_tls *self, SSL_CTX *context)
{
    char groups[] = "X25519:P-256:P-384"; /* OpenSSL's macros drop const */
    SSL_CTX_set_app_data(context, self);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_security_level(context, 2);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    int least = self->options.tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION;
    return SSL_CTX_set_min_proto_version(context, least) == 1 &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(context, groups) == 1 && set_tickets(self, context);
}

static enum sh_err load(struct sh_tls *self, SSL_CTX *context, double *expires,
                        const struct fault *fault)
{
    EVP_PKEY *key = NULL;
    enum sh_err err = SH_OK;
    if (!set_up(self, context))
        return refuse(fault, "cannot set up TLS", "");
    if (SSL_CTX_use_certificate_chain_file(context, self->options.cert_file) != 1)
        return refuse(fault, "no usable certificate in", self->options.cert_file);
    err = read_key(self->options.key_file, &key, fault);
    if (err != SH_OK)
        return err;
    if (SSL_CTX_use_PrivateKey(context, key) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        err = refuse(fault, "the certificate is not for the key", self->options.key_file);
    EVP_PKEY_free(key);
    *expires = when(X509_get0_notAfter(SSL_CTX_get0_certificate(context)));
    return err;
}

enum sh_err sh_tls_reload(struct sh_tls *self, char *why, size_t size)
{
    const struct fault fault = {why, size};
    double expires = 0;
    if (size > 0)
        why[0] = '\0';
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return SH_NOMEM;
    enum sh_err err = load(self, context, &expires, &fault);
    if (err != SH_OK) {
        SSL_CTX_free(context);
        return err;
    }
    pthread_mutex_lock(&self->lock);
    SSL_CTX *old = self->context;
    self->context = context;
    self->expires = expires;
    pthread_mutex_unlock(&self->lock);
    SSL_CTX_free(old); /* once its connections are gone */
    return SH_OK;
}

/* --- from outside ----------------------------------------------------------------- */

enum sh_err sh_tls_open(const struct sh_tls_options *options, struct sh_tls **out,
                        char *why, size_t size)
{
    *out = NULL;
    struct sh_tls *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->options = *options;
    if (pthread_mutex_init(&self->lock, NULL) != 0) {
        sh_free(self);
        return SH_NOMEM;
    }
    if (!tls_tickets_open(&self->tickets, options->ticket_s)) {
        pthread_mutex_destroy(&self->lock);
        sh_free(self);
        return SH_NOMEM;
    }
    enum sh_err err = sh_tls_reload(self, why, size);
    if (err == SH_OK)
        *out = self;
    else
        sh_tls_close(&self);
    return err;
}

SSL *tls_connection(struct sh_tls *self)
{
    pthread_mutex_lock(&self->lock);
    SSL *ssl = SSL_new(self->context);
    pthread_mutex_unlock(&self->lock);
    return ssl;
}

double sh_tls_expires(struct sh_tls *self)
{
    pthread_mutex_lock(&self->lock);
    double expires = self->expires;
    pthread_mutex_unlock(&self->lock);
    return expires;
}

void sh_tls_close(struct sh_tls **self_p)
{
    struct sh_tls *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    SSL_CTX_free(self->context);
    tls_tickets_close(&self->tickets);
    pthread_mutex_destroy(&self->lock);
    sh_free(self);
}
