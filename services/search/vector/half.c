#include <string.h>

#include "services/search/vector/codes_internal.h"

uint16_t half_from_float(float value)
{
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    uint32_t sign = bits >> 16 & 0x8000U;
    uint32_t size = bits & 0x7fffffffU;
    if (size >= 0x47800000U) /* 65536 and above, or no number */
        return (uint16_t)(sign | 0x7c00U | (size > 0x7f800000U ? 0x200U : 0));
    if (size < 0x33000000U) /* below half of the least */
        return (uint16_t)sign;
    uint32_t exponent = size >> 23;
    uint32_t fraction = (size & 0x7fffffU) | 0x800000U;
    uint32_t drop = exponent < 113 ? 126 - exponent : 13; /* bits, subnormal or not */
    /* the leading bit of the fraction adds the 1 that is missing in the exponent */
    uint32_t base = exponent < 113 ? 0 : (exponent - 113) << 10;
    uint32_t half = base + (fraction >> drop);
    uint32_t rest = fraction & ((1U << drop) - 1);
    uint32_t middle = 1U << (drop - 1);
    if (rest > middle || (rest == middle && (half & 1U)))
        half++;
    return (uint16_t)(sign | half);
}

float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
    uint32_t exponent = half >> 10 & 0x1fU;
    uint32_t fraction = half & 0x3ffU;
    float value = 0;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24F;
        return sign ? -value : value;
    }
    uint32_t bits = exponent == 31 ? 0x7f800000U : (exponent + 112) << 23;
    bits |= sign | fraction << 13;
    memcpy(&value, &bits, sizeof(value));
    return value;
}
