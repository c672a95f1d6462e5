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

void load(float* to, const float* __restrict__ from, int64_t n, int64_t step) {  // step 0: one value for all lanes
    for (int64_t l = 0; l < n; l++) to[l] = from[l * step];
}

// without a decay it is 1 - gain: the membrane is a running mean of its inputs
void load_decay(float* to, const float* decay, const float* gain, int64_t c, int64_t n, int64_t step) {
    if (decay) return load(to, decay + c * step, n, step);
    for (int64_t l = 0; l < n; l++) to[l] = 1.0f - gain[l];
}

// step 0: one value for all lanes, so a sum of each group of lanes is enough; the groups are the same for all threads
void store_sums(float* to, const float* sums, int64_t c, int64_t n, int64_t step) {
    if (step) {
        std::copy_n(sums, n, to + c);
        return;
    }
    for (int64_t l = 0; l < n; l += GROUP)
        to[(c + l) / GROUP] = std::accumulate(sums + l, sums + std::min(l + GROUP, n), 0.0f);
}

template <bool MARK>
void membrane_forward(const float* __restrict__ x, const float* __restrict__ initial, const float* __restrict__ decay,
                      const float* __restrict__ gain, const float* __restrict__ threshold, const int64_t* steps,
                      bool hard, bool scaled, float* __restrict__ membrane, float* __restrict__ outputs,
                      float* __restrict__ after, float* __restrict__ spiked, int64_t T, int64_t M, int64_t from,
                      int64_t to) {
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
        if (MARK) std::copy_n(marks, n, spiked + c);
    }
}

template <int KIND, bool LEARN>
void membrane_backward(const float* __restrict__ membrane, const float* __restrict__ grad_out,
                       const float* __restrict__ grad_after, const float* __restrict__ x,
                       const float* __restrict__ initial, const float* __restrict__ decay,
                       const float* __restrict__ gain, const float* __restrict__ threshold, const int64_t* steps,
                       float width, const int32_t* flags, float* __restrict__ grad_x, float* __restrict__ grad_initial,
                       float* __restrict__ grad_decay, float* __restrict__ grad_gain,
                       float* __restrict__ grad_threshold, int64_t T, int64_t M, int64_t from, int64_t to) {
    const bool absolute = flags[0], hard = flags[2], through_time = flags[4], mean = decay == nullptr;
    const float scaled = flags[1], through_reset = flags[3];
    const float relative = absolute ? 0.0f : 1.0f, subtracted = hard ? 0.0f : through_reset;
    float dec[LANES], gai[LANES], thr[LANES], inv[LANES], gu[LANES], next[LANES];
    float sum_dec[LANES], sum_gai[LANES], sum_thr[LANES];
    for (int64_t c = from; c < to; c += LANES) {
        const int64_t n = std::min(LANES, to - c);
        load(gai, gain + c * steps[1], n, steps[1]);
        load_decay(dec, decay, gai, c, n, steps[0]);
        load(thr, threshold + c * steps[2], n, steps[2]);
        for (int64_t l = 0; l < n; l++) {
            inv[l] = absolute ? 1.0f : 1.0f / thr[l];
            gu[l] = grad_after[c + l];
            next[l] = sum_dec[l] = sum_gai[l] = sum_thr[l] = 0.0f;
        }
        for (int64_t t = T - 1; t >= 0; t--) {
            const float* __restrict__ m_t = membrane + t * M + c;
            const float* __restrict__ go_t = grad_out + t * M + c;
            const float* __restrict__ driven = x ? x + t * M + c : m_t;
            float* __restrict__ gx_t = grad_x + t * M + c;
            for (int64_t l = 0; l < n; l++) {
                const float m = m_t[l], s = m >= thr[l] ? 1.0f : 0.0f, q = hard ? m : thr[l];
                const float z = (m - thr[l]) * inv[l], s_m = slope_at<KIND>(z, width) * inv[l];
                const float of_spike = go_t[l] * (scaled ? thr[l] : 1.0f) - through_reset * gu[l] * q;
                const float g = s_m * of_spike + gu[l] * (hard ? 1.0f - s : 1.0f);
                if (LEARN) {
                    sum_thr[l] += s * (scaled * go_t[l] - subtracted * gu[l]) - s_m * (1.0f + relative * z) * of_spike;
                    sum_dec[l] += next[l] * (m - s * q);
                    sum_gai[l] += g * driven[l];
                    next[l] = g;
                }
                gu[l] = through_time ? dec[l] * g : 0.0f;
                gx_t[l] = g * gai[l];
            }
        }
        if (grad_initial) std::copy_n(gu, n, grad_initial + c);
        if (!LEARN) continue;
        for (int64_t l = 0; l < n; l++) sum_dec[l] += next[l] * initial[(c + l) * steps[3]];
        if (mean)  // Σ g (x - u), where gain (x - u) = m - u
            for (int64_t l = 0; l < n; l++) sum_gai[l] = (sum_gai[l] - sum_dec[l]) / gai[l];
        else
            store_sums(grad_decay, sum_dec, c, n, steps[0]);
        store_sums(grad_gain, sum_gai, c, n, steps[1]);
        store_sums(grad_threshold, sum_thr, c, n, steps[2]);
    }
}

