/* Runs a fuzz target over its seeds (tests/fuzz/seeds/NAME) and over bytes of its own, so
 * that targets neither rot nor need clang to be tried. The same bytes each time. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buffer.h"

enum { INPUTS = 300, INPUT_MOST = 512, SEED_MOST = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *path)
{
    struct sh_buffer bytes = {0};
    char part[4096];
    size_t got = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(EXIT_FAILURE);
    while ((got = fread(part, 1, sizeof(part), file)) > 0 && bytes.len < SEED_MOST)
        sh_buffer_append(&bytes, part, got);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)bytes.data, bytes.len);
    sh_buffer_free(&bytes);
}

static int run_seeds(const char *name)
{
    char dir[512];
    char path[1024];
    int count = 0;
    (void)snprintf(dir, sizeof(dir), "tests/fuzz/seeds/%s", name);
    DIR *entries = opendir(dir);
    if (!entries)
        return 0;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        run_file(path);
        count++;
    }
    closedir(entries);
    return count;
}

/* xorshift64 (Marsaglia 2003) */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Half of them text, so that parsers get a little further. */
static void run_bytes(void)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    for (int i = 0; i < INPUTS; i++) {
        size_t size = next(&state) % INPUT_MOST;
        uint8_t *data = malloc(size + 1); /* its own, so that reading beyond is seen */
        if (!data)
            exit(EXIT_FAILURE);
        for (size_t at = 0; at < size; at++)
            data[at] = (uint8_t)(i % 2 ? ' ' + next(&state) % 95 : next(&state));
        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
}

int main(int argc, char **argv)
{
    char name[256];
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    (void)snprintf(name, sizeof(name), "%s", slash ? slash + 1 : argv[0]);
    name[strcspn(name, ".")] = '\0';
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    int seeds = run_seeds(name);
    run_bytes();
    printf("%s: %d seeds, %d inputs\n", name, seeds, INPUTS);
    return EXIT_SUCCESS;
}
