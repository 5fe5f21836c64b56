/* api: a client of Cairn's HTTP API, one request after another over one connection. What
 * the server puts off (429, 503) is asked again when it says so, what broke on the way
 * only when that does no harm. One thread at a time; several clients may live in as many
 * threads after curl_global_init(). */
#ifndef CLI_API_H
#define CLI_API_H

#include <stdatomic.h>

#include <curl/curl.h>
#include <jansson.h>

#include "shared/buffer.h"
#include "shared/bytes.h"

enum { API_ERROR_MAX = 512 };

struct api;

/* All texts are copied. */
struct api_settings {
    const char *program; /* names itself so: "cairn" */
    const char *url;     /* of the gateway: http://127.0.0.1:8080 */
    const char *token;   /* bearer token, or NULL */
    const char *key;     /* API key, or NULL; never together with a token */
    const char *ca_file; /* whom to trust in place of the system's, or NULL */
    int attempts;        /* of one request, the first included; 0: 5 */
    long patience_s;     /* the longest wait between two of them; 0: 60 */
    /* True: give up as soon as it is looked at. NULL: never. */
    atomic_bool *stop;
    /* The same for the one call under way; asked several times a second at best and once
     * a second at worst, on the thread of the call. It must not use the client. */
    bool (*given_up)(void *arg);
    void *given_up_arg;
};

/* Bytes of a good answer as they come; false ends the request, which then counts as
 * done. */
typedef bool api_sink(void *arg, struct sh_bytes piece);

/* What is sent: pull-style, so that nothing need be in memory. */
struct api_source {
    size_t (*read)(void *arg, char *into, size_t most); /* 0 at the end, API_BROKEN */
    bool (*rewind)(void *arg); /* from the start again; false: that cannot be */
    void *arg;
    curl_off_t size; /* -1: not known */
};
#define API_BROKEN CURL_READFUNC_ABORT

struct api_request {
    const char *method; /* NULL: GET */
    const char *path;   /* "/api/jobs/7?…", encoded */
    struct sh_bytes body;
    const char *type;           /* of the body; NULL: application/json */
    const char *accept;         /* what may come; NULL: anything */
    const char *const *headers; /* more of them, to NULL; or NULL */
    struct api_source *source;  /* in place of body */
    curl_mime *(*form)(CURL *curl,
                       void *arg); /* in place of body; made for each attempt */
    void *form_arg;
    bool repeatable; /* sent again when the connection broke: GET always is */
    bool once;       /* what is put off is an answer, too */
    bool patient;    /* however long it takes, as long as something moves */
    api_sink *sink;  /* NULL: the body is collected in the reply */
    void *sink_arg;
};

enum api_end {
    API_ANSWERED,    /* whatever the status */
    API_UNREACHABLE, /* `error` says why */
    API_STOPPED,     /* settings.stop, settings.given_up */
    API_UNREADABLE,  /* the source could not be read */
};

struct api_reply { /* {0} before the first call; reusable; api_reply_free() at the end */
    long status;
    struct sh_buffer body; /* of errors always; at most 64 MB */
    char type[64];
    char error[API_ERROR_MAX]; /* empty when the status is 2xx */
    char code[64];             /* of the problem: "not_found" */
    char cookie[256];          /* the last one that was set: "name=value" */
    bool ended;                /* the sink wanted no more */
};

/* Whether the URL's host is this machine: what is sent there goes nowhere else. */
bool api_is_local(const char *url);

/* NULL when out of memory or when the URL is none of http or https. */
struct api *api_new(const struct api_settings *settings);
void api_free(struct api **api);

enum api_end api_call(struct api *self, const struct api_request *request,
                      struct api_reply *reply);

/* The body as JSON, or NULL with `error` set; the caller lets it go. When some
 * number fits no integer of C, all numbers are reals. */
json_t *api_json(struct api_reply *reply);

/* False: stopped meanwhile. */
bool api_wait(const struct api *self, long ms);

void api_reply_free(struct api_reply *reply);

/* Adds `?name=value` or `&name=value`, encoded; nothing when value is NULL. */
void api_query(struct sh_buffer *path, const char *name, const char *value);
/* Adds file_name with the last part of `file`; nothing for NULL, for "-", and for a name
 * that is no UTF-8, which no request can hold. */
void api_query_file(struct sh_buffer *path, const char *file);
/* Adds a segment of a path, encoded. */
void api_segment(struct sh_buffer *path, const char *text);

#endif