template <bool LEARN>
auto membrane_backward_of(int32_t kind) {
    return kind == RECTANGLE  ? membrane_backward<RECTANGLE, LEARN>
           : kind == TRIANGLE ? membrane_backward<TRIANGLE, LEARN>
           : kind == ARCTAN   ? membrane_backward<ARCTAN, LEARN>
                              : membrane_backward<SIGMOID, LEARN>;
}

constexpr int64_t DSN_LANES = 512;  // a wider stretch, since a step of many short rows waits for memory

// sum = (sum or 0) + a_0 b_0 + a_1 b_1 + ..., added in this order
template <int COUNT>
void add_products(float* __restrict__ sum, const float* const* a, const float* const* b, int64_t n, bool from_zero) {
#pragma GCC ivdep
    for (int64_t l = 0; l < n; l++) {
        float total = from_zero ? a[0][l] * b[0][l] : sum[l] + a[0][l] * b[0][l];
        for (int j = 1; j < COUNT; j++) total += a[j][l] * b[j][l];
        sum[l] = total;
    }
}

void add_products(float* sum, const float* const* a, const float* const* b, int64_t count, int64_t n, bool from_zero) {
    int64_t j = 0;
    for (; j + 4 <= count; j += 4) add_products<4>(sum, a + j, b + j, n, from_zero && j == 0);
    for (; j < count; j++) add_products<1>(sum, a + j, b + j, n, from_zero && j == 0);
}

void gate_of(float* __restrict__ gate, const float* __restrict__ bias, float* __restrict__ decay, float tau,
             int64_t n) {
    for (int64_t l = 0; l < n; l++) gate[l] = sigmoid(gate[l] + bias[l]);
    if (tau == 0.25f)
        for (int64_t l = 0; l < n; l++) decay[l] = (gate[l] * gate[l]) * (gate[l] * gate[l]);
    else
        for (int64_t l = 0; l < n; l++) decay[l] = std::pow(gate[l], 1.0f / tau);
}

// A DSN layer and the stretch [c, c + n) of its lanes, with the constants of one image spread out over them.
struct Dsn {
    const float *x, *window, *weights, *biases, *thresholds;
    const int64_t period, K, threshold_step, M;
    const float tau;
    int64_t c = 0, n = 0;
    std::vector<float> weight, bias, threshold;
    std::vector<const float*> taps, seen;

    Dsn(const float* x, const float* window, const float* weights, const float* biases, const float* thresholds,
        const int64_t* sizes, float tau, int64_t M)
        : x(x), window(window), weights(weights), biases(biases), thresholds(thresholds), period(sizes[0]),
          K(sizes[1]), threshold_step(sizes[2]), M(M), tau(tau), weight(K * DSN_LANES), bias(DSN_LANES),
          threshold(DSN_LANES), taps(K), seen(K) {
        for (int64_t j = 0; j < K; j++) taps[j] = &weight[j * DSN_LANES];
    }

    void go_to(int64_t lane, int64_t to) {
        c = lane, n = std::min(DSN_LANES, to - lane);
        for (int64_t l = 0; l < n;) {
            const int64_t p = (c + l) % period, m = std::min(n - l, period - p);
            for (int64_t j = 0; j < K; j++) std::copy_n(weights + j * period + p, m, &weight[j * DSN_LANES + l]);
            std::copy_n(biases + p, m, &bias[l]);
            l += m;
        }
        load(threshold.data(), thresholds + c * threshold_step, n, threshold_step);
    }

    const float* input(int64_t t) const { return (t < 0 ? window + (t + K - 1) * M : x + t * M) + c; }

    void look_back_from(int64_t t) {
        for (int64_t j = 0; j < K; j++) seen[j] = input(t - (K - 1) + j);
    }

    void step(int64_t t, const float* __restrict__ before, float* __restrict__ gate, float* __restrict__ decay,
              float* __restrict__ membrane) {
        look_back_from(t);
        add_products(gate, taps.data(), seen.data(), K, n, true);
        gate_of(gate, bias.data(), decay, tau, n);
        const float* __restrict__ x_t = input(t);
        for (int64_t l = 0; l < n; l++) membrane[l] = decay[l] * before[l] + (1.0f - decay[l]) * x_t[l];
    }
};

