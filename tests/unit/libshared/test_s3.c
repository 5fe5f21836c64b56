/* The S3 client against a small S3 that checks signatures and misbehaves when told to. */
#include "file_fixture.h"

#include <fcntl.h>
#include <openssl/evp.h>

#include "../../../libshared/src/s3_internal.h"
#include "shared/http_client.h"

struct s3_fixture {
    struct fixture *f;
    struct sh_s3 *s3;
    struct sh_http_client *control;
};

struct answer {
    int ends;
    enum sh_err err;
    int status;
    char code[64];
    char why[160];
    uint64_t size;
    char body[256];
    size_t len;
    char keys[8][128];
    uint64_t sizes[8];
    size_t count;
    bool more;
};

static int set_up(void **state)
{
    struct s3_fixture *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->f = begin();
    assert_int_equal(sh_s3_create(&s->f->loop, &s->f->s3, "originals", &s->s3), SH_OK);
    assert_int_equal(sh_http_client_create(&s->f->loop, 1, &s->control), SH_OK);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct s3_fixture *s = *state;
    void *f = s->f;

    sh_s3_close(&s->s3);
    sh_http_client_close(&s->control);
    free(s);
    return teardown(&f);
}

/* --- telling the server to misbehave
 * ---------------------------------------------------- */

static void on_control(void *arg, enum sh_err err,
                       const struct sh_http_incoming *incoming)
{
    struct answer *answer = arg;

    answer->ends++;
    answer->err = err;
    answer->len = incoming->body.len < 255 ? incoming->body.len : 255;
    if (answer->len > 0)
        memcpy(answer->body, incoming->body.data, answer->len);
}

static void misbehave(struct s3_fixture *s, const char *fault)
{
    struct answer answer = {0};
    char url[128];
    struct sh_http_outgoing outgoing = {.method = "POST",
                                        .url = url,
                                        .body = sh_bytes_of(fault),
                                        .timeout_ms = PATIENCE_MS};

    (void)snprintf(url, sizeof(url), "%s/-/fault", fake.url);
    assert_int_equal(
        sh_http_client_send(s->control, &outgoing, on_control, &answer, NULL), SH_OK);
    pump_until(s->f, answer.ends == 1);
    assert_int_equal(answer.err, SH_OK);
}

/* --- operations
 * ------------------------------------------------------------------------- */

static void on_answer(void *arg, const struct sh_s3_reply *reply)
{
    struct answer *answer = arg;

    answer->ends++;
    answer->err = reply->err;
    answer->status = reply->status;
    memcpy(answer->code, reply->code, sizeof(answer->code));
    (void)snprintf(answer->why, sizeof(answer->why), "%s", reply->why);
    answer->size = reply->size;
    answer->len = reply->body.len < 255 ? reply->body.len : 255;
    if (answer->len > 0)
        memcpy(answer->body, reply->body.data, answer->len);
    answer->count = reply->count;
    answer->more = reply->more;
    for (size_t i = 0; i < reply->count && i < 8; i++) {
        (void)snprintf(answer->keys[i], 128, "%s", reply->objects[i].key);
        answer->sizes[i] = reply->objects[i].size;
    }
}

static struct answer wait_for(struct s3_fixture *s, enum sh_err err,
                              struct answer *answer)
{
    assert_int_equal(err, SH_OK);
    assert_int_equal(answer->ends, 0);
    pump_until(s->f, answer->ends == 1);
    return *answer;
}

