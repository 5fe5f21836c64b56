#include "cli/eval/figures.h"

#include <math.h>

static double gain(const int *grades, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count && i < FIGURES_DEPTH; i++)
        sum += grades[i] / log2((double)i + 2);
    return sum;
}

struct figures figures_of(const int *grades, size_t count, const int *judged,
                          size_t judged_count)
{
    struct figures figures = {.ndcg = gain(grades, count) / gain(judged, judged_count)};
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (grades[i] <= 0)
            continue;
        if (figures.mrr == 0)
            figures.mrr = 1 / ((double)i + 1);
        found += i < FIGURES_RECALL_DEPTH;
    }
    figures.recall = (double)found / (double)judged_count;
    return figures;
}

void figures_add(struct figures *sum, const struct figures *one)
{
    sum->ndcg += one->ndcg;
    sum->mrr += one->mrr;
    sum->recall += one->recall;
}

struct figures figures_mean(const struct figures *sum, size_t count)
{
    double n = count > 0 ? (double)count : 1;
    return (struct figures){sum->ndcg / n, sum->mrr / n, sum->recall / n};
}