// Through one step: `carry` goes from the gradient of its membrane to that of the one before; `grad` is that of what
// the gate is the sigmoid of, and `grad_x` that of the input to the membrane.
template <int KIND>
void dsn_step_back(const float* __restrict__ membrane, const float* __restrict__ before, const float* __restrict__ gate,
                   const float* __restrict__ decay, const float* __restrict__ x, const float* __restrict__ grad_out,
                   const float* __restrict__ inverse, float width, float inverse_tau, float through_time,
                   float* __restrict__ carry, float* __restrict__ grad, float* __restrict__ grad_x,
                   float* __restrict__ grad_bias, int64_t n) {
    const float center = KIND == STRAIGHT_THROUGH ? 0.0f : 0.5f;
    for (int64_t l = 0; l < n; l++) {
        const float slope = slope_at<KIND>(membrane[l] * inverse[l] - center, width) * inverse[l];
        const float g = grad_out[l] * slope + carry[l], a = decay[l];
        const float of_gate = g * (before[l] - x[l]) * a * (1.0f - gate[l]) * inverse_tau;
        carry[l] = through_time * (a * g);
        grad_x[l] = g * (1.0f - a);
        grad[l] = of_gate;
        grad_bias[l] += of_gate;
    }
}

void add_scaled(float* __restrict__ sum, const float* __restrict__ factor, const float* __restrict__ x, int64_t n) {
    for (int64_t l = 0; l < n; l++) sum[l] += factor[l] * x[l];
}

// From the last stretch of `apart` steps to the first: its states once more from the one saved, into rows that stay
// in the cache, then its gradients.
template <int KIND>
void dsn_backward(Dsn& dsn, const float* saved, const float* grad_out, const float* grad_last, int64_t apart,
                  float width, bool through_time, float* grad_x, float* grad_window, float* grad_initial,
                  float* grad_weight, float* grad_bias, int64_t T, int64_t from, int64_t to) {
    constexpr int64_t ROW = DSN_LANES;
    const int64_t K = dsn.K, M = dsn.M, first_tap = through_time ? 0 : K - 1;
    std::vector<float> gates(apart * ROW), decays(apart * ROW), membranes((apart + 1) * ROW);
    std::vector<float> grads((apart + K) * ROW), sums((K + 1) * ROW), carry(ROW), inverse(ROW);
    std::vector<const float*> later(K);
    for (int64_t c = from; c < to; c += ROW) {
        dsn.go_to(c, to);
        const int64_t n = dsn.n;
        for (int64_t l = 0; l < n; l++) inverse[l] = 1.0f / dsn.threshold[l];
        std::fill(sums.begin(), sums.end(), 0.0f);
        std::fill(grads.begin(), grads.end(), 0.0f);
        std::copy_n(grad_last + c, n, carry.data());
        for (int64_t first = (T - 1) / apart * apart; first >= 0; first -= apart) {
            const int64_t steps = std::min(apart, T - first);
            std::copy_n(saved + first / apart * M + c, n, membranes.data());
            for (int64_t r = 0; r < steps; r++)
                dsn.step(first + r, &membranes[r * ROW], &gates[r * ROW], &decays[r * ROW], &membranes[(r + 1) * ROW]);
            // the K - 1 steps that follow saw inputs of these
            std::copy_backward(grads.begin(), grads.begin() + (K - 1) * ROW, grads.begin() + (steps + K - 1) * ROW);
            for (int64_t r = steps - 1; r >= 0; r--) {
                const int64_t t = first + r, at = t * M + c;
                float* grad = &grads[r * ROW];
                dsn_step_back<KIND>(&membranes[(r + 1) * ROW], &membranes[r * ROW], &gates[r * ROW], &decays[r * ROW],
                                    dsn.input(t), grad_out + at, inverse.data(), width, 1.0f / dsn.tau, through_time,
                                    carry.data(), grad, grad_x + at, &sums[K * ROW], n);
                for (int64_t j = 0; j < K; j++) later[j] = grad + (K - 1 - j) * ROW;
                add_products(grad_x + at, &dsn.taps[first_tap], &later[first_tap], K - first_tap, n, false);
                for (int64_t j = 0; j < K; j++) add_scaled(&sums[j * ROW], grad, dsn.input(t - (K - 1) + j), n);
            }
        }
        for (int64_t i = 0; i < K - 1; i++) {  // step t saw input i of the window by its tap i - t
            float* to_window = grad_window + i * M + c;
            std::fill_n(to_window, n, 0.0f);
            for (int64_t t = 0; through_time && t <= std::min(i, T - 1); t++)
                add_scaled(to_window, dsn.taps[i - t], &grads[t * ROW], n);
        }
        std::copy_n(carry.data(), n, grad_initial + c);
        for (int64_t j = 0; j < K; j++) std::copy_n(&sums[j * ROW], n, grad_weight + j * M + c);
        std::copy_n(&sums[K * ROW], n, grad_bias + c);
    }
}

}  // namespace

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

