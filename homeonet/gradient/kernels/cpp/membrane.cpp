// LIF and TrLIF: integrate, spike, reset; see common.h.
#include "common.h"

namespace {

template <bool MARK>
void membrane_forward(const float* __restrict__ x, const float* __restrict__ initial, const float* __restrict__ decay,
                      const float* __restrict__ gain, const float* __restrict__ threshold, const int64_t* steps,
                      bool hard, bool scaled, float* __restrict__ membrane, float* __restrict__ outputs,
                      float* __restrict__ after, float* __restrict__ spiked, float* __restrict__ ends, int64_t T,
                      int64_t M, int64_t from, int64_t to) {
    float dec[LANES], gai[LANES], thr[LANES], height[LANES], u[LANES], marks[LANES];
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        load(gai, gain + c * steps[1], n, steps[1]);
        load_decay(dec, decay, gai, c, n, steps[0]);
        load(thr, threshold + c * steps[2], n, steps[2]);
        load(u, initial + c * steps[3], n, steps[3]);
        for (int64_t l = 0; l < n; l++) {
            height[l] = scaled ? thr[l] : 1.0f;
            marks[l] = 0.0f;
        }
        for (int64_t t = 0; t < T; t++) {
            const float* __restrict__ x_t = x + t * M + c;
            float* __restrict__ m_t = membrane + t * M + c;
            float* __restrict__ o_t = outputs + t * M + c;
            for (int64_t l = 0; l < n; l++) {
                const float m = gai[l] * x_t[l] + dec[l] * u[l], after_spike = hard ? 0.0f : m - thr[l];
                m_t[l] = m;
                o_t[l] = m >= thr[l] ? height[l] : 0.0f;
                u[l] = m >= thr[l] ? after_spike : m;
                if (MARK) marks[l] = m >= thr[l] ? 1.0f : marks[l];
            }
        }
        std::copy_n(u, n, after + c);
        if (spiked) std::copy_n(marks, n, spiked + c);
        if (ends) {
            store_sums(ends + M / GROUP + 1, marks, c, n, 0);
            for (int64_t l = 0; l < n; l++) marks[l] *= u[l];
            store_sums(ends, marks, c, n, 0);
        }
    }
}

// TIED: no decay of its own, but 1 - gain, so that one sum serves both
template <int KIND, bool LEARN, bool TIED, bool HARD>
void membrane_backward(const float* __restrict__ membrane, const float* __restrict__ grad_out,
                       const float* __restrict__ grad_after, const float* __restrict__ x,
                       const float* __restrict__ initial, const float* __restrict__ decay,
                       const float* __restrict__ gain, const float* __restrict__ threshold, const int64_t* steps,
                       float width, const int64_t* flags, float* __restrict__ grad_x, float* __restrict__ grad_initial,
                       float* __restrict__ grad_decay, float* __restrict__ grad_gain,
                       float* __restrict__ grad_threshold, int64_t T, int64_t M, int64_t from, int64_t to) {
    const bool absolute = flags[0], through_time = flags[4];
    const float scaled = flags[1], through_reset = flags[3];
    const float relative = absolute ? 0.0f : 1.0f, subtracted = HARD ? 0.0f : through_reset;
    float dec[LANES], gai[LANES], thr[LANES], inv[LANES], gu[LANES], next[LANES];
    float sum_dec[LANES], sum_gai[LANES], sum_thr[LANES];
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        load(gai, gain + c * steps[1], n, steps[1]);
        load_decay(dec, decay, gai, c, n, steps[0]);
        load(thr, threshold + c * steps[2], n, steps[2]);
        for (int64_t l = 0; l < n; l++) {
            inv[l] = absolute ? 1.0f : 1.0f / thr[l];
            gu[l] = grad_after ? grad_after[c + l] : 0.0f;
            next[l] = sum_dec[l] = sum_gai[l] = sum_thr[l] = 0.0f;
        }
        for (int64_t t = T - 1; t >= 0; t--) {
            const float* __restrict__ m_t = membrane + t * M + c;
            const float* __restrict__ go_t = grad_out + t * M + c;
            const float* __restrict__ driven = x ? x + t * M + c : m_t;
            float* __restrict__ gx_t = grad_x + t * M + c;
            for (int64_t l = 0; l < n; l++) {
                const float m = m_t[l], s = m >= thr[l] ? 1.0f : 0.0f, q = HARD ? m : thr[l];
                const float z = (m - thr[l]) * inv[l], s_m = slope_at<KIND>(z, width) * inv[l];
                const float of_spike = go_t[l] * (scaled ? thr[l] : 1.0f) - through_reset * gu[l] * q;
                const float g = s_m * of_spike + gu[l] * (HARD ? 1.0f - s : 1.0f);
                if (LEARN) {
                    sum_thr[l] += s * (scaled * go_t[l] - subtracted * gu[l]) - s_m * (1.0f + relative * z) * of_spike;
                    const float of_decay = next[l] * (m - s * q);
                    if (TIED) {  // Σ g (x - u), where gain (x - u) = m - u
                        sum_gai[l] += g * m - of_decay;
                    } else {
                        sum_dec[l] += of_decay;
                        sum_gai[l] += g * driven[l];
                    }
                    next[l] = g;
                }
                gu[l] = through_time ? dec[l] * g : 0.0f;
                gx_t[l] = g * gai[l];
            }
        }
        if (grad_initial) std::copy_n(gu, n, grad_initial + c);
        if (!LEARN) continue;
        for (int64_t l = 0; l < n; l++) {
            const float of_decay = next[l] * initial[(c + l) * steps[3]];
            if (TIED)
                sum_gai[l] = (sum_gai[l] - of_decay) / gai[l];
            else
                sum_dec[l] += of_decay;
        }
        if (!TIED) store_sums(grad_decay, sum_dec, c, n, steps[0]);
        store_sums(grad_gain, sum_gai, c, n, steps[1]);
        store_sums(grad_threshold, sum_thr, c, n, steps[2]);
    }
}

