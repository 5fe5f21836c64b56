/* A snapshot with any bytes changed and its checksums made right again: it is refused, or
 * it is a graph that can be searched and changed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "services/search/vector/hnsw.h"
#include "services/search/vector/hnsw_file.h"
#include "shared/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIMENSION = 4, SLOTS = 40, FILE_MOST = 1 << 20 };

static char path[64];
static int fd = -1;
static unsigned char original[FILE_MOST];
static unsigned char changed[FILE_MOST];
static size_t length;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void vector_of(uint32_t slot, float *vector)
{
    memset(vector, 0, DIMENSION * sizeof(float));
    vector[slot % DIMENSION] = 0.8F;
    vector[(slot / DIMENSION) % DIMENSION] += 0.6F;
}

static void make_original(void)
{
    struct hnsw_options options = hnsw_defaults(DIMENSION);
    struct hnsw *index = NULL;
    float vector[DIMENSION];
    options.links = 3;
    options.most = 1000;
    (void)snprintf(path, sizeof(path), "/tmp/fuzz_snapshot_XXXXXX");
    int made = mkstemp(path);
    must(made >= 0 && close(made) == 0);
    must(hnsw_create(&options, &index) == SH_OK);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        vector_of(slot, vector);
        must(hnsw_set(index, slot, vector) == SH_OK);
    }
    hnsw_remove(index, 3);
    must(hnsw_compact(index) == SH_OK);
    hnsw_remove(index, 5);
    must(hnsw_save(index, path) == SH_OK);
    hnsw_free(&index);
    made = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(made, original, sizeof(original));
    must(got > 0 && got < FILE_MOST);
    length = (size_t)got;
    close(made);
    unlink(path);
    fd = memfd_create("snapshot", MFD_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
}

/* Where the sections are is what the header says; each is one chunk here. */
static void seal(void)
{
    struct file_header header;
    uint64_t checksums[FILE_SECTIONS] = {0};
    uint32_t count = 0;
    memcpy(&header, changed, sizeof(header));
    for (int i = 0; i < FILE_SECTIONS; i++) {
        struct file_section section = header.sections[i];
        if (section.bytes == 0 || section.offset > length ||
            section.bytes > length - section.offset)
            continue;
        checksums[count++] = file_sum(changed + section.offset, section.bytes);
    }
    memcpy(changed + sizeof(header), checksums, sizeof(checksums));
    if (header.chunk_count <= FILE_SECTIONS)
        header.checksums = file_sum(checksums, header.chunk_count * sizeof(uint64_t));
    header.checksum = file_sum(&header, offsetof(struct file_header, checksum));
    memcpy(changed, &header, sizeof(header));
}

/* Four bytes of input are one change: part, place (2), value. */
static void change(const uint8_t *data, size_t size)
{
    struct file_header header;
    memcpy(changed, original, length);
    memcpy(&header, original, sizeof(header));
    for (; size >= 4; data += 4, size -= 4) {
        size_t place = (size_t)data[1] << 8 | data[2];
        if (data[0] % 5 == 4)
            changed[place % sizeof(header)] = data[3];
        else if (header.sections[data[0] % 5].bytes > 0)
            changed[header.sections[data[0] % 5].offset +
                    place % header.sections[data[0] % 5].bytes] = data[3];
    }
}

static void use(struct hnsw *index)
{
    struct sh_arena arena = {0};
    struct hnsw_result result = {0};
    float vector[DIMENSION];
    vector_of(9, vector);
    struct hnsw_query query = {
        .vector = vector, .k = 5, .ef = 10, .deadline_ms = SH_NO_DEADLINE};
    if (hnsw_dimension(index) == DIMENSION) {
        must(hnsw_search(index, &query, &arena, &result) == SH_OK);
        must(result.count <= 5 && result.count <= hnsw_count(index));
        must(hnsw_set(index, 7, vector) == SH_OK);
        must(hnsw_compact(index) == SH_OK);
        must(hnsw_has(index, 7) && hnsw_dead(index) == 0);
    }
    sh_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hnsw *index = NULL;
    if (length == 0)
        make_original();
    if (size > 400)
        return 0;
    change(data, size);
    seal();
    must(pwrite(fd, changed, length, 0) == (ssize_t)length);
    enum sh_err err = hnsw_load(path, 1000, &index);
    must(err == SH_OK || err == SH_MALFORMED || err == SH_TOOBIG || err == SH_NOMEM);
    must((index != NULL) == (err == SH_OK));
    if (index)
        use(index);
    hnsw_free(&index);
    return 0;
}
