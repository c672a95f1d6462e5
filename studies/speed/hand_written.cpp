// The benchmark network of benchmark_plastic.py as a hand-written loop: the practical limit of one core.
//
// Poisson inputs drive leaky integrate-and-fire neurons, excitatory and inhibitory, with exponential current
// synapses, membrane noise and refractoriness; input->E and E->E learn by pair STDP, I->E by Vogels' rule, E->I
// is static. Same equations, order within a step, parameters and records as the engine's; other random numbers.
// What makes it fast is what a general engine cannot know:
//   - float32, arrays of fixed size padded to whole vectors, one struct in the L2 cache;
//   - a pathway is a dense matrix with one row per source: a spike adds a row to g and depresses it in one vector loop
//     (absent synapses have the bounds [0, 0]); only the incoming synapses of sparse pathways are lists;
//   - one trace per neuron, as all traces have the same time constant here (checked);
//   - each input draws the step of its next spike and waits in the bucket of that step.
//
// Build: g++ -O3 -march=native -ffast-math -DN_INPUT=225 -DN_EXC=200 -DN_INH=50 hand_written.cpp
// Usage: hand_written PARAMETERS, a file of lines "name value", SI units, with N_INPUT lines "rate HZ".
// Prints one line of JSON: seconds in the time loop, spikes of each population, summed plastic weight onto E.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

constexpr int padded(int n) { return (n + 15) / 16 * 16; }
constexpr int LANES = 16, BUCKETS = 8192;  // BUCKETS: a power of two

std::map<std::string, double> parameter;
std::vector<double> rates;

float value(const std::string& name) {
  const auto found = parameter.find(name);
  if (found == parameter.end()) std::fprintf(stderr, "%s is missing\n", name.c_str()), std::exit(2);
  return (float)found->second;
}

// xorshift128+ in LANES streams; a normal number is the sum of four 16-bit uniforms, as in the engine.
struct Random {
  alignas(64) uint64_t a[LANES], b[LANES];
  explicit Random(uint64_t seed) {
    for (uint64_t* state : {a, b})
      for (int lane = 0; lane < LANES; lane++) {
        seed += 0x9e3779b97f4a7c15ULL;
        uint64_t z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        state[lane] = z ^ (z >> 31);
      }
  }
  uint64_t advance(int lane) {
    uint64_t s1 = a[lane];
    const uint64_t s0 = b[lane], sum = s0 + s1;
    a[lane] = s0;
    s1 ^= s1 << 23;
    b[lane] = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
    return sum;
  }
  double uniform() { return ((double)(advance(0) >> 12) + 0.5) / 4503599627370496.0; }
  void normals(float* out, int n) {
    for (int k = 0; k < n; k += LANES)
#pragma GCC ivdep
      for (int lane = 0; lane < LANES; lane++) {
        const uint64_t r = advance(lane);
        const int32_t total = (int32_t)(r & 0xffff) + (int32_t)((r >> 16) & 0xffff) +
                              (int32_t)((r >> 32) & 0xffff) + (int32_t)(r >> 48);
        out[k + lane] = (float)(total - 131070) * (1.7320508f / 65536.f);
      }
  }
};

struct Constants {  // of a population, per step
  float rest, reset, threshold, floor, keep_v, keep_g_e, keep_g_i, noise, hold;
  Constants(const std::string& name, float dt)
      : rest(value(name + ".e_leak")),
        reset(value(name + ".v_reset")),
        threshold(value(name + ".v_threshold")),
        floor(value(name + ".v_floor")),
        keep_v(std::exp(-dt / value(name + ".tau_m"))),
        keep_g_e(std::exp(-dt / value(name + ".tau_g_exc"))),
        keep_g_i(std::exp(-dt / value(name + ".tau_g_inh"))),
        noise(value("noise.sigma") * std::sqrt(dt / 1e-3f)),
        hold(std::round(value(name + ".refractory") / dt)) {}
};

