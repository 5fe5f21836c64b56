/* s3_xml: lists and errors of S3, read by expat, which resolves nothing outside of the
 * document and stops at entities that grow without measure. Names are taken without
 * regard to their namespace. */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "s3_internal.h"
#include "shared/mem.h"

enum { TEXT_MAX = 3 * SH_S3_KEY_MAX, DEPTH_MAX = 16 };

struct reading {
    XML_Parser parser;
    struct s3_listing *listing; /* NULL: an error is read */
    const char *root;           /* of what is expected */
    char *code;
    size_t code_size;
    unsigned depth;
    bool root_ok;
    bool in_item;
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

/* Of the one list that is expected: others would be read as what they are not. */
static bool is_item(const struct reading *reading, const char *name)
{
    static const char *const items[][2] = {{"ListBucketResult", "Contents"},
                                           {"ListPartsResult", "Part"},
                                           {"ListMultipartUploadsResult", "Upload"}};

    for (size_t i = 0; i < SH_COUNT(items); i++)
        if (strcmp(reading->root, items[i][0]) == 0)
            return strcmp(name, items[i][1]) == 0;
    return false;
}

static void begin_item(struct reading *reading)
{
    struct s3_listing *listing = reading->listing;

    if (listing->count == SH_S3_LIST_MAX) {
        stop(reading, SH_UPSTREAM);
        return;
    }
    reading->in_item = true;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reading *reading = arg;

    (void)attributes;
    name = local(name);
    if (reading->depth == 0)
        reading->root_ok = strcmp(name, reading->root) == 0;
    if (++reading->depth > DEPTH_MAX)
        stop(reading, SH_UPSTREAM);
    if (reading->depth == 2 && reading->listing != NULL && is_item(reading, name))
        begin_item(reading);
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

static char *take_text(struct reading *reading)
{
    struct s3_listing *listing = reading->listing;
    char *text = sh_strdup(reading->text);

    if (text == NULL || listing->text_count == SH_COUNT(listing->texts)) {
        stop(reading, text == NULL ? SH_NOMEM : SH_UPSTREAM);
        sh_free(text);
        return NULL;
    }
    return listing->texts[listing->text_count++] = text;
}

static void copy_text(struct reading *reading, char *into, size_t size)
{
    if (reading->len >= size)
        stop(reading, SH_UPSTREAM);
    else
        memcpy(into, reading->text, reading->len + 1);
}

static void take_object(struct reading *reading, const char *name)
{
    struct sh_s3_object *object = &reading->listing->objects[reading->listing->count];

    if (strcmp(name, "Key") == 0 && object->key == NULL)
        object->key = take_text(reading);
    else if (strcmp(name, "Size") == 0)
        object->size = strtoull(reading->text, NULL, 10);
    else if (strcmp(name, "LastModified") == 0)
        object->modified = read_time(reading->text);
}

static void take_part(struct reading *reading, const char *name)
{
    struct sh_s3_part *part = &reading->listing->parts[reading->listing->count];

    if (strcmp(name, "PartNumber") == 0)
        part->number = (unsigned)strtoul(reading->text, NULL, 10);
    else if (strcmp(name, "Size") == 0)
        part->size = strtoull(reading->text, NULL, 10);
    else if (strcmp(name, "ETag") == 0)
        copy_text(reading, part->etag, sizeof(part->etag));
    else if (strcmp(name, "ChecksumSHA256") == 0)
        copy_text(reading, part->sha256, sizeof(part->sha256));
}

static void take_upload(struct reading *reading, const char *name)
{
    struct sh_s3_upload *upload = &reading->listing->uploads[reading->listing->count];

    if (strcmp(name, "Key") == 0 && upload->key == NULL)
        upload->key = take_text(reading);
    else if (strcmp(name, "UploadId") == 0 && upload->id == NULL)
        upload->id = take_text(reading);
    else if (strcmp(name, "Initiated") == 0)
        upload->begun = read_time(reading->text);
}

static void end_item(struct reading *reading, const char *name)
{
    struct s3_listing *listing = reading->listing;
    size_t at = listing->count;
    bool whole = strcmp(name, "Contents") == 0 ? listing->objects[at].key != NULL
                 : strcmp(name, "Part") == 0   ? listing->parts[at].number > 0
                                               : listing->uploads[at].key != NULL &&
                                                   listing->uploads[at].id != NULL;

    if (whole)
        listing->count++;
    else
        stop(reading, SH_UPSTREAM);
    reading->in_item = false;
}

static void end_in_list(struct reading *reading, const char *name)
{
    if (reading->depth == 2 && strcmp(name, "IsTruncated") == 0)
        reading->listing->more = strcmp(reading->text, "true") == 0;
    else if (reading->depth == 2 && reading->in_item)
        end_item(reading, name);
    else if (reading->depth == 2 && strcmp(name, "UploadId") == 0)
        copy_text(reading, reading->listing->upload, sizeof(reading->listing->upload));
    else if (reading->depth != 3 || !reading->in_item)
        return;
    else if (strcmp(reading->root, "ListPartsResult") == 0)
        take_part(reading, name);
    else if (strcmp(reading->root, "ListMultipartUploadsResult") == 0)
        take_upload(reading, name);
    else
        take_object(reading, name);
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
    if (reading->err == SH_OK && (status != XML_STATUS_OK || !reading->root_ok))
        reading->err = SH_UPSTREAM;
    return reading->err;
}

enum sh_err s3_listing_read(struct sh_bytes xml, const char *root, struct s3_listing *out)
{
    struct reading reading = {.listing = out, .root = root};
    return read_xml(xml, &reading);
}

void s3_listing_free(struct s3_listing *listing)
{
    for (size_t i = 0; i < listing->text_count; i++)
        sh_free(listing->texts[i]);
    listing->text_count = listing->count = 0;
}

void s3_error_read(struct sh_bytes xml, char *code, size_t size)
{
    struct reading reading = {.root = "Error", .code = code, .code_size = size};

    code[0] = '\0';
    if (xml.len > 0)
        (void)read_xml(xml, &reading); /* no XML, no code */
}