static struct answer put_as(struct s3_fixture *s, const char *key, const char *text,
                            const char *hashed)
{
    struct answer answer = {0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[65];
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/body", s->f->dir);
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(EVP_Digest(hashed, strlen(hashed), digest, NULL, EVP_sha256(), NULL),
                     1);
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    struct sh_s3_put put = {fd, strlen(text), hex, "text/plain"};
    enum sh_err err = sh_s3_put(s->s3, key, &put, on_answer, &answer, NULL);
    close(fd); /* the call has its own */
    return wait_for(s, err, &answer);
}

static struct answer put(struct s3_fixture *s, const char *key, const char *text)
{
    return put_as(s, key, text, text);
}

static struct answer get(struct s3_fixture *s, const char *key, uint64_t at, size_t len)
{
    struct answer answer = {0};
    const struct sh_s3_range range = {at, len};
    return wait_for(s, sh_s3_get(s->s3, key, &range, on_answer, &answer, NULL), &answer);
}

static struct answer head(struct s3_fixture *s, const char *key)
{
    struct answer answer = {0};
    return wait_for(s, sh_s3_head(s->s3, key, on_answer, &answer, NULL), &answer);
}

static struct answer delete (struct s3_fixture *s, const char *key)
{
    struct answer answer = {0};
    return wait_for(s, sh_s3_delete(s->s3, key, on_answer, &answer, NULL), &answer);
}

static struct answer list_keys(struct s3_fixture *s, const char *prefix,
                               const char *after, unsigned most)
{
    struct answer answer = {0};
    const struct sh_s3_page page = {prefix, after, most};
    return wait_for(s, sh_s3_list(s->s3, &page, on_answer, &answer, NULL), &answer);
}

/* --- the promises
 * ----------------------------------------------------------------------- */

static void an_object_comes_and_goes(void **state)
{
    struct s3_fixture *s = *state;

    assert_int_equal(put(s, "a/b", "hello").err, SH_OK);
    struct answer answer = head(s, "a/b");
    assert_int_equal(answer.err, SH_OK);
    assert_int_equal(answer.size, 5);
    answer = get(s, "a/b", 1, 3);
    assert_int_equal(answer.err, SH_OK);
    assert_string_equal(answer.body, "ell");
    assert_int_equal(put(s, "a/b", "").err, SH_OK);
    assert_int_equal(head(s, "a/b").size, 0);
    assert_int_equal(delete (s, "a/b").err, SH_OK);
    assert_int_equal(delete (s, "a/b").err, SH_OK);
    assert_int_equal(head(s, "a/b").err, SH_NOTFOUND);
    answer = get(s, "a/b", 0, 1);
    assert_int_equal(answer.err, SH_NOTFOUND);
    assert_string_equal(answer.code, "NoSuchKey");
}

/* What must be escaped is signed as it was escaped. */
static void every_key_is_signed_right(void **state)
{
    static const char *const keys[] = {
        "plain",        "with space", "a+b=c&d?e#f",           "100%",
        "%41",          "~tilde-_.",  "\xc3\xa9/\xe2\x82\xac", "a/b/c.tar.gz",
        "(x)!*';:@,$[]"};
    struct s3_fixture *s = *state;

    for (size_t i = 0; i < SH_COUNT(keys); i++) {
        assert_int_equal(put(s, keys[i], "x").err, SH_OK);
        assert_int_equal(head(s, keys[i]).err, SH_OK);
        struct answer answer = list_keys(s, keys[i], "", 1);
        assert_int_equal(answer.err, SH_OK);
        assert_int_equal(answer.count, 1);
        assert_string_equal(answer.keys[0], keys[i]);
        assert_int_equal(delete (s, keys[i]).err, SH_OK);
    }
}

static void no_key_leads_elsewhere(void **state)
{
    static const char *const keys[] = {"", "/a", "a//b", "../a", "a/../b", "a/.", "a/"};
    struct s3_fixture *s = *state;
    struct answer answer;
    char longest[SH_S3_KEY_MAX + 2];

    for (size_t i = 0; i < SH_COUNT(keys); i++)
        assert_int_equal(sh_s3_head(s->s3, keys[i], on_answer, &answer, NULL),
                         SH_INVALID);
    memset(longest, 'x', sizeof(longest));
    longest[SH_S3_KEY_MAX + 1] = '\0';
    assert_int_equal(sh_s3_head(s->s3, longest, on_answer, &answer, NULL), SH_INVALID);
}

static void lists_go_on_behind_a_key(void **state)
{
    struct s3_fixture *s = *state;

    for (int i = 0; i < 5; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "list & more/%d", i);
        assert_int_equal(put(s, key, "12345678" + i).err, SH_OK);
    }
    struct answer answer = list_keys(s, "list & more/", "", 3);
    assert_int_equal(answer.count, 3);
    assert_true(answer.more);
    assert_string_equal(answer.keys[2], "list & more/2");
    assert_int_equal(answer.sizes[2], 6);
    answer = list_keys(s, "list & more/", answer.keys[2], 3);
    assert_int_equal(answer.count, 2);
    assert_false(answer.more);
    assert_int_equal(list_keys(s, "none/", "", 3).count, 0);
}

