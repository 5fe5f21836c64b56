#include "services/search/extract/child/charset.h"
#include "services/search/extract/child/readers.h"

enum { BYTES_PER_CHARACTER = 4 };

static void read_decoded(enum file_type type, struct sh_bytes text, struct out *out)
{
    if (type == FILE_MARKDOWN)
        read_markdown(text, out);
    else if (type == FILE_HTML)
        read_html(text, out);
    else if (type == FILE_CSV)
        read_csv(text, out);
    else
        read_text(text, out);
}

static void read_as_text(enum file_type type, struct sh_bytes file, struct out *out)
{
    struct sh_buffer room = {0};
    struct sh_bytes text;
    struct sh_bytes hint = {0};
    enum sh_err err;
    /* Marks, tags and the like are not counted as characters of text, but bounded. */
    size_t most = (size_t)out->limits.characters * BYTES_PER_CHARACTER *
                  (type == FILE_HTML ? BYTES_PER_CHARACTER : 1);

    if (type == FILE_HTML)
        hint = charset_of_page(file);
    err = charset_read(file, hint, most, &room, &text);
    if (err == SH_OK)
        read_decoded(type, text, out);
    else if (err == SH_TOOBIG)
        out_refuse(out, OUT_LIMIT, "it has more than %llu characters",
                   (unsigned long long)out->limits.characters);
    else
        out_refuse(out, OUT_DAMAGED, "its text cannot be decoded");
    sh_buffer_free(&room);
}

void read_file(struct sh_bytes file, struct sh_bytes name, struct sh_bytes declared,
               struct out *out)
{
    struct sniffed sniffed;

    if (file.len == 0) {
        out_refuse(out, OUT_NO_TEXT, "it is empty");
        return;
    }
    sniffed = sniff(file, name, declared);
    out->type = file_type_mime(sniffed.type);
    switch (sniffed.type) {
    case FILE_NONE:
        out_refuse(out, sniffed.encrypted ? OUT_ENCRYPTED : OUT_TYPE, "%s",
                   sniffed.reason);
        break;
    case FILE_PDF:
        read_pdf(file, out);
        break;
    case FILE_DOCX:
        read_docx(file, out);
        break;
    case FILE_TEXT:
    case FILE_MARKDOWN:
    case FILE_HTML:
    case FILE_CSV:
        read_as_text(sniffed.type, file, out);
    }
    if (out->code == NULL)
        out_end(out);
}
