/* Terms as an Excel file: a ZIP archive (APPNOTE.TXT of PKWARE, 4.3) whose sheet is
 * packed page by page. Each page ends on a byte of its own (zlib's Z_FULL_FLUSH), and its
 * checksum is combined with that of the pages before, so nothing but four numbers is
 * carried over; the lengths, known only at the end, stand in a data descriptor. Texts are
 * in the cells themselves (inlineStr): a table of shared ones would have to be known
 * before. */
#include <zlib.h>

#include "services/search/glossary/terms_writer.h"

enum { PARTS = 4, CELL_CHARACTERS = 32767 };

static const struct {
    const char *name;
    const char *text;
} parts[PARTS] = {
    {"[Content_Types].xml",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
     "<Default Extension=\"rels\" ContentType=\"application/"
     "vnd.openxmlformats-package.relationships+xml\"/>"
     "<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
     "<Override PartName=\"/xl/workbook.xml\" ContentType=\"application/"
     "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>"
     "<Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/"
     "vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>"},
    {"_rels/.rels",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/"
     "relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/"
     "officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/>"
     "</Relationships>"},
    {"xl/workbook.xml",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
     "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">"
     "<sheets><sheet name=\"Glossary\" sheetId=\"1\" "
     "r:id=\"rId1\"/></sheets></workbook>"},
    {"xl/_rels/workbook.xml.rels",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/"
     "relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/"
     "officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/>"
     "</Relationships>"},
};
static const char sheet_name[] = "xl/worksheets/sheet1.xml";

/* --- ZIP -------------------------------------------------------------------------- */

static void put(struct sh_buffer *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        sh_buffer_append(out, &(uint8_t){(uint8_t)(value >> (8 * i))}, 1);
}

struct entry {
    const char *name;
    unsigned flags;  /* 8: lengths follow; 2048: UTF-8 */
    unsigned method; /* 0 stored, 8 deflated */
    uint32_t crc;
    uint64_t packed;
    uint64_t raw;
    uint64_t offset;
};

/* What a local and a central header have in common; 1 January 1980. */
static void put_common(struct sh_buffer *out, const struct entry *entry)
{
    put(out, 20, 2);
    put(out, entry->flags, 2);
    put(out, entry->method, 2);
    put(out, 0, 2);
    put(out, 0x21, 2);
    put(out, entry->crc, 4);
    put(out, entry->packed, 4);
    put(out, entry->raw, 4);
    put(out, strlen(entry->name), 2);
    put(out, 0, 2);
}

static void put_local(struct sh_buffer *out, const struct entry *entry)
{
    put(out, 0x04034b50, 4);
    put_common(out, entry);
    sh_buffer_text(out, entry->name);
}

static void put_central(struct sh_buffer *out, const struct entry *entry)
{
    put(out, 0x02014b50, 4);
    put(out, 20, 2);
    put_common(out, entry);
    put(out, 0, 2); /* comment, disk, attributes */
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, 0, 4);
    put(out, entry->offset, 4);
    sh_buffer_text(out, entry->name);
}

static struct entry entry_of(size_t part, uint64_t offset)
{
    const char *text = parts[part].text;
    size_t len = strlen(text);

    return (struct entry){.name = parts[part].name,
                          .crc = (uint32_t)crc32(0, (const Bytef *)text, (uInt)len),
                          .packed = len,
                          .raw = len,
                          .offset = offset};
}

/* --- the sheet -------------------------------------------------------------------- */

static void pack(struct terms_writer *self, const struct sh_buffer *text, bool last,
                 struct sh_buffer *out)
{
    z_stream stream = {0};
    size_t most;
    char *room = NULL;

    if (text->err != SH_OK ||
        deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        out->err = SH_NOMEM;
        return;
    }
    most = deflateBound(&stream, text->len) + 64;
    room = sh_buffer_reserve(out, most);
    if (room != NULL) {
        stream.next_in = (Bytef *)text->data;
        stream.avail_in = (uInt)text->len;
        stream.next_out = (Bytef *)room;
        stream.avail_out = (uInt)most;
        (void)deflate(&stream, last ? Z_FINISH : Z_FULL_FLUSH); /* there is room */
        out->len += stream.total_out;
        self->packed += stream.total_out;
        self->raw += text->len;
        self->crc = (uint32_t)crc32_combine(
            self->crc, crc32(0, (const Bytef *)text->data, (uInt)text->len),
            (z_off_t)text->len);
    }
    (void)deflateEnd(&stream);
}

/* A cell holds 32,767 characters; what is longer is cut between two. */
static struct sh_bytes cut(struct sh_bytes text)
{
    const uint8_t *at = text.data;
    size_t units = 0;

