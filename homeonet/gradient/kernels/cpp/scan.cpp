// The linear recurrence, and a sum; see common.h.
#include "common.h"

extern "C" {

// h_t = decay_t h_{t-1} + x_t; from the end if `reverse`; `initial` may be null: then the first state is x
void homeonet_scan(const float* __restrict__ decay, const float* __restrict__ x, const float* __restrict__ initial,
                   int32_t reverse, float* out, int64_t T, int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    float h[LANES];
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        for (int64_t l = 0; l < n; l++) h[l] = initial ? initial[c + l] : 0.0f;
        for (int64_t k = 0; k < T; k++) {
            const int64_t t = (reverse ? T - 1 - k : k) * M + c;
            if (k == 0 && !initial)
                for (int64_t l = 0; l < n; l++) out[t + l] = h[l] = x[t + l];
            else
                for (int64_t l = 0; l < n; l++) out[t + l] = h[l] = decay[t + l] * h[l] + x[t + l];
        }
    }
}

void homeonet_total(const float* __restrict__ values, int64_t n, float* sum) {
    double parts[8] = {};  // added side by side
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int64_t k = 0; k < 8; k++) parts[k] += values[i + k];
    for (; i < n; i++) parts[0] += values[i];
    *sum = static_cast<float>(std::accumulate(parts, parts + 8, 0.0));
}

}  // extern "C"