template <int N> struct Population {
  static constexpr int P = padded(N);
  alignas(64) float v[P] = {}, g_e[P] = {}, g_i[P] = {}, trace[P] = {}, hold[P] = {}, normal[P] = {};
  int32_t above[P] = {}, fired[P] = {};
  int n_fired = 0;

  // Exponential Euler and the threshold; a refractory neuron rests at its reset potential.
  void integrate(const Constants& c, float keep_trace, Random& random) {
    random.normals(normal, P);
    for (int j = 0; j < P; j++) {
      const float target = c.rest + g_e[j] - g_i[j];
      const float moved = std::max(target + (v[j] - target) * c.keep_v + c.noise * normal[j], c.floor);
      const bool ready = hold[j] <= 0;
      v[j] = ready ? moved : c.reset;
      hold[j] -= ready ? 0.f : 1.f;
      g_e[j] *= c.keep_g_e;
      g_i[j] *= c.keep_g_i;
      trace[j] *= keep_trace;
      above[j] = v[j] > c.threshold;
    }
    n_fired = 0;
    for (int block = 0; block < P; block += 16) {  // most blocks are silent
      int any = 0;
      for (int j = block; j < block + 16; j++) any |= above[j];
      if (any)
        for (int j = block; j < std::min(block + 16, N); j++)
          if (above[j]) fired[n_fired++] = j;
    }
  }
  void reset(const Constants& c) {
    for (int k = 0; k < n_fired; k++) {
      v[fired[k]] = c.reset;
      hold[fired[k]] = c.hold;
      trace[fired[k]] += 1;
    }
  }
};

template <int FROM, int TO> struct Pathway {
  static constexpr int P = padded(TO);
  alignas(64) float w[FROM][P] = {}, upper[FROM][P] = {};
  std::vector<int> sources_of[TO];
  float gain, eta;

  // A fixed in-degree from distinct sources, weights uniform in w_initial (1 +- w_spread).
  Pathway(const std::string& name, bool autapses, Random& random)
      : gain(value(name + ".gain")), eta(value(name + ".eta")) {
    const float initial = value(name + ".w_initial"), spread = value(name + ".w_spread");
    const float w_max = value(name + ".w_max"), in_degree = value(name + ".in_degree");
    for (int j = 0; j < TO; j++)
      while (sources_of[j].size() < in_degree) {
        const int i = (int)(random.uniform() * FROM);
        if (upper[i][j] > 0 || (i == j && !autapses)) continue;
        upper[i][j] = w_max;
        w[i][j] = initial * (1 + spread * (float)(2 * random.uniform() - 1));
        sources_of[j].push_back(i);
      }
  }
  // A presynaptic spike: the row reaches g, then changes by slope * trace + offset, clamped.
  void transmit(int i, float* __restrict g, const float* __restrict trace, float slope, float offset) {
    for (int j = 0; j < P; j++) {
      g[j] += gain * w[i][j];
      w[i][j] = std::min(std::max(w[i][j] + slope * trace[j] + offset, 0.f), upper[i][j]);
    }
  }
  void transmit(int i, float* __restrict g) const {
    for (int j = 0; j < P; j++) g[j] += gain * w[i][j];
  }
  // A postsynaptic spike: the column grows with the presynaptic traces.
  void potentiate(int j, const float* __restrict trace, float slope) {
    if ((int)sources_of[j].size() == FROM)
      for (int i = 0; i < FROM; i++) w[i][j] = std::min(w[i][j] + slope * trace[i], upper[i][j]);
    else
      for (const int i : sources_of[j]) w[i][j] = std::min(w[i][j] + slope * trace[i], upper[i][j]);
  }
  float total() const {
    float sum = 0;
    for (int i = 0; i < FROM; i++)
      for (int j = 0; j < P; j++) sum += w[i][j];
    return sum;
  }
};

struct Net {
  Random random{(uint64_t)value("seed")};
  Population<N_EXC> exc;
  Population<N_INH> inh;
  alignas(64) float input_trace[padded(N_INPUT)] = {};
  Pathway<N_INPUT, N_EXC> input_exc{"input_exc", true, random};
  Pathway<N_EXC, N_EXC> exc_exc{"exc_exc", false, random};
  Pathway<N_EXC, N_INH> exc_inh{"exc_inh", true, random};
  Pathway<N_INH, N_EXC> inh_exc{"inh_exc", true, random};
};

