// HD-LIF: charge, emit what lies above the threshold, keep what lies below; see common.h and _p2_reset.py.
#include "common.h"

namespace {

inline float sum_of_group(const float* v) {
    float a[8];
    for (int k = 0; k < 8; k++) a[k] = v[k] + v[k + 8];
    for (int k = 0; k < 4; k++) a[k] += a[k + 4];
    return (a[0] + a[2]) + (a[1] + a[3]);
}

// `each`: decay and threshold have one value per lane, (T, M), instead of one per step, (T)
template <bool EACH, bool ROUND>
void charge_forward(const float* __restrict__ x, const float* __restrict__ initial, const float* __restrict__ decay,
                    const float* __restrict__ threshold, float scale, float top, float* __restrict__ membrane,
                    float* __restrict__ outputs, float* __restrict__ after, int64_t T, int64_t M, int64_t from,
                    int64_t to) {
    float v[LANES];
    const float step = 1.0f / scale;  // a power of two: exact
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        std::copy_n(initial + c, n, v);
        for (int64_t t = 0; t < T; t++) {
            const int64_t at = t * M + c;
            const float one_decay = EACH ? 0.0f : decay[t], one_threshold = EACH ? 0.0f : threshold[t];
            const float* __restrict__ decays = EACH ? decay + at : decay;
            const float* __restrict__ thresholds = EACH ? threshold + at : threshold;
            for (int64_t l = 0; l < n; l++) {
                const float theta = EACH ? thresholds[l] : one_threshold;
                const float m = (EACH ? decays[l] : one_decay) * v[l] + x[at + l];
                const float s = std::max(m - theta, 0.0f);
                membrane[at + l] = m;
                outputs[at + l] = ROUND ? std::min(std::nearbyintf(s * scale), top) * step : s;
                v[l] = m > theta ? theta : m;
            }
        }
        std::copy_n(v, n, after + c);
    }
}

template <bool LEARN>
void charge_backward(const float* __restrict__ membrane, const float* __restrict__ grad_out,
                     const float* __restrict__ grad_after, const float* __restrict__ initial,
                     const float* __restrict__ decay, const float* __restrict__ threshold, float highest,
                     bool through_time, float* __restrict__ grad_x, float* __restrict__ grad_initial,
                     float* __restrict__ grad_decay, float* __restrict__ grad_threshold, int64_t T, int64_t M,
                     int64_t from, int64_t to) {
    float gv[LANES], of_decay[LANES], of_threshold[LANES];
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        std::copy_n(grad_after + c, n, gv);
        std::fill_n(of_decay, LANES, 0.0f);
        std::fill_n(of_threshold, LANES, 0.0f);
        for (int64_t t = T - 1; t >= 0; t--) {
            const int64_t at = t * M + c;
            const float theta = threshold[t], lambda = decay[t], theta_before = t ? threshold[t - 1] : 0.0f;
            const float kept = through_time ? lambda : 0.0f;
            const float* __restrict__ before = t ? membrane + at - M : initial + c;
            const bool first = t == 0;
            for (int64_t l = 0; l < n; l++) {
                const float excess = membrane[at + l] - theta;
                const float direct = excess <= highest ? grad_out[at + l] : 0.0f;
                const float g = excess > 0.0f ? direct : gv[l];
                if (LEARN) {
                    of_threshold[l] = excess > 0.0f ? gv[l] - direct : 0.0f;
                    of_decay[l] = g * (first ? before[l] : std::min(before[l], theta_before));
                }
                grad_x[at + l] = g;
                gv[l] = kept * g;
            }
            if (LEARN)
                for (int64_t l = 0; l < n; l += GROUP) {  // lanes past the last are zero
                    grad_decay[(c + l) / GROUP * T + t] = sum_of_group(of_decay + l);
                    grad_threshold[(c + l) / GROUP * T + t] = sum_of_group(of_threshold + l);
                }
        }
        std::copy_n(gv, n, grad_initial + c);
    }
}

}  // namespace

extern "C" {

// `scale` 0: outputs are not rounded; else to multiples of 1 / scale, a power of two, up to `top` of them.
void homeonet_charge_forward(const float* x, const float* initial, const float* decay, const float* threshold,
                             int32_t each, float scale, float top, float* membrane, float* outputs, float* after,
                             int64_t T, int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const bool round = scale > 0.0f;
    const auto run = each ? (round ? charge_forward<true, true> : charge_forward<true, false>)
                          : (round ? charge_forward<false, true> : charge_forward<false, false>);
    run(x, initial, decay, threshold, round ? scale : 1.0f, top, membrane, outputs, after, T, M, from, to);
}

// For one decay and threshold per step. Above an excess of `highest` outputs are clamped, and pass no gradient. The
// gradients of the constants, which may be null, are sums of groups of lanes, (groups, T).
void homeonet_charge_backward(const float* membrane, const float* grad_out, const float* grad_after,
                              const float* initial, const float* decay, const float* threshold, float highest,
                              int32_t through_time, float* grad_x, float* grad_initial, float* grad_decay,
                              float* grad_threshold, int64_t T, int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const auto run = grad_decay ? charge_backward<true> : charge_backward<false>;
    run(membrane, grad_out, grad_after, initial, decay, threshold, highest, through_time, grad_x, grad_initial,
        grad_decay, grad_threshold, T, M, from, to);
}

}  // extern "C"
