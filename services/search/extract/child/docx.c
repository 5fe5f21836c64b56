/* Word files by libzip: of all entries those few that are needed are read, each as a
 * stream and bounded, whatever the directory says of their lengths. */
#include "services/search/extract/child/docx.h"

#include <stdio.h>
#include <zip.h>

#include "services/search/extract/child/readers.h"

enum {
    STEP_BYTES = 32768,
    ENTRIES_MAX = 10000,
    PART_NAME = 256,
    SLACK_BYTES = 1 << 20, /* small files may expand more */
    XML_A_CHARACTER = 64,  /* bytes of XML for each of text */
};

struct package {
    struct out *out;
    zip_t *zip;
    uint64_t file_len;
    uint64_t expanded;
    char main[PART_NAME]; /* the name of the document's part */
};

/* --- parts ------------------------------------------------------------------------ */

static bool is_within(struct package *package, size_t more)
{
    const struct extract_limits *limits = &package->out->limits;

    package->expanded += more;
    if (package->expanded > package->file_len * limits->ratio + SLACK_BYTES ||
        package->expanded > limits->characters * XML_A_CHARACTER + SLACK_BYTES)
        out_refuse(package->out, OUT_LIMIT, "it expands to more than %u times its length",
                   limits->ratio);
    return package->out->code == NULL;
}

static bool pump(struct package *package, zip_file_t *part, struct xml *xml)
{
    char buffer[STEP_BYTES];
    zip_int64_t got = 0;

    while (package->out->code == NULL &&
           (got = zip_fread(part, buffer, sizeof(buffer))) > 0)
        if (!is_within(package, (size_t)got) ||
            !xml_feed(xml, (struct sh_bytes){buffer, (size_t)got}))
            return false;
    if (got < 0)
        out_refuse(package->out, OUT_DAMAGED, "what is packed in it is damaged");
    return package->out->code == NULL;
}