template <bool LEARN, bool TIED, bool HARD>
auto membrane_backward_of(int32_t kind) {
    return kind == RECTANGLE  ? membrane_backward<RECTANGLE, LEARN, TIED, HARD>
           : kind == TRIANGLE ? membrane_backward<TRIANGLE, LEARN, TIED, HARD>
           : kind == ARCTAN   ? membrane_backward<ARCTAN, LEARN, TIED, HARD>
                              : membrane_backward<SIGMOID, LEARN, TIED, HARD>;
}

template <bool HARD>
auto membrane_backward_of(int32_t kind, bool learn, bool tied) {
    return !learn ? membrane_backward_of<false, false, HARD>(kind)
           : tied ? membrane_backward_of<true, true, HARD>(kind)
                  : membrane_backward_of<true, false, HARD>(kind);
}

}  // namespace

extern "C" {

// `steps`: 1 where decay, gain, threshold, initial have one value per lane, 0 where one is for all; `decay` null: 1 - gain.
// `spiked`: null, or 1 for the lanes that spiked at all, else 0. `ends`: null, or (2, M / 16 + 1), the last
// membranes of the lanes that spiked, summed, and their number.
void homeonet_membrane_forward(const float* x, const float* initial, const float* decay, const float* gain,
                               const float* threshold, const int64_t* steps, int32_t hard, int32_t scaled,
                               float* membrane, float* outputs, float* after, float* spiked, float* ends, int64_t T,
                               int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const auto run = spiked || ends ? membrane_forward<true> : membrane_forward<false>;
    run(x, initial, decay, gain, threshold, steps, hard, scaled, membrane, outputs, after, spiked, ends, T, M, from,
        to);
}

// `flags`: absolute rule, scaled output, hard reset, gradient through the reset, through time, learnt constants. `x` is
// null unless decay and gain are both given and the gain is learnt; `grad_after` and `grad_initial` may be null. The gradients of the
// constants are given per lane, or per group of lanes where one value is for all; `grad_decay` not without a decay.
void homeonet_membrane_backward(int32_t kind, const float* __restrict__ membrane, const float* __restrict__ grad_out,
                                const float* __restrict__ grad_after, const float* __restrict__ x,
                                const float* __restrict__ initial, const float* __restrict__ decay,
                                const float* __restrict__ gain, const float* __restrict__ threshold,
                                const int64_t* steps, float width, const int64_t* flags, float* __restrict__ grad_x,
                                float* __restrict__ grad_initial, float* __restrict__ grad_decay,
                                float* __restrict__ grad_gain, float* __restrict__ grad_threshold, int64_t T,
                                int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const auto of_reset = flags[2] ? membrane_backward_of<true> : membrane_backward_of<false>;
    const auto run = of_reset(kind, flags[5], decay == nullptr);
    run(membrane, grad_out, grad_after, x, initial, decay, gain, threshold, steps, width, flags, grad_x, grad_initial,
        grad_decay, grad_gain, grad_threshold, T, M, from, to);
}

}  // extern "C"
