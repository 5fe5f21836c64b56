/* tls_fixture: certificates made on the spot, and a TLS client that turns the server's
 * loop while it waits. */
#ifndef TESTS_TLS_FIXTURE_H
#define TESTS_TLS_FIXTURE_H

#include "http_fixture.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "shared/tls.h"

struct files {
    char dir[64];
    char cert[96];
    char key[96];
};

static inline EVP_PKEY *write_key(const char *path, const char *password)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    const EVP_CIPHER *cipher = password ? EVP_aes_128_cbc() : NULL;
    unsigned char secret[64] = "";
    size_t len = password ? strlen(password) : 0;
    memcpy(secret, password ? password : "", len);
    assert_int_equal(
        PEM_write_PrivateKey(file, key, cipher, secret, (int)len, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    return key;
}

/* Signed by itself, for `name`. */
static inline void write_cert(const char *path, EVP_PKEY *key, const char *name)
{
    X509 *cert = X509_new();
    assert_non_null(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const void *)name, -1, -1,
                               0);
    X509_set_issuer_name(cert, subject);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(cert);
}

static inline void write_pair(const struct files *files, const char *name)
{
    EVP_PKEY *key = write_key(files->key, NULL);
    write_cert(files->cert, key, name);
    EVP_PKEY_free(key);
}

static inline void make_files(struct files *files, const char *name)
{
    (void)snprintf(files->dir, sizeof(files->dir), "/tmp/cairn-tls-XXXXXX");
    assert_non_null(mkdtemp(files->dir));
    (void)snprintf(files->cert, sizeof(files->cert), "%s/cert.pem", files->dir);
    (void)snprintf(files->key, sizeof(files->key), "%s/key.pem", files->dir);
    write_pair(files, name);
}

static inline void remove_files(const struct files *files)
{
    (void)unlink(files->cert);
    (void)unlink(files->key);
    assert_int_equal(rmdir(files->dir), 0);
}

/* --- the client ------------------------------------------------------------------- */

struct client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

static inline void client_open(struct fixture *f, struct client *client)
{
    *client = (struct client){.context = SSL_CTX_new(TLS_client_method())};
    assert_non_null(client->context);
    SSL_CTX_set_security_level(client->context, 0); /* the server is to refuse */
    client->ssl = SSL_new(client->context);
    assert_non_null(client->ssl);
    client->fd = dial(f);
    assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(SSL_set_fd(client->ssl, client->fd), 1);
    SSL_set_connect_state(client->ssl);
}

static inline void client_close(struct client *client)
{
    /* or OpenSSL takes the session for broken and will not resume it */
    SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
    ERR_clear_error();
}

static inline bool would_wait(const struct client *client, int rc)
{
    int error = SSL_get_error(client->ssl, rc);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* True: hands were shaken; false: refused. */
static inline bool client_shake(struct fixture *f, struct client *client)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    int rc;
    ERR_clear_error();
    while ((rc = SSL_do_handshake(client->ssl)) != 1 && would_wait(client, rc))
        turn(f, deadline);
    return rc == 1;
}

static inline void client_say(struct fixture *f, struct client *client, const void *data,
                              size_t len)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    const char *at = data;
    while (len > 0) {
        size_t done = 0;
        ERR_clear_error();
        int rc = SSL_write_ex(client->ssl, at, len < 16384 ? len : 16384, &done);
        if (rc != 1) {
            assert_true(would_wait(client, 0));
            turn(f, deadline);
        }
        at += done;
        len -= done;
    }
}

/* Up to the end, or until the text occurs. True: the end, properly said. */
static inline bool client_hear(struct fixture *f, struct client *client,
                               struct heard *heard, const char *text)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (!text || !strstr(heard->data, text)) {
        size_t got = 0;
        ERR_clear_error();
        int rc = SSL_read_ex(client->ssl, heard->data + heard->len,
                             sizeof(heard->data) - 1 - heard->len, &got);
        heard->len += got;
        heard->data[heard->len] = '\0';
        if (rc == 1)
            continue;
        if (!would_wait(client, 0))
            return SSL_get_error(client->ssl, 0) == SSL_ERROR_ZERO_RETURN;
        turn(f, deadline);
    }
    return false;
}

#endif
