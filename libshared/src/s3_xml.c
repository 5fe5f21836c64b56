/* s3_xml: lists and errors of S3, read by expat, which resolves nothing outside of the
 * document and stops at entities that grow without measure. Names are taken without
 * regard to their namespace. */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "s3_internal.h"
#include "shared/mem.h"

enum { TEXT_MAX = 3 * SH_S3_KEY_MAX, DEPTH_MAX = 16 };

struct reading {
    XML_Parser parser;
    struct s3_listing *listing; /* NULL: an error is read */
    char *code;
    size_t code_size;
    unsigned depth;
    bool root_ok;
    bool in_object;
    struct sh_s3_object object;
    char *key;
    enum sh_err err;
    size_t len;
    char text[TEXT_MAX + 1]; /* of the innermost element */
};

static void stop(struct reading *reading, enum sh_err err)
{
    reading->err = err;
    XML_StopParser(reading->parser, XML_FALSE);
}

static const char *local(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon != NULL ? colon + 1 : name;
}

static double read_time(const char *text)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    double part = rest != NULL && *rest == '.' ? strtod(rest, NULL) : 0;

    return rest != NULL ? (double)timegm(&parts) + part : 0;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reading *reading = arg;

    (void)attributes;
    name = local(name);
    if (reading->depth == 0)
        reading->root_ok =
            strcmp(name, reading->listing != NULL ? "ListBucketResult" : "Error") == 0;
    if (++reading->depth > DEPTH_MAX)
        stop(reading, SH_UPSTREAM);
    if (reading->depth == 2 && strcmp(name, "Contents") == 0)
        reading->in_object = true;
    reading->len = 0;
}

static void on_text(void *arg, const char *text, int len)
{
    struct reading *reading = arg;

    if ((size_t)len > TEXT_MAX - reading->len) {
        stop(reading, SH_UPSTREAM);
        return;
    }
    memcpy(reading->text + reading->len, text, (size_t)len);
    reading->len += (size_t)len;
}

static void take_key(struct reading *reading)
{
    sh_free(reading->key);
    reading->key = sh_strdup(reading->text);
    if (reading->key == NULL)
        stop(reading, SH_NOMEM);
}

static void end_object(struct reading *reading)
{
    struct s3_listing *listing = reading->listing;

    if (reading->key == NULL || listing->count == SH_S3_LIST_MAX) {
        stop(reading, SH_UPSTREAM);
        return;
    }
    reading->object.key = listing->keys[listing->count] = reading->key;
    listing->objects[listing->count++] = reading->object;
    reading->object = (struct sh_s3_object){0};
    reading->key = NULL;
    reading->in_object = false;
}

static void end_in_list(struct reading *reading, const char *name)
{
    if (reading->depth == 2 && strcmp(name, "IsTruncated") == 0)
        reading->listing->more = strcmp(reading->text, "true") == 0;
    else if (reading->depth == 2 && reading->in_object)
        end_object(reading);
    else if (reading->depth != 3 || !reading->in_object)
        return;
    else if (strcmp(name, "Key") == 0)
        take_key(reading);
    else if (strcmp(name, "Size") == 0)
        reading->object.size = strtoull(reading->text, NULL, 10);
    else if (strcmp(name, "LastModified") == 0)
        reading->object.modified = read_time(reading->text);
}

static void on_end(void *arg, const char *name)
{
    struct reading *reading = arg;

    name = local(name);
    reading->text[reading->len] = '\0';
    if (reading->listing != NULL)
        end_in_list(reading, name);
    else if (reading->depth == 2 && reading->root_ok && strcmp(name, "Code") == 0)
        (void)snprintf(reading->code, reading->code_size, "%s", reading->text);
    reading->depth--;
    reading->len = 0;
}

static enum sh_err read_xml(struct sh_bytes xml, struct reading *reading)
{
    if (xml.len > INT32_MAX)
        return SH_UPSTREAM;
    reading->parser = XML_ParserCreate(NULL);
    if (reading->parser == NULL)
        return SH_NOMEM;
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading->parser, on_text);
    enum XML_Status status = XML_Parse(reading->parser, xml.data, (int)xml.len, 1);
    XML_ParserFree(reading->parser);
    sh_free(reading->key);
    if (reading->err == SH_OK && (status != XML_STATUS_OK || !reading->root_ok))
        reading->err = SH_UPSTREAM;
    return reading->err;
}

enum sh_err s3_listing_read(struct sh_bytes xml, struct s3_listing *out)
{
    struct reading reading = {.listing = out};
    return read_xml(xml, &reading);
}

void s3_listing_free(struct s3_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        sh_free(listing->keys[i]);
    listing->count = 0;
}

void s3_error_read(struct sh_bytes xml, char *code, size_t size)
{
    struct reading reading = {.code = code, .code_size = size};

    code[0] = '\0';
    if (xml.len > 0)
        (void)read_xml(xml, &reading); /* no XML, no code */
}
