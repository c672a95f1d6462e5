// The neurons' recurrences on a CPU in float32: one pass over time, everything of a step in one loop.
//
// Arrays are (T, M): time, and M lanes (batch times units) that do not depend on each other. Every function treats
// the lanes [from, to), so that threads can share the work. The formulas, and the names, are those of _membrane.py,
// _dsn.py and _recurrence.py; tests hold them equal. No contraction of products and sums: spikes are decided by the
// same roundings as in the step-by-step form.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

// Gradients that decay for hundreds of steps end in denormal numbers, on which arithmetic is many times slower: they
// count as zero while a kernel runs.
struct FlushDenormals {
#if defined(__SSE2__)
    const unsigned before = _mm_getcsr();
    FlushDenormals() { _mm_setcsr(before | 0x8040); }
    ~FlushDenormals() { _mm_setcsr(before); }
#endif
};

constexpr int64_t LANES = 256;  // treated together: their state stays in the first-level cache
constexpr int64_t GROUP = 16;   // threads share the lanes in multiples of it

// exp by Cephes' polynomial, so that loops with it vectorise without a vector library; relative error 2e-7
inline float exp_of(float x) {
    x = std::min(88.0f, std::max(-87.0f, x));
    const float n = std::nearbyintf(x * 1.44269504088896341f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exp_of(-x)); }

enum { RECTANGLE, TRIANGLE, ARCTAN, SIGMOID, STRAIGHT_THROUGH };

// the surrogate f'(z); STRAIGHT_THROUGH: 1 on [0, width]
template <int KIND>
inline float slope_at(float z, float width) {
    if (KIND == RECTANGLE) return std::fabs(z) < width / 2 ? 1.0f / width : 0.0f;
    if (KIND == TRIANGLE) return std::max(0.0f, width - std::fabs(z)) / (width * width);
    if (KIND == ARCTAN) {
        const float a = 1.57079632679f * width * z;
        return width / 2 / (1.0f + a * a);
    }
    if (KIND == SIGMOID) {
        const float p = sigmoid(z / width);
        return p * (1.0f - p) / width;
    }
    return z >= 0.0f && z <= width ? 1.0f : 0.0f;
}

inline void load(float* to, const float* __restrict__ from, int64_t n, int64_t step) {  // step 0: one value for all lanes
    for (int64_t l = 0; l < n; l++) to[l] = from[l * step];
}

// without a decay it is 1 - gain: the membrane is a running mean of its inputs
inline void load_decay(float* to, const float* decay, const float* gain, int64_t c, int64_t n, int64_t step) {
    if (decay) return load(to, decay + c * step, n, step);
    for (int64_t l = 0; l < n; l++) to[l] = 1.0f - gain[l];
}

// step 0: one value for all lanes, so a sum of each group of lanes is enough; the groups are the same for all threads
inline void store_sums(float* to, const float* sums, int64_t c, int64_t n, int64_t step) {
    if (step) {
        std::copy_n(sums, n, to + c);
        return;
    }
    for (int64_t l = 0; l < n; l += GROUP)
        to[(c + l) / GROUP] = std::accumulate(sums + l, sums + std::min(l + GROUP, n), 0.0f);
}

}  // namespace