static void keys_that_are_wrong_are_refused_once(void **state)
{
    static const struct {
        const char *access;
        const char *secret;
        const char *region;
        enum sh_err err;
        const char *code;
    } all[] = {
        {"test-access-key", "wrong", "eu-test-1", SH_FORBIDDEN, "SignatureDoesNotMatch"},
        {"other", "test/secret+key", "eu-test-1", SH_FORBIDDEN, "InvalidAccessKeyId"},
        {"test-access-key", "test/secret+key", "mars-1", SH_INVALID,
         "AuthorizationHeaderMalformed"},
    };
    struct s3_fixture *s = *state;

    for (size_t i = 0; i < SH_COUNT(all); i++) {
        struct sh_s3_config config = s->f->s3;
        config.access_key = all[i].access;
        config.secret_key = all[i].secret;
        config.region = all[i].region;
        sh_s3_close(&s->s3);
        assert_int_equal(sh_s3_create(&s->f->loop, &config, "originals", &s->s3), SH_OK);
        struct answer answer = get(s, "x", 0, 1);
        assert_int_equal(answer.err, all[i].err);
        assert_string_equal(answer.code, all[i].code);
        assert_int_equal(put(s, "x", "y").err, all[i].err);
        sh_s3_close(&s->s3); /* before its settings go */
    }
}

static void a_body_that_is_not_what_was_signed_is_refused(void **state)
{
    struct s3_fixture *s = *state;
    struct answer answer = put_as(s, "forged", "abc", "abd");

    assert_int_equal(answer.err, SH_INVALID);
    assert_string_equal(answer.code, "XAmzContentSHA256Mismatch");
    assert_int_equal(head(s, "forged").err, SH_NOTFOUND);
}

static void what_passes_is_tried_again(void **state)
{
    static const char *const faults[] = {
        "{\"kind\":\"status\",\"status\":500,\"count\":2}",
        "{\"kind\":\"status\",\"status\":503,\"code\":\"SlowDown\",\"count\":2}",
        "{\"kind\":\"status\",\"status\":429,\"count\":1}",
        "{\"kind\":\"status\",\"status\":400,\"code\":\"RequestTimeout\",\"count\":1}",
        "{\"kind\":\"drop\",\"count\":2}",
        "{\"kind\":\"truncate\",\"count\":2,\"method\":\"GET\"}",
        "{\"kind\":\"short\",\"count\":1,\"method\":\"GET\"}",
    };
    struct s3_fixture *s = *state;

    for (size_t i = 0; i < SH_COUNT(faults); i++) {
        assert_int_equal(put(s, "again", "hello").err, SH_OK);
        misbehave(s, faults[i]);
        struct answer answer = get(s, "again", 0, 5);
        assert_int_equal(answer.err, SH_OK);
        assert_string_equal(answer.body, "hello");
    }
    misbehave(s, "{\"kind\":\"status\",\"status\":500,\"count\":2}");
    assert_int_equal(put(s, "again", "other").err, SH_OK); /* from its beginning */
    assert_string_equal(get(s, "again", 0, 5).body, "other");
    misbehave(s, "{\"kind\":\"truncate\",\"count\":2}");
    assert_int_equal(list_keys(s, "again", "", 1).count, 1);
}

static void what_does_not_pass_is_an_error(void **state)
{
    struct s3_fixture *s = *state;

    misbehave(s, "{\"kind\":\"status\",\"status\":503,\"count\":3}");
    struct answer answer = head(s, "x");
    assert_int_equal(answer.err, SH_UNAVAILABLE);
    assert_int_equal(answer.status, 503);
    misbehave(s, "{\"kind\":\"drop\",\"count\":50}");
    assert_int_equal(head(s, "x").err, SH_UPSTREAM);
    misbehave(s, "{\"kind\":\"none\"}");
    misbehave(s, "{\"kind\":\"status\",\"status\":409,\"count\":1}"); /* not repeated */
    assert_int_equal(head(s, "x").err, SH_INVALID);
    assert_int_equal(head(s, "x").err, SH_NOTFOUND);
}

static void silence_is_a_timeout(void **state)
{
    struct s3_fixture *s = *state;
    struct sh_s3_config config = s->f->s3;

    config.timeout_ms = 100;
    config.attempts = 2;
    sh_s3_close(&s->s3);
    assert_int_equal(sh_s3_create(&s->f->loop, &config, "originals", &s->s3), SH_OK);
    misbehave(s, "{\"kind\":\"hang\",\"count\":2}");
    assert_int_equal(head(s, "x").err, SH_TIMEOUT);
    sh_s3_close(&s->s3);
}

