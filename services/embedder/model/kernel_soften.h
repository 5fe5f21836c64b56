/* kernel_soften: vector types and the softmax, for every kernel; LANES is the includer's.
 */
#ifndef EMBEDDER_KERNEL_SOFTEN_H
#define EMBEDDER_KERNEL_SOFTEN_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef float lanes_any __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t words __attribute__((vector_size(LANES * 4)));

static inline lanes load(const float *from)
{
    return *(const lanes_any *)from;
}

static inline void store(float *to, lanes value)
{
    *(lanes_any *)to = value;
}

static float total(lanes v)
{
    float sum = 0;
    for (size_t l = 0; l < LANES; l++)
        sum += v[l];
    return sum;
}

/* exp() to 2 units in the last place for x <= 0: 2^n times a polynomial. */
static inline lanes exponential(lanes x)
{
    words low = x < -87.0f;
    x = (lanes)(((words)x & ~low) | ((words)((lanes){0} - 87.0f) & low));
    lanes t = x * 1.44269504f - 0.5f;
    words n = __builtin_convertvector(t, words); /* truncates: x <= 0 */
    lanes f = __builtin_convertvector(n, lanes);
    lanes r = x - f * 0.693359375f + f * 2.12194440e-4f;
    lanes y = r * 1.9875691500e-4f + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * r * r + r + 1.0f;
    return y * (lanes)((n + 127) << 23);
}

static inline lanes larger(lanes a, lanes b)
{
    words keep = a > b; /* all bits where a is larger */
    return (lanes)(((words)a & keep) | ((words)b & ~keep));
}

/* exp((x - largest) * scale) of n values, zeros up to `padded` (a multiple of LANES);
 * their sum is returned. */
static float soften(float *x, size_t n, size_t padded, float scale)
{
    for (size_t j = n; j < padded; j++)
        x[j] = -INFINITY;
    lanes tops = load(x);
    for (size_t j = LANES; j < padded; j += LANES)
        tops = larger(tops, load(x + j));
    float most = tops[0];
    for (size_t l = 1; l < LANES; l++)
        most = tops[l] > most ? tops[l] : most;
    lanes sum = {0};
    for (size_t j = 0; j < padded; j += LANES) {
        lanes e = exponential((load(x + j) - most) * scale);
        store(x + j, e);
        sum += e;
    }
    /* what lies beyond n came out as exp(-87) or so: nothing */
    for (size_t j = n; j < padded; j++)
        x[j] = 0;
    return total(sum);
}

#endif
