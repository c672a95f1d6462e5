// The neurons' recurrences on a CPU in float32: one pass over time, everything of a step in one loop.
//
// Arrays are (T, M): time, and M lanes (batch times units) that do not depend on each other. Every function treats
// the lanes [from, to), so that threads can share the work. The formulas, and the names, are those of _membrane.py,
// _dsn.py and _recurrence.py; tests hold them equal. No contraction of products and sums: spikes are decided by the
// same roundings as in the step-by-step form.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
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

void load(float* to, const float* __restrict__ from, int64_t n, int64_t step) {  // step 0: one value for all lanes
    for (int64_t l = 0; l < n; l++) to[l] = from[l * step];
}

template <int KIND>
void membrane_backward(const float* __restrict__ membrane, const float* __restrict__ grad_out, const float* __restrict__ grad_after, const float* __restrict__ x,
                       const float* __restrict__ initial, const float* __restrict__ decay, const float* __restrict__ gain, const float* __restrict__ threshold,
                       const int64_t* steps, float width, const int32_t* flags, float* __restrict__ grad_x, float* __restrict__ grad_initial,
                       float* __restrict__ grad_decay, float* __restrict__ grad_gain, float* __restrict__ grad_threshold, int64_t T, int64_t M,
                       int64_t from, int64_t to) {
    const float absolute = flags[0], scaled = flags[1], hard = flags[2], through_reset = flags[3];
    const bool through_time = flags[4], learn = flags[5], learn_gain = flags[6];
    float dec[LANES], gai[LANES], thr[LANES], inv[LANES], gu[LANES], next[LANES];
    float sum_dec[LANES], sum_gai[LANES], sum_thr[LANES];
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        load(dec, decay + c * steps[0], n, steps[0]);
        load(gai, gain + c * steps[1], n, steps[1]);
        load(thr, threshold + c * steps[2], n, steps[2]);
        for (int64_t l = 0; l < n; l++) {
            inv[l] = absolute != 0 ? 1.0f : 1.0f / thr[l];
            gu[l] = grad_after[c + l];
            next[l] = sum_dec[l] = sum_gai[l] = sum_thr[l] = 0.0f;
        }
        for (int64_t t = T - 1; t >= 0; t--) {
            const float* __restrict__ m_t = membrane + t * M + c;
            const float* __restrict__ go_t = grad_out + t * M + c;
            float* __restrict__ gx_t = grad_x + t * M + c;
            if (!learn) {
                for (int64_t l = 0; l < n; l++) {
                    const float m = m_t[l], s = m >= thr[l] ? 1.0f : 0.0f;
                    const float s_m = slope_at<KIND>((m - thr[l]) * inv[l], width) * inv[l];
                    const float o_m = s_m * (scaled * thr[l] + (1.0f - scaled));
                    const float q = hard * m + (1.0f - hard) * thr[l];
                    const float u_m = 1.0f - hard * s - through_reset * s_m * q;
                    const float g = go_t[l] * o_m + gu[l] * u_m;
                    gu[l] = through_time ? dec[l] * g : 0.0f;
                    gx_t[l] = g * gai[l];
                }
            } else {
                for (int64_t l = 0; l < n; l++) {
                    const float m = m_t[l], s = m >= thr[l] ? 1.0f : 0.0f;
                    const float s_m = slope_at<KIND>((m - thr[l]) * inv[l], width) * inv[l];
                    const float k = scaled * thr[l] + (1.0f - scaled);
                    const float q = hard * m + (1.0f - hard) * thr[l];
                    const float u_m = 1.0f - hard * s - through_reset * s_m * q;
                    const float s_th = -s_m * (absolute + (1.0f - absolute) * m * inv[l]);
                    const float o_th = k * s_th + scaled * s;
                    const float u_th = -through_reset * (q * s_th + (1.0f - hard) * s);
                    const float g = go_t[l] * (s_m * k) + gu[l] * u_m;
                    sum_thr[l] += go_t[l] * o_th + gu[l] * u_th;
                    sum_dec[l] += next[l] * (hard != 0 ? m * (1.0f - s) : m - thr[l] * s);
                    next[l] = g;
                    gu[l] = through_time ? dec[l] * g : 0.0f;
                    gx_t[l] = g * gai[l];
                }
                if (learn_gain) {
                    const float* __restrict__ x_t = x + t * M + c;
                    for (int64_t l = 0; l < n; l++) sum_gai[l] += next[l] * x_t[l];
                }
            }
        }
        for (int64_t l = 0; l < n; l++) {
            grad_initial[c + l] = gu[l];
            if (learn) {
                grad_decay[c + l] = sum_dec[l] + next[l] * initial[c + l];
                grad_gain[c + l] = sum_gai[l];
                grad_threshold[c + l] = sum_thr[l];
            }
        }
    }
}