/* Its connection lives and bytes come, though never all of them. */
static void what_trickles_is_given_up(void **state)
{
    struct s3_fixture *s = *state;
    struct sh_s3_config config = s->f->s3;

    assert_int_equal(put(s, "slow", "hello").err, SH_OK);
    config.slow_bytes = 1000;
    config.slow_s = 1;
    config.attempts = 1;
    sh_s3_close(&s->s3);
    assert_int_equal(sh_s3_create(&s->f->loop, &config, "originals", &s->s3), SH_OK);
    misbehave(s, "{\"kind\":\"trickle\",\"count\":1,\"method\":\"GET\"}");
    struct answer answer = get(s, "slow", 0, 5);
    assert_int_equal(answer.err, SH_TIMEOUT);
    assert_non_null(strstr(answer.why, "too slow"));
    misbehave(s, "{\"kind\":\"trickle\",\"count\":1,\"method\":\"PUT\"}");
    assert_int_equal(put(s, "slow", "other").err, SH_TIMEOUT);
    sh_s3_close(&s->s3); /* before its settings go */
    assert_int_equal(sh_s3_create(&s->f->loop, &s->f->s3, "originals", &s->s3), SH_OK);
    assert_string_equal(get(s, "slow", 0, 5).body, "hello");
}

static void nobody_there_is_unavailable(void **state)
{
    struct s3_fixture *s = *state;
    struct sh_s3_config config = s->f->s3;

    config.endpoint = "http://127.0.0.1:1/";
    config.attempts = 2;
    sh_s3_close(&s->s3);
    assert_int_equal(sh_s3_create(&s->f->loop, &config, "originals", &s->s3), SH_OK);
    assert_int_equal(head(s, "x").err, SH_UNAVAILABLE);
    sh_s3_close(&s->s3);
}

static void another_bucket_is_not_found(void **state)
{
    struct s3_fixture *s = *state;

    sh_s3_close(&s->s3);
    assert_int_equal(sh_s3_create(&s->f->loop, &s->f->s3, "elsewhere", &s->s3), SH_OK);
    struct answer answer = delete (s, "x");
    assert_int_equal(answer.err, SH_NOTFOUND);
    assert_string_equal(answer.code, "NoSuchBucket");
}

static void a_call_can_be_given_up(void **state)
{
    struct s3_fixture *s = *state;
    struct answer hung = {0};
    struct answer waiting = {0};
    struct answer last = {0};
    struct sh_s3_call *call;

    misbehave(s, "{\"kind\":\"hang\",\"count\":1}");
    assert_int_equal(sh_s3_head(s->s3, "x", on_answer, &hung, &call), SH_OK);
    sh_s3_cancel(call);
    assert_int_equal(hung.ends, 0);
    pump_until(s->f, hung.ends == 1);
    assert_int_equal(hung.err, SH_CANCELED);
    /* one that waits for its next try */
    misbehave(s, "{\"kind\":\"status\",\"status\":500,\"count\":50,\"method\":\"HEAD\"}");
    s->f->s3.attempts = 10;
    assert_int_equal(sh_s3_head(s->s3, "x", on_answer, &waiting, &call), SH_OK);
    assert_int_equal(sh_s3_head(s->s3, "y", on_answer, &last, NULL), SH_OK);
    step(s->f);
    sh_s3_cancel(call);
    pump_until(s->f, waiting.ends == 1);
    assert_int_equal(waiting.err, SH_CANCELED);
    sh_s3_close(&s->s3);
    assert_int_equal(last.ends, 1);
    assert_int_equal(last.err, SH_CANCELED);
    misbehave(s, "{\"kind\":\"none\"}");
}

/* --- what S3 says
 * ----------------------------------------------------------------------- */

