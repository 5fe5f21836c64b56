// bench_hnswlib: the same measurement as bench_hnsw.c with hnswlib; see bench_search.py.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <hnswlib/hnswlib.h>

static double now()
{
    // CPU time of this thread: a busy machine changes it little
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

static const void *map_file(const char *path, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    close(fd);
    return at;
}

static long rss_kb(const char *what)
{
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, what, strlen(what)) == 0)
            kb = strtol(line + strlen(what) + 1, nullptr, 10);
    }
    if (file)
        fclose(file);
    return kb;
}

// The exact answers, by hnswlib's own product of every query with every row.
static int write_truth(const float *base, const float *asked, size_t sizes[4],
                       const char *path)
{
    size_t dimension = sizes[0], count = sizes[1], queries = sizes[2], depth = sizes[3];
    hnswlib::InnerProductSpace space(dimension);
    auto distance = space.get_dist_func();
    FILE *file = fopen(path, "we");
    std::vector<std::pair<float, uint32_t>> all(count);
    for (size_t q = 0; file && q < queries; q++) {
        for (size_t i = 0; i < count; i++)
            all[i] = {distance(asked + q * dimension, base + i * dimension,
                               space.get_dist_func_param()),
                      uint32_t(i)};
        std::partial_sort(all.begin(), all.begin() + long(depth), all.end());
        for (size_t i = 0; i < depth; i++)
            fwrite(&all[i].second, 4, 1, file);
    }
    return file && fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc < 10) {
        fprintf(stderr, "usage: bench_hnswlib BASE QUERIES TRUTH DIMENSION COUNT QUERIES "
                        "DEPTH M EF_CONSTRUCTION\n");
        return 2;
    }
    size_t dimension = strtoul(argv[4], nullptr, 10);
    size_t count = strtoul(argv[5], nullptr, 10);
    size_t queries = strtoul(argv[6], nullptr, 10);
    size_t depth = strtoul(argv[7], nullptr, 10);
    auto base = static_cast<const float *>(map_file(argv[1], count * dimension * 4));
    auto asked = static_cast<const float *>(map_file(argv[2], queries * dimension * 4));
    if (access(argv[3], F_OK) != 0) {
        size_t sizes[] = {dimension, count, queries, depth};
        if (write_truth(base, asked, sizes, argv[3]) != 0)
            return 1;
    }
    auto truth = static_cast<const uint32_t *>(map_file(argv[3], queries * depth * 4));

    long before = rss_kb("RssAnon");
    double start = now();
    hnswlib::InnerProductSpace space(dimension);
    hnswlib::HierarchicalNSW<float> index(&space, count, strtoul(argv[8], nullptr, 10),
                                          strtoul(argv[9], nullptr, 10));
    for (size_t i = 0; i < count; i++)
        index.addPoint(base + i * dimension, i);
    printf("{\"build_s\":%.2f,\"memory_mb\":%.1f}\n", now() - start,
           double(rss_kb("RssAnon") - before) / 1024);
    fflush(stdout);

    for (size_t ef : {10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024}) {
        index.setEf(ef);
        double best = 1e9;
        size_t found = 0;
        for (int run = 0; run < 3; run++) {
            double used = 0;
            found = 0;
            for (size_t q = 0; q < queries; q++) {
                double from = now();
                auto result = index.searchKnn(asked + q * dimension, 10);
                used += now() - from;
                for (; !result.empty(); result.pop()) {
                    for (size_t j = 0; j < 10; j++)
                        found += result.top().second == truth[q * depth + j];
                }
            }
            best = used < best ? used : best;
        }
        printf("{\"ef\":%zu,\"recall\":%.4f,\"qps\":%.0f}\n", ef,
               double(found) / (10.0 * double(queries)), double(queries) / best);
        fflush(stdout);
    }
    return 0;
}
