/* Is there a gateway at the address, is it the one that is meant, and is it of our time?
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cairn/doctor/doctor.h"

enum {
    CONNECT_S = 10,
    WHOLE_S = 20,
    DAY_S = 24 * 60 * 60,
    CERTIFICATE_DAYS = 21,
    SKEW_WARN_S = 30,
    SKEW_FAIL_S = 300,
};

struct look {
    struct doctor *doctor;
    const char *url;
    CURL *curl;
    time_t date; /* that the server told; 0: none */
    struct sh_buffer body;
};

/* --- the address ------------------------------------------------------------------ */

static bool resolves(struct doctor *self, const char *host)
{
    struct addrinfo *found = NULL;
    char name[256];
    size_t len = strlen(host);
    bool bracketed = host[0] == '[' && len > 2; /* of an IPv6 address in a URL */
    (void)snprintf(name, sizeof(name), "%.*s", (int)(bracketed ? len - 2 : len),
                   host + (bracketed ? 1 : 0));
    int error = getaddrinfo(name, NULL, NULL, &found);
    if (error == 0)
        freeaddrinfo(found);
    else
        doctor_say(
            self, DOCTOR_FAIL, "address",
            "look at the spelling of --url or CAIRN_URL, and at this machine's DNS",
            "%s: %s", name, gai_strerror(error));
    return error == 0;
}

static bool check_address(struct doctor *self, const char *url)
{
    CURLU *parsed = curl_url();
    char *host = NULL;
    char *scheme = NULL;
    bool good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (!good)
        doctor_say(self, DOCTOR_FAIL, "address", "http://HOST:PORT or https://HOST",
                   "%s is no address of a gateway", url);
    good = good && resolves(self, host);
    if (good && strcmp(scheme, "http") == 0 && !api_is_local(url))
        doctor_say(self, DOCTOR_WARN, "address",
                   "https, by TLS_CERT_FILE or a proxy: others on the way can read along",
                   "%s is not encrypted", url);
    else if (good)
        doctor_say(self, DOCTOR_OK, "address", NULL, "%s", url);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return good;
}

/* --- asking ----------------------------------------------------------------------- */

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
    struct look *look = arg;
    if (look->body.len + size * count > 65536)
        return 0;
    sh_buffer_append(&look->body, data, size * count);
    return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct look *look = arg;
    char line[128];
    size_t len = size * count;
    (void)snprintf(line, sizeof(line), "%.*s", (int)(len < 127 ? len : 127), data);
    if (strncasecmp(line, "date:", 5) == 0)
        look->date = curl_getdate(line + 5, NULL);
    return len;
}