// `steps`: 1 where decay, gain, threshold, initial have a value a lane, 0 where one is for all; `decay` null: 1 - gain.
// `spiked`: null, or 1 for the lanes that spiked at all, else 0.
void homeonet_membrane_forward(const float* x, const float* initial, const float* decay, const float* gain,
                               const float* threshold, const int64_t* steps, int32_t hard, int32_t scaled,
                               float* membrane, float* outputs, float* after, float* spiked, int64_t T, int64_t M,
                               int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const auto run = spiked ? membrane_forward<true> : membrane_forward<false>;
    run(x, initial, decay, gain, threshold, steps, hard, scaled, membrane, outputs, after, spiked, T, M, from, to);
}

// `flags`: absolute rule, scaled output, hard reset, gradient through the reset, through time, learnt constants. `x` is
// null unless decay and gain are both given and the gain is learnt; `grad_initial` may be null. The gradients of the
// constants are given a lane, or a group of lanes where one value is for all; `grad_decay` not without a decay.
void homeonet_membrane_backward(int32_t kind, const float* __restrict__ membrane, const float* __restrict__ grad_out,
                                const float* __restrict__ grad_after, const float* __restrict__ x,
                                const float* __restrict__ initial, const float* __restrict__ decay,
                                const float* __restrict__ gain, const float* __restrict__ threshold,
                                const int64_t* steps, float width, const int32_t* flags, float* __restrict__ grad_x,
                                float* __restrict__ grad_initial, float* __restrict__ grad_decay,
                                float* __restrict__ grad_gain, float* __restrict__ grad_threshold, int64_t T,
                                int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    const auto run = flags[5] ? membrane_backward_of<true>(kind) : membrane_backward_of<false>(kind);
    run(membrane, grad_out, grad_after, x, initial, decay, gain, threshold, steps, width, flags, grad_x, grad_initial,
        grad_decay, grad_gain, grad_threshold, T, M, from, to);
}

// `sizes`: lanes of one image (weights and bias repeat with them), inputs the decay sees, 1 for a threshold a lane,
// steps from one saved membrane to the next. `window` holds the inputs before x, `saved` the membrane before step 0 and
// so on, `last` that after the last step.
void homeonet_dsn_forward(const float* x, const float* window, const float* initial, const float* weight,
                          const float* bias, const float* threshold, const int64_t* sizes, float tau, int32_t levels,
                          float* saved, float* last, float* outputs, int64_t T, int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    Dsn dsn(x, window, weight, bias, threshold, sizes, tau, M);
    const float top = levels;
    const float* __restrict__ thr = dsn.threshold.data();
    float gate[DSN_LANES], decay[DSN_LANES], even[DSN_LANES], odd[DSN_LANES];
    for (int64_t c = from; c < to; c += DSN_LANES) {
        dsn.go_to(c, to);
        const int64_t n = dsn.n;
        float *before = odd, *h = even;
        std::copy_n(initial + c, n, before);
        for (int64_t t = 0; t < T; t++, std::swap(before, h)) {
            if (t % sizes[3] == 0) std::copy_n(before, n, saved + t / sizes[3] * M + c);
            dsn.step(t, before, gate, decay, h);
            const float* __restrict__ membrane = h;
            float* __restrict__ out = outputs + t * M + c;
            if (levels == 1)
                for (int64_t l = 0; l < n; l++) out[l] = membrane[l] / thr[l] >= 0.5f ? 1.0f : 0.0f;
            else
                for (int64_t l = 0; l < n; l++)
                    out[l] = std::min(top, std::max(0.0f, std::nearbyintf(membrane[l] / thr[l])));
        }
        std::copy_n(before, n, last + c);
    }
}

// gradients of weight (K, M) and bias (M) are given a lane
void homeonet_dsn_backward(int32_t kind, const float* x, const float* window, const float* saved, const float* weight,
                           const float* bias, const float* threshold, const float* grad_out, const float* grad_last,
                           const int64_t* sizes, float tau, float width, int32_t through_time, float* grad_x,
                           float* grad_window, float* grad_initial, float* grad_weight, float* grad_bias, int64_t T,
                           int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    Dsn dsn(x, window, weight, bias, threshold, sizes, tau, M);
    const auto run = kind == RECTANGLE  ? dsn_backward<RECTANGLE>
                     : kind == TRIANGLE ? dsn_backward<TRIANGLE>
                     : kind == ARCTAN   ? dsn_backward<ARCTAN>
                     : kind == SIGMOID  ? dsn_backward<SIGMOID>
                                        : dsn_backward<STRAIGHT_THROUGH>;
    run(dsn, saved, grad_out, grad_last, sizes[3], width, through_time, grad_x, grad_window, grad_initial, grad_weight,
        grad_bias, T, from, to);
}

}  // extern "C"