    if (text.len <= CELL_CHARACTERS)
        return text;
    for (size_t i = 0; i < text.len; i++) {
        units += (at[i] & 0xc0) != 0x80;
        units += at[i] >= 0xf0; /* Excel counts UTF-16 */
        if (units > CELL_CHARACTERS)
            return (struct sh_bytes){text.data, i};
    }
    return text;
}

static void write_cell(struct sh_buffer *out, size_t column, uint64_t row,
                       struct sh_bytes text)
{
    if (text.len == 0)
        return;
    sh_buffer_printf(out,
                     "<c r=\"%c%llu\" t=\"inlineStr\"><is><t xml:space=\"preserve\">",
                     (char)('A' + (int)column), (unsigned long long)row);
    terms_write_xml(out, cut(text));
    sh_buffer_text(out, "</t></is></c>");
}

static void xlsx_begin(struct terms_writer *self, struct sh_buffer *out)
{
    struct sh_buffer sheet = {0};
    size_t start = out->len;

    for (size_t i = 0; i < PARTS; i++) {
        struct entry entry = entry_of(i, 0);
        put_local(out, &entry);
        sh_buffer_text(out, parts[i].text);
    }
    self->before = out->len - start;
    put_local(out, &(struct entry){.name = sheet_name, .flags = 8, .method = 8});
    sh_buffer_text(&sheet,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                   "<worksheet xmlns=\"http://schemas.openxmlformats.org/"
                   "spreadsheetml/2006/main\"><sheetData><row r=\"1\">");
    for (size_t i = 0; i < TERMS_WRITTEN; i++)
        write_cell(&sheet, i, 1, sh_bytes_of(terms_written[i]));
    for (size_t i = 0; i < TERMS_RELATIONS; i++)
        write_cell(&sheet, TERMS_WRITTEN + i, 1, sh_bytes_of(terms_relations[i]));
    sh_buffer_text(&sheet, "</row>");
    self->rows = 1;
    pack(self, &sheet, false, out);
    sh_buffer_free(&sheet);
}

static void xlsx_page(struct terms_writer *self, const struct glossary_term *terms,
                      size_t count, struct sh_buffer *out)
{
    struct sh_buffer sheet = {0};
    struct sh_buffer related = {0};
    char number[2];

    for (size_t i = 0; i < count; i++) {
        self->rows++;
        sh_buffer_printf(&sheet, "<row r=\"%llu\">", (unsigned long long)self->rows);
        for (size_t k = 0; k < TERMS_WRITTEN; k++)
            write_cell(&sheet, k, self->rows, terms_written_field(&terms[i], k, number));
        for (size_t k = 0; k < TERMS_RELATIONS; k++) {
            sh_buffer_clear(&related);
            terms_write_related(&related, &terms[i], k);
            write_cell(&sheet, TERMS_WRITTEN + k, self->rows, sh_buffer_bytes(&related));
        }
        sh_buffer_text(&sheet, "</row>");
    }
    if (count > 0)
        pack(self, &sheet, false, out);
    if (related.err != SH_OK)
        out->err = related.err;
    sh_buffer_free(&related);
    sh_buffer_free(&sheet);
}

/* The end of the sheet, its lengths, and the directory. */
static void xlsx_end(struct terms_writer *self, struct sh_buffer *out)
{
    struct sh_buffer sheet = {0};
    struct sh_buffer directory = {0};
    uint64_t offset = 0;

    sh_buffer_text(&sheet, "</sheetData></worksheet>");
    pack(self, &sheet, true, out);
    sh_buffer_free(&sheet);
    put(out, 0x08074b50, 4);
    put(out, self->crc, 4);
    put(out, self->packed, 4);
    put(out, self->raw, 4);
    for (size_t i = 0; i < PARTS; i++) {
        struct entry entry = entry_of(i, offset);
        put_central(&directory, &entry);
        offset += 30 + strlen(entry.name) + entry.packed;
    }
    put_central(&directory, &(struct entry){.name = sheet_name,
                                            .flags = 8,
                                            .method = 8,
                                            .crc = self->crc,
                                            .packed = self->packed,
                                            .raw = self->raw,
                                            .offset = self->before});
    sh_buffer_append(out, directory.data, directory.len);
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, PARTS + 1, 2);
    put(out, PARTS + 1, 2);
    put(out, directory.len, 4);
    put(out, self->before + 30 + strlen(sheet_name) + self->packed + 16, 4);
    put(out, 0, 2);
    if (directory.err != SH_OK)
        out->err = directory.err;
    sh_buffer_free(&directory);
}

const struct terms_format terms_xlsx = {"xlsx", xlsx_begin, xlsx_page, xlsx_end};