static CURLcode ask(struct look *look, const char *ca_file)
{
    struct sh_buffer url = {0};
    size_t len = strlen(look->url);
    while (len > 0 && look->url[len - 1] == '/')
        len--;
    sh_buffer_append(&url, look->url, len);
    sh_buffer_append(&url, "/health/ping", sizeof("/health/ping"));
    curl_easy_setopt(look->curl, CURLOPT_URL, url.data);
    curl_easy_setopt(look->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(look->curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(look->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(look->curl, CURLOPT_TIMEOUT, (long)WHOLE_S);
    curl_easy_setopt(look->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(look->curl, CURLOPT_WRITEDATA, look);
    curl_easy_setopt(look->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(look->curl, CURLOPT_HEADERDATA, look);
    if (ca_file)
        curl_easy_setopt(look->curl, CURLOPT_CAINFO, ca_file);
    if (api_is_local(look->url))
        curl_easy_setopt(look->curl, CURLOPT_NOPROXY, "*");
    CURLcode code =
        url.err == SH_OK ? curl_easy_perform(look->curl) : CURLE_OUT_OF_MEMORY;
    sh_buffer_free(&url);
    return code;
}

static void tell_failure(struct look *look, CURLcode code, const char *error)
{
    const char *text = *error ? error : curl_easy_strerror(code);
    if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(error, "expired"))
        doctor_say(look->doctor, DOCTOR_FAIL, "certificate",
                   "renew the server's certificate (TLS_CERT_FILE), then SIGHUP to the "
                   "gateway; and look at this machine's clock",
                   "%s", text);
    else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        doctor_say(
            look->doctor, DOCTOR_FAIL, "certificate",
            "--cacert FILE (or CAIRN_CACERT) with the certificate of who signed it; "
            "the name in the URL must be one of the certificate's",
            "%s", text);
    else if (code == CURLE_SSL_CONNECT_ERROR)
        doctor_say(look->doctor, DOCTOR_FAIL, "certificate",
                   "is that the TLS port of the gateway? http:// if it is the other one",
                   "%s", text);
    else
        doctor_say(
            look->doctor, DOCTOR_FAIL, "gateway",
            "is cairn-gateway running, and API_HOST and API_PORT what the URL says? "
            "`systemctl status cairn-gateway`, `docker compose ps gateway`; a "
            "firewall?",
            "%s", text);
}

/* --- what it says ----------------------------------------------------------------- */

/* "Expire date:Nov 22 11:00:00 2027 GMT", of the server's own certificate. */
static const char *expiry_of(CURL *curl)
{
    static const char name[] = "Expire date:";
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
        chain->num_of_certs < 1)
        return NULL;
    for (struct curl_slist *at = chain->certinfo[0]; at; at = at->next) {
        if (strncmp(at->data, name, sizeof(name) - 1) == 0)
            return at->data + sizeof(name) - 1;
    }
    return NULL;
}

static void check_certificate(const struct look *look)
{
    const char *expiry = expiry_of(look->curl);
    time_t ends = expiry ? curl_getdate(expiry, NULL) : -1;
    if (ends < 0)
        return; /* no TLS */
    double days = difftime(ends, time(NULL)) / DAY_S;
    if (days < CERTIFICATE_DAYS)
        doctor_say(look->doctor, DOCTOR_WARN, "certificate",
                   "renew it (TLS_CERT_FILE), then SIGHUP to the gateway",
                   "it ends in %.0f days: %s", days, expiry);
    else
        doctor_say(look->doctor, DOCTOR_OK, "certificate", NULL, "good for %.0f days",
                   days);
}

static void check_clock(const struct look *look)
{
    long skew = (long)difftime(time(NULL), look->date);
    long size = labs(skew);
    if (look->date <= 0)
        return;
    if (size < SKEW_WARN_S)
        doctor_say(look->doctor, DOCTOR_OK, "clock", NULL, "as the server's");
    else
        doctor_say(look->doctor, size < SKEW_FAIL_S ? DOCTOR_WARN : DOCTOR_FAIL, "clock",
                   "set it on both machines (`timedatectl set-ntp true`): tokens and "
                   "certificates are good for a time",
                   "%ld s %s the server's", size, skew > 0 ? "ahead of" : "behind");
}

/* Some other server may answer at the address. */
static bool check_gateway(const struct look *look)
{
    long status = 0;
    curl_easy_getinfo(look->curl, CURLINFO_RESPONSE_CODE, &status);
    json_t *pong =
        look->body.len > 0 ? json_loadb(look->body.data, look->body.len, 0, NULL) : NULL;
    const char *message = json_string_value(json_object_get(pong, "message"));
    bool good = status == 200 && message && strcmp(message, "pong") == 0;
    json_decref(pong);
    if (good)
        doctor_say(look->doctor, DOCTOR_OK, "gateway", NULL, "it answers");
    else
        doctor_say(look->doctor, DOCTOR_FAIL, "gateway",
                   "look at the port in the URL; a proxy before the gateway must pass "
                   "/health/ on, and needs the gateway to run",
                   "what answers is no gateway: HTTP %ld", status);
    return good;
}

bool doctor_reach(struct doctor *self)
{
    char error[CURL_ERROR_SIZE] = "";
    const struct settings *settings = &self->cli->settings;
    struct look look = {.doctor = self, .url = settings->url};
    bool good = check_address(self, settings->url);
    look.curl = good ? curl_easy_init() : NULL;
    if (!look.curl)
        return false;
    curl_easy_setopt(look.curl, CURLOPT_ERRORBUFFER, error);
    CURLcode code = ask(&look, settings->ca_file);
    if (code != CURLE_OK)
        tell_failure(&look, code, error);
    good = code == CURLE_OK;
    if (good)
        check_certificate(&look);
    good = good && check_gateway(&look);
    if (good)
        check_clock(&look);
    curl_easy_cleanup(look.curl);
    sh_buffer_free(&look.body);
    return good;
}