int main(int argc, char** argv) {
  std::ifstream file(argc == 2 ? argv[1] : "");
  std::string name;
  for (double number; file >> name >> number;)
    if (name == "rate") rates.push_back(number);
    else parameter[name] = number;
  const float dt = value("dt"), tau = value("stdp.tau_plus");
  if (tau != value("stdp.tau_minus") || tau != value("istdp.tau") || (int)rates.size() != N_INPUT) return 2;
  const int64_t n_steps = std::llround(value("seconds") / dt), second = std::llround(1 / dt);
  const float up = value("stdp.a_plus"), down = -value("stdp.a_minus"), keep_trace = std::exp(-dt / tau);
  const float alpha = 2 * value("istdp.rho_target") * value("istdp.tau");
  const Constants e("exc", dt), i_("inh", dt);
  Net& net = *new Net;
  std::fill(net.exc.v, net.exc.v + net.exc.P, e.rest);
  std::fill(net.inh.v, net.inh.v + net.inh.P, i_.rest);

  std::vector<std::vector<int>> bucket(BUCKETS);
  std::vector<int64_t> next_spike(N_INPUT);
  const auto schedule = [&](int i, int64_t step) {  // geometric waiting time; a silent input waits for ever
    const double wait = std::log(net.random.uniform()) / std::log1p(-std::min(rates[i] * dt, 0.999999));
    next_spike[i] = step + 1 + (int64_t)std::min(wait, 1e9);
    bucket[next_spike[i] % BUCKETS].push_back(i);
  };
  for (int i = 0; i < N_INPUT; i++) schedule(i, -1);

  std::vector<int> input_fired, waiting;
  std::vector<std::pair<int32_t, int32_t>> spikes_exc, spikes_inh;  // (unit, step)
  int64_t n_input = 0;
  float weight = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int64_t step = 0; step < n_steps; step++) {
    for (float& trace : net.input_trace) trace *= keep_trace;
    net.exc.integrate(e, keep_trace, net.random);
    net.inh.integrate(i_, keep_trace, net.random);
    input_fired.clear();
    waiting.swap(bucket[step % BUCKETS]);
    for (const int i : waiting)
      if (next_spike[i] == step) input_fired.push_back(i), schedule(i, step);
      else bucket[step % BUCKETS].push_back(i);  // a later turn of the wheel
    waiting.clear();

    for (const int i : input_fired)
      net.input_exc.transmit(i, net.exc.g_e, net.exc.trace, net.input_exc.eta * down, 0);
    for (int k = 0; k < net.exc.n_fired; k++) {
      const int j = net.exc.fired[k];
      net.input_exc.potentiate(j, net.input_trace, net.input_exc.eta * up);
      net.exc_exc.transmit(j, net.exc.g_e, net.exc.trace, net.exc_exc.eta * down, 0);
      net.exc_exc.potentiate(j, net.exc.trace, net.exc_exc.eta * up);
      net.exc_inh.transmit(j, net.inh.g_e);
      net.inh_exc.potentiate(j, net.inh.trace, net.inh_exc.eta);
    }
    for (int k = 0; k < net.inh.n_fired; k++)
      net.inh_exc.transmit(net.inh.fired[k], net.exc.g_i, net.exc.trace, net.inh_exc.eta,
                           -net.inh_exc.eta * alpha);

    for (const int i : input_fired) net.input_trace[i] += 1;
    for (int k = 0; k < net.exc.n_fired; k++) spikes_exc.push_back({net.exc.fired[k], (int32_t)step});
    for (int k = 0; k < net.inh.n_fired; k++) spikes_inh.push_back({net.inh.fired[k], (int32_t)step});
    n_input += input_fired.size();
    net.exc.reset(e);
    net.inh.reset(i_);
    if (step % second == 0) weight = net.input_exc.total() + net.exc_exc.total();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("{\"seconds\": %.6f, \"input\": %lld, \"exc\": %zu, \"inh\": %zu, \"weight\": %.3f}\n", seconds,
              (long long)n_input, spikes_exc.size(), spikes_inh.size(), weight);
}
