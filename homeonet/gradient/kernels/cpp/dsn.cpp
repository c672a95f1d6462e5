// DSN: a decay that depends on the input, and no reset; see common.h.
#include "common.h"

namespace {

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

// A DSN layer and the stretch [c, c + n) of its lanes, with the constants of its channels spread out over them.
struct Dsn {
    const float *x, *window, *biases, *thresholds;
    const int64_t channels, units, K, threshold_step, M;  // `units` lanes of a channel lie side by side
    const float tau;
    int64_t c = 0, n = 0;
    std::vector<float> weights, weight, bias, threshold;  // weights: a row of channels for each tap
    std::vector<const float*> taps, seen;

    Dsn(const float* x, const float* window, const float* weights, const float* biases, const float* thresholds,
        const int64_t* sizes, float tau, int64_t M)
        : x(x), window(window), biases(biases), thresholds(thresholds), channels(sizes[0]), units(sizes[1]),
          K(sizes[2]), threshold_step(sizes[3]), M(M), tau(tau), weights(K * channels), weight(K * DSN_LANES),
          bias(DSN_LANES), threshold(DSN_LANES), taps(K), seen(K) {
        for (int64_t j = 0; j < K; j++) {
            taps[j] = &weight[j * DSN_LANES];
            for (int64_t k = 0; k < channels; k++) this->weights[j * channels + k] = weights[k * K + j];
        }
    }

    void spread(const float* constants, int64_t channel, int64_t m, float* to) const {
        if (units == 1)
            std::copy_n(constants + channel, m, to);
        else
            std::fill_n(to, m, constants[channel]);
    }

    void go_to(int64_t lane, int64_t to) {
        c = lane, n = std::min(DSN_LANES, to - lane);
        for (int64_t l = 0; l < n;) {
            const int64_t channel = (c + l) / units % channels;
            const int64_t m = std::min(n - l, units == 1 ? channels - channel : units - (c + l) % units);
            for (int64_t j = 0; j < K; j++) spread(&weights[j * channels], channel, m, &weight[j * DSN_LANES + l]);
            spread(biases, channel, m, &bias[l]);
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
void dsn_backward(Dsn& dsn, const float* saved, const float* grad_out, const float* grad_last, const float* grad_recent,
                  int64_t apart, float width, bool through_time, float* grad_x, float* grad_window,
                  float* grad_initial, float* grad_weight, float* grad_bias, int64_t T, int64_t from, int64_t to) {
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
        if (grad_last)
            std::copy_n(grad_last + c, n, carry.data());
        else
            std::fill_n(carry.data(), n, 0.0f);
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
        for (int64_t i = 0; grad_recent && i < K - 1; i++) {
            const int64_t t = T - (K - 1) + i;
            float* grad = t < 0 ? grad_window + (t + K - 1) * M + c : grad_x + t * M + c;
            for (int64_t l = 0; l < n; l++) grad[l] += grad_recent[i * M + c + l];
        }
        std::copy_n(carry.data(), n, grad_initial + c);
        for (int64_t j = 0; j < K; j++) std::copy_n(&sums[j * ROW], n, grad_weight + j * M + c);
        std::copy_n(&sums[K * ROW], n, grad_bias + c);
    }
}

}  // namespace

extern "C" {

// `sizes`: channels, lanes of a channel in one image, inputs the decay sees, 1 for one threshold per lane, steps from one
// saved membrane to the next. `weight` is (channels, K). `window` holds the K - 1 inputs before x, `recent` the last
// K - 1 of all; `saved` the membrane before step 0 and so on, `last` that after the last step. `saved` and `recent` may
// be null.
void homeonet_dsn_forward(const float* x, const float* window, const float* initial, const float* weight,
                          const float* bias, const float* threshold, const int64_t* sizes, float tau, int32_t levels,
                          float* saved, float* last, float* recent, float* outputs, int64_t T, int64_t M, int64_t from,
                          int64_t to) {
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
            if (saved && t % sizes[4] == 0) std::copy_n(before, n, saved + t / sizes[4] * M + c);
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
        for (int64_t i = 0; recent && i < dsn.K - 1; i++)
            std::copy_n(dsn.input(T - (dsn.K - 1) + i), n, recent + i * M + c);
    }
}

// Gradients of weight (K, M) and bias (M) are given per lane; those of the last membrane and of the recent inputs may be
// null.
void homeonet_dsn_backward(int32_t kind, const float* x, const float* window, const float* saved, const float* weight,
                           const float* bias, const float* threshold, const float* grad_out, const float* grad_last,
                           const float* grad_recent, const int64_t* sizes, float tau, float width,
                           int32_t through_time, float* grad_x, float* grad_window, float* grad_initial,
                           float* grad_weight, float* grad_bias, int64_t T, int64_t M, int64_t from, int64_t to) {
    const FlushDenormals flushing;
    Dsn dsn(x, window, weight, bias, threshold, sizes, tau, M);
    const auto run = kind == RECTANGLE  ? dsn_backward<RECTANGLE>
                     : kind == TRIANGLE ? dsn_backward<TRIANGLE>
                     : kind == ARCTAN   ? dsn_backward<ARCTAN>
                     : kind == SIGMOID  ? dsn_backward<SIGMOID>
                                        : dsn_backward<STRAIGHT_THROUGH>;
    run(dsn, saved, grad_out, grad_last, grad_recent, sizes[4], width, through_time, grad_x, grad_window, grad_initial,
        grad_weight, grad_bias, T, from, to);
}

}  // extern "C"