template <int KIND>
void dsn_backward(const float* __restrict__ inputs, const float* __restrict__ initial, const float* __restrict__ weight, const float* __restrict__ threshold,
                  const float* __restrict__ decay, const float* __restrict__ membrane, const float* __restrict__ grad_out, const float* __restrict__ grad_last,
                  const int64_t* sizes, float tau, float width, const int32_t* flags, float* __restrict__ grad_inputs,
                  float* __restrict__ grad_initial, float* __restrict__ grad_weight, float* __restrict__ grad_bias, int64_t T, int64_t M, int64_t from,
                  int64_t to) {
    const int64_t period = sizes[0], K = sizes[1], threshold_step = sizes[2];
    const float through_time = flags[0], inverse_tau = 1.0f / tau;
    const bool quarter = tau == 0.25f;
    const float center = KIND == STRAIGHT_THROUGH ? 0.0f : 0.5f;
    float thr[LANES], carry[LANES], dc[LANES], gate[LANES], sum[LANES];
    for (int64_t c = from; c < to;) {
        const int64_t p = c % period, n = std::min(std::min(LANES, to - c), period - p);  // within one image
        load(thr, threshold + c * threshold_step, n, threshold_step);
        for (int64_t l = 0; l < n; l++) {
            carry[l] = grad_last[c + l];
            sum[l] = 0.0f;
        }
        for (int64_t t = T - 1; t >= 0; t--) {
            const float* __restrict__ h_t = membrane + t * M + c;
            const float* __restrict__ before = t ? h_t - M : initial + c;
            const float* __restrict__ a_t = decay + t * M + c;
            const float* __restrict__ go_t = grad_out + t * M + c;
            const float* __restrict__ x_t = inputs + (t + K - 1) * M + c;
            float* __restrict__ gx_t = grad_inputs + (t + K - 1) * M + c;
            if (quarter)
                for (int64_t l = 0; l < n; l++) gate[l] = std::sqrt(std::sqrt(a_t[l]));
            else
                for (int64_t l = 0; l < n; l++) gate[l] = std::pow(a_t[l], tau);
            for (int64_t l = 0; l < n; l++) {
                const float slope = slope_at<KIND>(h_t[l] / thr[l] - center, width) / thr[l];
                const float g = go_t[l] * slope + carry[l], a = a_t[l];
                dc[l] = g * (before[l] - x_t[l]) * a * (1.0f - gate[l]) * inverse_tau;
                carry[l] = through_time * (a * g);
                gx_t[l] += g * (1.0f - a);
                sum[l] += dc[l];
            }
            for (int64_t j = 0; j < K; j++) {
                const float* __restrict__ seen = inputs + (t + j) * M + c;
                const float* __restrict__ w = weight + j * period + p;
                float* __restrict__ gw = grad_weight + j * M + c;
                for (int64_t l = 0; l < n; l++) gw[l] += dc[l] * seen[l];
                if (through_time != 0 || j == K - 1) {
                    float* __restrict__ gs = grad_inputs + (t + j) * M + c;
                    for (int64_t l = 0; l < n; l++) gs[l] += dc[l] * w[l];
                }
            }
        }
        for (int64_t l = 0; l < n; l++) {
            grad_initial[c + l] = carry[l];
            grad_bias[c + l] = sum[l];
        }
        c += n;
    }
}

}  // namespace