static void hostile_lists_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "no xml",
        "<ListBucketResult>",
        "<Other></Other>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">"
        "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\">"
        "<!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;\">]><ListBucketResult><Contents><Key>&f;"
        "</Key></Contents></ListBucketResult>",
        "<ListBucketResult><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></"
        "a>"
        "</a></a></a></a></a></a></a></a></a></a></a></a></a></a></ListBucketResult>",
    };
    struct s3_listing *listing = calloc(1, sizeof(*listing));
    char code[16];

    (void)state;
    assert_non_null(listing);
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        assert_int_equal(
            s3_listing_read(sh_bytes_of(bad[i]), "ListBucketResult", listing),
            SH_UPSTREAM);
        s3_listing_free(listing);
    }
    s3_error_read(sh_bytes_of("<Error><Code>0123456789abcdefghij</Code></Error>"), code,
                  sizeof(code));
    assert_string_equal(code, "0123456789abcde");
    s3_error_read(sh_bytes_of("<html>"), code, sizeof(code));
    assert_string_equal(code, "");
    free(listing);
}

static void lists_of_parts_are_read_with_care(void **state)
{
    static const char *const good =
        "<ListPartsResult><UploadId>u</UploadId><Part><PartNumber>2</PartNumber>"
        "<ETag>&quot;e&quot;</ETag><Size>7</Size><ChecksumSHA256>c=</ChecksumSHA256>"
        "</Part></ListPartsResult>";
    static const char long_tag[] =
        "<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345"
        "</ETag></Part></ListPartsResult>";
    static const char *const bad[] = {
        "<ListPartsResult><Part></Part></ListPartsResult>",
        "<ListPartsResult><Part><PartNumber>0</PartNumber></Part></ListPartsResult>",
        long_tag,
        "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>",
        "<Error><Code>InternalError</Code></Error>",
        "<ListPartsResult><Part>",
    };
    struct s3_listing *listing = calloc(1, sizeof(*listing));

    (void)state;
    assert_non_null(listing);
    assert_int_equal(s3_listing_read(sh_bytes_of(good), "ListPartsResult", listing),
                     SH_OK);
    assert_int_equal(listing->count, 1);
    assert_int_equal(listing->parts[0].number, 2);
    assert_int_equal(listing->parts[0].size, 7);
    assert_string_equal(listing->parts[0].etag, "\"e\"");
    assert_string_equal(listing->parts[0].sha256, "c=");
    assert_string_equal(listing->upload, "u");
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        s3_listing_free(listing);
        memset(listing, 0, sizeof(*listing));
        assert_int_equal(s3_listing_read(sh_bytes_of(bad[i]), "ListPartsResult", listing),
                         SH_UPSTREAM);
    }
    s3_listing_free(listing);
    memset(listing, 0, sizeof(*listing));
    assert_int_equal(s3_listing_read(sh_bytes_of("<ListMultipartUploadsResult><Upload>"
                                                 "<Key>k</Key></Upload>"
                                                 "</ListMultipartUploadsResult>"),
                                     "ListMultipartUploadsResult", listing),
                     SH_UPSTREAM); /* without its id */
    s3_listing_free(listing);
    free(listing);
}

static void places_are_read(void **state)
{
    static const char *const bad[] = {"",        "s3:/b/x",  "s3://",         "s3:///x",
                                      "s3://ab", "s3://A_B", "s3://.hidden/x"};
    struct sh_s3_place place;

    (void)state;
    assert_true(sh_s3_place_parse("s3://bucket", &place));
    assert_string_equal(place.bucket, "bucket");
    assert_string_equal(place.prefix, "");
    assert_true(sh_s3_place_parse("s3://my.bucket-1/a/b", &place));
    assert_string_equal(place.bucket, "my.bucket-1");
    assert_string_equal(place.prefix, "a/b/");
    assert_true(sh_s3_place_parse("s3://bucket/a/", &place));
    assert_string_equal(place.prefix, "a/");
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_false(sh_s3_place_parse(bad[i], &place));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_object_comes_and_goes),
        TEST(every_key_is_signed_right),
        TEST(no_key_leads_elsewhere),
        TEST(lists_go_on_behind_a_key),
        TEST(keys_that_are_wrong_are_refused_once),
        TEST(a_body_that_is_not_what_was_signed_is_refused),
        TEST(what_passes_is_tried_again),
        TEST(what_does_not_pass_is_an_error),
        TEST(silence_is_a_timeout),
        TEST(what_trickles_is_given_up),
        TEST(nobody_there_is_unavailable),
        TEST(another_bucket_is_not_found),
        TEST(a_call_can_be_given_up),
        cmocka_unit_test(hostile_lists_are_refused),
        cmocka_unit_test(lists_of_parts_are_read_with_care),
        cmocka_unit_test(places_are_read),
    };
    return cmocka_run_group_tests(tests, start_fake, stop_fake);
}
