#include "services/embedder/card.h"

#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void card_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static enum sh_err hash_text(const void *data, size_t len, char *out)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
        return SH_INTERNAL;
    card_hex(digest, CARD_HASH_CHARS / 2, out);
    return SH_OK;
}

/* Alpha and size are left out: they change no vector. So is the probe's hash where the
 * weights' digest is known: one model gives one fingerprint on every processor, though
 * kernels differ in the last bits. */
enum sh_err card_seal(struct card *card)
{
    json_t *json = json_pack(
        "{s:s, s:s, s:i, s:i, s:b, s:s, s:s, s:s, s:s}", "name", card->name, "provider",
        card->provider, "dimension", (int)card->dimension, "context_length",
        (int)card->context_length, "normalised", 1, "query_prefix", card->query_prefix,
        "document_prefix", card->document_prefix, "digest", card->digest, "probe",
        *card->digest ? "" : card->probe_hash);
    char *text = json ? json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text)
        return SH_NOMEM;
    enum sh_err err = hash_text(text, strlen(text), card->fingerprint);
    free(text); /* jansson's */
    return err;
}

enum sh_err card_probe_hash(const float *vector, size_t dimension,
                            char out[static CARD_HASH_CHARS + 1])
{
    struct sh_buffer text = {0};
    for (size_t i = 0; i < dimension; i++)
        sh_buffer_printf(&text, "%ld,", lrint((double)vector[i] * 100));
    enum sh_err err = text.err;
    if (err == SH_OK)
        err = hash_text(text.data, text.len, out);
    sh_buffer_free(&text);
    return err;
}

const char *card_prefix(const struct card *card, uint32_t purpose)
{
    if (purpose == 1)
        return card->query_prefix;
    return purpose == 2 ? card->document_prefix : "";
}

static struct sh_bytes without_latest(struct sh_bytes name)
{
    static const char tag[] = ":latest";
    size_t len = sizeof(tag) - 1;
    if (name.len > len && memcmp((const char *)name.data + name.len - len, tag, len) == 0)
        name.len -= len;
    return name;
}

bool card_is(const struct card *card, struct sh_bytes name)
{
    return sh_bytes_equal(without_latest(sh_bytes_of(card->name)), without_latest(name));
}

/* Two digits; -1: they are not. */
static int two_digits(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* "Z", "+02:00" or "-07:00", to its end: seconds east of Greenwich. False: neither. */
static bool read_zone(const char *text, int *east)
{
    *east = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if (strlen(text) != 6 || (*text != '+' && *text != '-') || text[3] != ':')
        return false;
    int hours = two_digits(text + 1), minutes = two_digits(text + 4);
    if (hours < 0 || minutes < 0)
        return false;
    *east = (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

double card_time(const char *text)
{
    struct tm tm = {0};
    double fraction = 0;
    int east;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest && *rest == '.') {
        char *end = NULL;
        fraction = strtod(rest, &end);
        rest = end;
    }
    if (!rest || !read_zone(rest, &east))
        return 0;
    time_t seconds = timegm(&tm);
    return seconds == (time_t)-1 ? 0 : (double)seconds - east + fraction;
}