static bool is_plain(const zip_stat_t *about, struct out *out)
{
    if ((about->valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 &&
        about->encryption_method != ZIP_EM_NONE)
        out_refuse(out, OUT_ENCRYPTED, "it is locked by a password");
    else if ((about->valid & ZIP_STAT_COMP_METHOD) != 0 &&
             about->comp_method != ZIP_CM_STORE && about->comp_method != ZIP_CM_DEFLATE)
        out_refuse(out, OUT_DAMAGED, "it is packed in a way that Word does not use");
    return out->code == NULL;
}

/* False when it is not there; every other failure is a refusal. */
static bool read_part(struct package *package, const char *name,
                      const struct xml_events *events, void *arg)
{
    zip_int64_t index = zip_name_locate(package->zip, name, 0);
    zip_stat_t about;
    zip_file_t *part;
    struct xml xml;

    if (index < 0)
        return false;
    if (zip_stat_index(package->zip, (zip_uint64_t)index, 0, &about) != 0 ||
        !is_plain(&about, package->out))
        return true;
    part = zip_fopen_index(package->zip, (zip_uint64_t)index, 0);
    if (part == NULL) {
        out_refuse(package->out, OUT_DAMAGED, "what is packed in it is damaged");
        return true;
    }
    if (xml_open(&xml, package->out, events, arg))
        xml_close(&xml, pump(package, part, &xml));
    else {
        xml_close(&xml, false);
        out_refuse(package->out, OUT_LIMIT, "there is not memory enough to read it");
    }
    zip_fclose(part);
    return true;
}

/* --- which part is the document --------------------------------------------------- */

static void on_relation(void *arg, const char *name, const xmlChar **attributes,
                        int count)
{
    static const char kind[] = "/officeDocument";
    struct package *package = arg;
    struct sh_bytes type = xml_attribute(attributes, count, "Type");
    struct sh_bytes target = out_trim(xml_attribute(attributes, count, "Target"));
    const char *at = target.data;
    size_t len = sizeof(kind) - 1;

    if (strcmp(name, "Relationship") != 0 || type.len < len || target.len == 0 ||
        memcmp((const char *)type.data + type.len - len, kind, len) != 0)
        return;
    if (at[0] == '/') {
        at++;
        target.len--;
    }
    if (target.len < PART_NAME)
        (void)snprintf(package->main, PART_NAME, "%.*s", (int)target.len, at);
}

static const struct xml_events relation_events = {on_relation, NULL, NULL};

/* A part beside the document: "word/" and the name. */
static void beside_main(const struct package *package, const char *name,
                        char out[static PART_NAME])
{
    const char *slash = strrchr(package->main, '/');
    int folder = slash == NULL ? 0 : (int)(slash - package->main + 1);

    (void)snprintf(out, PART_NAME, "%.*s%s", folder, package->main, name);
}

/* --- what is said about it -------------------------------------------------------- */

struct about {
    struct out *out;
    struct sh_buffer text;
};

static void about_start(void *arg, const char *name, const xmlChar **attributes,
                        int count)
{
    (void)name;
    (void)attributes;
    (void)count;
    sh_buffer_clear(&((struct about *)arg)->text);
}

static void about_text(void *arg, struct sh_bytes text)
{
    struct about *about = arg;

    if (about->text.len + text.len <= 4096)
        sh_buffer_append(&about->text, text.data, text.len);
}

static uint32_t number(struct sh_bytes text)
{
    const char *at = text.data;
    uint32_t value = 0;

    for (size_t i = 0; i < text.len && i < 6 && at[i] >= '0' && at[i] <= '9'; i++)
        value = value * 10 + (uint32_t)(at[i] - '0');
    return value;
}

static void about_end(void *arg, const char *name)
{
    struct about *about = arg;
    struct out *out = about->out;
    struct sh_bytes text = out_trim(sh_buffer_bytes(&about->text));

    if (strcmp(name, "title") == 0)
        out_set(out, &out->title, text, 2048);
    else if (strcmp(name, "created") == 0)
        out_set(out, &out->created, text, 64);
    else if (strcmp(name, "language") == 0)
        out_set(out, &out->language, text, 64);
    else if (strcmp(name, "Pages") == 0)
        out->pages = number(text);
    sh_buffer_clear(&about->text);
}

static const struct xml_events about_events = {about_start, about_end, about_text};

/* --- the whole -------------------------------------------------------------------- */

static void read_body(struct package *package)
{
    struct docx_styles *styles = sh_alloc(sizeof(*styles));
    struct docx_body body = {.out = package->out, .styles = styles};
    char name[PART_NAME];

    if (styles == NULL) {
        out_refuse(package->out, OUT_LIMIT, "there is not memory enough to read it");
        return;
    }
    beside_main(package, "styles.xml", name);
    (void)read_part(package, name, &docx_styles_events, styles);
    if (package->out->code == NULL &&
        !read_part(package, package->main, &docx_body_events, &body))
        out_refuse(package->out, OUT_TYPE, "it is an archive, but no Word document");
    sh_buffer_free(&body.paragraph);
    sh_arena_free(&styles->arena);
    sh_free(styles);
}

static void read_package(struct package *package)
{
    struct about about = {.out = package->out};
    char macros[PART_NAME];

    if (zip_get_num_entries(package->zip, 0) > ENTRIES_MAX) {
        out_refuse(package->out, OUT_LIMIT, "it holds more than %d parts", ENTRIES_MAX);
        return;
    }
    if (zip_name_locate(package->zip, "[Content_Types].xml", 0) < 0) {
        out_refuse(package->out, OUT_TYPE, "it is an archive, but no Word document");
        return;
    }
    (void)read_part(package, "_rels/.rels", &relation_events, package);
    beside_main(package, "vbaProject.bin", macros);
    if (zip_name_locate(package->zip, macros, 0) >= 0)
        out_refuse(package->out, OUT_TYPE, "it has macros, such files are not taken");
    if (package->out->code == NULL)
        (void)read_part(package, "docProps/core.xml", &about_events, &about);
    if (package->out->code == NULL)
        (void)read_part(package, "docProps/app.xml", &about_events, &about);
    sh_buffer_free(&about.text);
    if (package->out->code == NULL)
        read_body(package);
}

void read_docx(struct sh_bytes file, struct out *out)
{
    struct package package = {
        .out = out, .file_len = file.len, .main = "word/document.xml"};
    zip_error_t problem;
    zip_source_t *source;

    zip_error_init(&problem);
    source = zip_source_buffer_create(file.data, file.len, 0, &problem);
    if (source != NULL)
        package.zip = zip_open_from_source(source, ZIP_RDONLY, &problem);
    if (package.zip == NULL) {
        zip_source_free(source);
        out_refuse(out, OUT_DAMAGED, "it is damaged or not whole");
    } else {
        read_package(&package);
        zip_discard(package.zip);
    }
    zip_error_fini(&problem);
}