extern "C" {

// h_t = decay_t h_{t-1} + x_t; from the end if `reverse`; `initial` may be null: then the first state is x
void homeonet_scan(const float* __restrict__ decay, const float* __restrict__ x, const float* __restrict__ initial, int32_t reverse, float* out, int64_t T,
                   int64_t M, int64_t from, int64_t to) {
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

// `steps`: 1 where decay, gain, threshold have a value a lane, 0 where one is for all
void homeonet_membrane_forward(const float* __restrict__ x, const float* __restrict__ initial, const float* __restrict__ decay, const float* __restrict__ gain,
                               const float* __restrict__ threshold, const int64_t* steps, int32_t hard, int32_t scaled,
                               float* membrane, float* outputs, float* after, int64_t T, int64_t M, int64_t from,
                               int64_t to) {
    const FlushDenormals flushing;
    float dec[LANES], gai[LANES], thr[LANES], height[LANES], u[LANES];
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        load(dec, decay + c * steps[0], n, steps[0]);
        load(gai, gain + c * steps[1], n, steps[1]);
        load(thr, threshold + c * steps[2], n, steps[2]);
        for (int64_t l = 0; l < n; l++) {
            u[l] = initial[c + l];
            height[l] = scaled ? thr[l] : 1.0f;
        }
        for (int64_t t = 0; t < T; t++) {
            const float* __restrict__ x_t = x + t * M + c;
            float* m_t = membrane + t * M + c;
            float* o_t = outputs + t * M + c;
            if (hard)
                for (int64_t l = 0; l < n; l++) {
                    const float m = gai[l] * x_t[l] + dec[l] * u[l];
                    m_t[l] = m;
                    o_t[l] = m >= thr[l] ? height[l] : 0.0f;
                    u[l] = m >= thr[l] ? 0.0f : m;
                }
            else
                for (int64_t l = 0; l < n; l++) {
                    const float m = gai[l] * x_t[l] + dec[l] * u[l];
                    m_t[l] = m;
                    o_t[l] = m >= thr[l] ? height[l] : 0.0f;
                    u[l] = m >= thr[l] ? m - thr[l] : m;
                }
        }
        for (int64_t l = 0; l < n; l++) after[c + l] = u[l];
    }
}

// `flags`: absolute rule, scaled output, hard reset, gradient through the reset, through time, learnt constants, learnt
// gain. The gradients of the constants are given a lane.
void homeonet_membrane_backward(int32_t kind, const float* __restrict__ membrane, const float* __restrict__ grad_out, const float* __restrict__ grad_after,
                                const float* __restrict__ x, const float* __restrict__ initial, const float* __restrict__ decay, const float* __restrict__ gain,
                                const float* __restrict__ threshold, const int64_t* steps, float width, const int32_t* flags,
                                float* __restrict__ grad_x, float* __restrict__ grad_initial, float* __restrict__ grad_decay, float* __restrict__ grad_gain,
                                float* __restrict__ grad_threshold, int64_t T, int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const auto run = kind == RECTANGLE  ? membrane_backward<RECTANGLE>
                     : kind == TRIANGLE ? membrane_backward<TRIANGLE>
                     : kind == ARCTAN   ? membrane_backward<ARCTAN>
                                        : membrane_backward<SIGMOID>;
    run(membrane, grad_out, grad_after, x, initial, decay, gain, threshold, steps, width, flags, grad_x, grad_initial,
        grad_decay, grad_gain, grad_threshold, T, M, from, to);
}

// `sizes`: lanes of one image (weights and bias repeat with them), inputs the decay sees, 1 for a threshold a lane
void homeonet_dsn_forward(const float* __restrict__ inputs, const float* __restrict__ initial, const float* __restrict__ weight, const float* __restrict__ bias,
                          const float* __restrict__ threshold, const int64_t* sizes, float tau, int32_t levels, float* decay,
                          float* membrane, float* outputs, int64_t T, int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const int64_t period = sizes[0], K = sizes[1], threshold_step = sizes[2];
    const bool quarter = tau == 0.25f;
    const float power = 1.0f / tau, top = levels;
    float thr[LANES], gate[LANES], h[LANES];
    for (int64_t c = from; c < to;) {
        const int64_t p = c % period, n = std::min(std::min(LANES, to - c), period - p);
        load(thr, threshold + c * threshold_step, n, threshold_step);
        for (int64_t l = 0; l < n; l++) h[l] = initial[c + l];
        for (int64_t t = 0; t < T; t++) {
            const int64_t at = t * M + c;
            for (int64_t j = 0; j < K; j++) {
                const float* __restrict__ seen = inputs + (t + j) * M + c;
                const float* __restrict__ w = weight + j * period + p;
                if (j == 0)
                    for (int64_t l = 0; l < n; l++) gate[l] = w[l] * seen[l];
                else
                    for (int64_t l = 0; l < n; l++) gate[l] += w[l] * seen[l];
            }
            const float* __restrict__ x_t = inputs + (t + K - 1) * M + c;
            for (int64_t l = 0; l < n; l++) gate[l] = sigmoid(gate[l] + bias[p + l]);
            if (quarter)
                for (int64_t l = 0; l < n; l++) decay[at + l] = (gate[l] * gate[l]) * (gate[l] * gate[l]);
            else
                for (int64_t l = 0; l < n; l++) decay[at + l] = std::pow(gate[l], power);
            for (int64_t l = 0; l < n; l++) {
                const float a = decay[at + l];
                h[l] = a * h[l] + (1.0f - a) * x_t[l];
                membrane[at + l] = h[l];
            }
            if (levels == 1)
                for (int64_t l = 0; l < n; l++) outputs[at + l] = h[l] / thr[l] >= 0.5f ? 1.0f : 0.0f;
            else
                for (int64_t l = 0; l < n; l++)
                    outputs[at + l] = std::min(top, std::max(0.0f, std::nearbyintf(h[l] / thr[l])));
        }
        c += n;
    }
}

// gradients of weight (K, M) and bias (M) are given a lane; they and grad_inputs come in as zeros
void homeonet_dsn_backward(int32_t kind, const float* __restrict__ inputs, const float* __restrict__ initial, const float* __restrict__ weight,
                           const float* __restrict__ threshold, const float* __restrict__ decay, const float* __restrict__ membrane, const float* __restrict__ grad_out,
                           const float* __restrict__ grad_last, const int64_t* sizes, float tau, float width, const int32_t* flags,
                           float* __restrict__ grad_inputs, float* __restrict__ grad_initial, float* __restrict__ grad_weight, float* __restrict__ grad_bias, int64_t T,
                           int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const auto run = kind == RECTANGLE  ? dsn_backward<RECTANGLE>
                     : kind == TRIANGLE ? dsn_backward<TRIANGLE>
                     : kind == ARCTAN   ? dsn_backward<ARCTAN>
                     : kind == SIGMOID  ? dsn_backward<SIGMOID>
                                        : dsn_backward<STRAIGHT_THROUGH>;
    run(inputs, initial, weight, threshold, decay, membrane, grad_out, grad_last, sizes, tau, width, flags, grad_inputs,
        grad_initial, grad_weight, grad_bias, T, M, from, to);
}

}  // extern "C"
