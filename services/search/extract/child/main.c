/* cairn-extract: reads one file from descriptor 0 and writes what is in it to descriptor
 * 1, as frames: four bytes of length (little-endian), then a message: `section`, as many
 * as there are, and one `extract_end`. Started by cairn-search for every file, it does
 * nothing else and can do nothing else (sandbox.h).
 * TYPE glossary/csv and the like: a file of terms, which gives `glossary_batch` instead.
 *   cairn-extract NAME TYPE PAGES CHARACTERS NESTING RATIO MEMORY_MB SECONDS PARENT */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/search/extract/child/readers.h"
#include "services/search/extract/child/sandbox.h"
#include "services/search/extract/child/terms_out.h"
#include "services/search/extract/sanitized.h"

enum {
    ARGUMENTS = 10,
    MAP_MB = 192, /* what the libraries take of address space */
    STEP_BYTES = 1 << 16,
    INPUT_MAX = 1 << 30,
};

#if EXTRACT_SANITIZED
/* Its searches for leaks and names need processes and files. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:symbolize=0:allocator_may_return_null=1:quarantine_size_mb=8";
}
#endif

/* --- the pipe --------------------------------------------------------------------- */

static bool write_all(const char *at, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, at, len);
        if (written <= 0)
            return false;
        at += written;
        len -= (size_t)written;
    }
    return true;
}

static bool write_frame(const struct msg_desc *desc, const void *msg)
{
    struct sh_buffer frame = {0};
    bool ok;

    sh_buffer_append(&frame, "\0\0\0\0", 4);
    ok = frame.err == SH_OK && msg_encode(desc, msg, &frame) == SH_OK;
    for (size_t i = 0; ok && i < 4; i++)
        frame.data[i] = (char)((frame.len - 4) >> (8 * i) & 0xff);
    ok = ok && write_all(frame.data, frame.len);
    sh_buffer_free(&frame);
    return ok;
}

static bool on_section(void *arg, const struct section *section)
{
    (void)arg;
    return write_frame(section_desc(), section);
}

static bool on_batch(void *arg, const struct glossary_batch *batch)
{
    (void)arg;
    return write_frame(glossary_batch_desc(), batch);
}

static bool write_end(const struct out *out)
{
    struct extract_end end = {.code = sh_bytes_of(out->code),
                              .message = sh_bytes_of(out->message),
                              .type = sh_bytes_of(out->type),
                              .title = sh_buffer_bytes(&out->title),
                              .language = sh_buffer_bytes(&out->language),
                              .created = sh_buffer_bytes(&out->created),
                              .pages = out->pages};

    return write_frame(extract_end_desc(), &end);
}

/* --- the file --------------------------------------------------------------------- */

static bool read_all(struct sh_buffer *into)
{
    for (;;) {
        char *room = sh_buffer_reserve(into, STEP_BYTES);
        ssize_t got = room == NULL ? -1 : read(STDIN_FILENO, room, STEP_BYTES);
        if (got < 0 || into->len > INPUT_MAX)
            return false;
        if (got == 0)
            return true;
        into->len += (size_t)got;
    }
}

/* Mapped if it is a file, else read. False when neither can be. */
static bool take_file(struct sh_bytes *out)
{
    struct stat about;
    struct sh_buffer all = {0};
    void *map;

    if (fstat(STDIN_FILENO, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        map = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
        *out = (struct sh_bytes){map, (size_t)about.st_size};
        return map != MAP_FAILED;
    }
    if (!read_all(&all))
        return false;
    *out = sh_buffer_bytes(&all); /* as long as the process */
    return true;
}

static uint32_t megabytes_of_file(void)
{
    struct stat about;

    return fstat(STDIN_FILENO, &about) == 0 && S_ISREG(about.st_mode)
               ? (uint32_t)(about.st_size >> 20) + 1
               : 0;
}

/* --- the whole -------------------------------------------------------------------- */

/* Of an argument that cairn-search wrote: 0 for nonsense. */
static uint32_t number(const char *text)
{
    unsigned long value = strtoul(text, NULL, 10);
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* Titles of PDF files are UTF-16: its table is loaded while that can still be done, and
 * stays: it is never closed. Without it there are no such titles, which is no failure. */
static void load_tables(void)
{
    static iconv_t table;

    table = iconv_open("UTF-8", "UTF-16BE");
    (void)table;
}

static const char terms_prefix[] = "glossary/";

static bool is_terms(const char *type)
{
    return strncmp(type, terms_prefix, sizeof(terms_prefix) - 1) == 0;
}

/* What becomes of the file is `out`'s, as of any other. */
static void read_terms(struct sh_bytes file, const char *type, struct out *out)
{
    static struct terms_out terms;

    terms.out = *out;
    terms.emit = on_batch;
    terms_read_file(file, type + sizeof(terms_prefix) - 1, &terms);
    *out = terms.out;
}

int main(int argc, char **argv)
{
    struct out out = {.emit = on_section};
    struct sandbox_limits limits = {.map_mb = MAP_MB};
    struct sh_bytes file;

    if (argc != ARGUMENTS) {
        (void)fputs("cairn-extract is started by cairn-search\n", stderr);
        return EXIT_FAILURE;
    }
    out.limits = (struct extract_limits){.pages = number(argv[3]),
                                         .characters = strtoull(argv[4], NULL, 10),
                                         .nesting = number(argv[5]),
                                         .ratio = number(argv[6])};
    limits.memory_mb = number(argv[7]);
    limits.cpu_s = number(argv[8]);
    limits.map_mb += megabytes_of_file();
    load_tables();
    if (sandbox_enter(&limits, (int)number(argv[9])) != SH_OK) {
        (void)fputs("cairn-extract: no sandbox to be had\n", stderr);
        return EXIT_FAILURE;
    }
    if (!take_file(&file))
        out_refuse(&out, OUT_FAILED, "it cannot be read");
    else if (is_terms(argv[2]))
        read_terms(file, argv[2], &out);
    else
        read_file(file, sh_bytes_of(argv[1]), sh_bytes_of(argv[2]), &out);
    _exit(write_end(&out) ? EXIT_SUCCESS : EXIT_FAILURE);
}
