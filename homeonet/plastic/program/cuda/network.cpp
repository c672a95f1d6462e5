// Replaces Brian2's Network::run on a GPU. Launches run as many steps as no replica can reach its last wake step
// in, at most one wake step per step, and as many as memory holds all spikes of; after each one the host takes
// the spikes. Steps, clocks and the end of a segment are those of cpp/network.cpp.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "brian_network.h"
#include "device.h"
#include "objects.h"
#include "on_device.h"
#include "subnormals.h"

namespace homeonet {
int64_t first_step = 0, n_steps = 0;

#ifdef __CUDACC__
__global__ void __launch_bounds__(THREADS) run_steps(int64_t first, int64_t n, double dt) {
  Step step{first, first, 0, (int)blockIdx.x, (int)gridDim.x, (int)threadIdx.x, (int)blockDim.x, false};
  for (; step.number < first + n; step.number++) {
    step.time = step.number * dt;
    all_phases(step);
  }
}
void launch(int64_t first, int64_t n, double dt) {
  run_steps<<<REPLICAS, THREADS>>>(first, n, dt);
  check(cudaGetLastError(), "start the network");
  check(cudaDeviceSynchronize(), "run the network");
}
#else
int setting(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}
void launch(int64_t first, int64_t n, double dt) {
  const int threads = setting("HOMEONET_EMULATED_THREADS", 1);
  for (int replica = 0; replica < REPLICAS; replica++) {
    Step step{first, first, 0, replica, REPLICAS, 0, std::abs(threads), threads < 0};
    for (; step.number < first + n; step.number++) {
      step.time = step.number * dt;
      all_phases(step);
    }
  }
}
#endif

// The synapses of a pathway, target after target, in their order.
struct Rows { std::vector<int32_t> begin, synapse, source; };

Rows rows_of(const std::vector<int>& sources, const std::vector<int>& targets, int n_targets) {
  Rows rows{std::vector<int32_t>(n_targets + 1), std::vector<int32_t>(targets.size()),
            std::vector<int32_t>(targets.size())};
  for (int target : targets) rows.begin[target + 1]++;
  for (int k = 0; k < n_targets; k++) rows.begin[k + 1] += rows.begin[k];
  std::vector<int32_t> next(rows.begin.begin(), rows.begin.end() - 1);
  for (size_t k = 0; k < targets.size(); k++) {
    const int place = next[targets[k]]++;
    rows.synapse[place] = (int32_t)k;
    rows.source[place] = sources[k];
  }
  return rows;
}

// Appends a launch's spikes to a monitor, by step and then by neuron.
void collect(const SpikeLog& log, int64_t first, int64_t n, double dt, std::vector<int32_t>& neurons,
             std::vector<double>& times) {
  std::vector<int32_t> count(REPLICAS);
  to_host(count.data(), log.count, REPLICAS);
  const size_t width = (size_t)*std::max_element(count.begin(), count.end());
  if (!width) return;
  std::vector<Spike> rows(width * REPLICAS);
  rows_to_host(rows.data(), log.spikes, width, (size_t)log.room, REPLICAS);
  std::vector<int64_t> begin(n + 1);
  for (int r = 0; r < REPLICAS; r++)
    for (int32_t k = 0; k < count[r]; k++) begin[rows[r * width + k].step + 1]++;
  for (int64_t k = 0; k < n; k++) begin[k + 1] += begin[k];
  std::vector<int64_t> next(begin.begin(), begin.end() - 1);
  const size_t before = neurons.size();
  neurons.resize(before + begin[n]);
  times.resize(before + begin[n]);
  for (int r = 0; r < REPLICAS; r++)
    for (int32_t k = 0; k < count[r]; k++) {
      const Spike& spike = rows[r * width + k];
      const size_t place = before + next[spike.step]++;
      neurons[place] = spike.neuron;
      times[place] = (first + spike.step) * dt;
    }
  for (int64_t k = 0; k < n; k++)
    std::sort(neurons.begin() + before + begin[k], neurons.begin() + before + begin[k + 1]);
  clear(log.count, REPLICAS);
}

int64_t every(double dt, double base) { return (int64_t)(dt / base + 0.5); }

// Number of samples that a clock ticking every `every` steps takes before `step`.
int64_t samples_before(int64_t step, int64_t every) { return (step + every - 1) / every; }

SampleLog sample_log(int64_t every) {
  const int64_t first = samples_before(first_step, every);
  return {reserve<double>((samples_before(first_step + n_steps, every) - first) * REPLICAS), every, first};
}

template <typename Array2D>
void collect(const SampleLog& log, double dt, std::vector<double>& times, Array2D& values) {
  const int64_t n = samples_before(first_step + n_steps, log.every) - log.first;
  std::vector<double> flat(n * REPLICAS);
  to_host(flat.data(), log.values, flat.size());
  values.resize(n, REPLICAS);
  times.resize(n);
  for (int64_t k = 0; k < n; k++) {
    times[k] = (log.first + k) * log.every * dt;
    for (int r = 0; r < REPLICAS; r++) values((int)k, r) = flat[k * REPLICAS + r];
  }
}

// Steps that can pass before a replica is at its last wake step; 0 if one is.
int64_t steps_to_last_wake_step(const double* on_device_wake_step) {
  std::vector<double> wake(REPLICAS);
  to_host(wake.data(), on_device_wake_step, REPLICAS);
  double fewest = brian::_array_controller_last_wake_step[0] - wake[0];
  for (int r = 1; r < REPLICAS; r++)
    fewest = std::min(fewest, brian::_array_controller_last_wake_step[r] - wake[r]);
  return (int64_t)std::max(fewest, 0.0);
}
}  // namespace homeonet

void Network::run(const double, void (*)(const double, const double, const double, const double),
                  const double) {
  using namespace homeonet;
  flush_subnormals();  // of the emulation; a GPU computes with them at full speed
  const double dt = brian::defaultclock.dt[0];
  const auto start = std::chrono::steady_clock::now();
  on_host::upload(dt);
  const int64_t end = first_step + n_steps;
  int64_t step = first_step;
  while (step < end) {
    // the end is checked after a step: at least one runs, as on the CPU
    const int64_t safe = std::max<int64_t>(1, steps_to_last_wake_step(on_host::wake_step));
    const int64_t n = std::min({end - step, safe, LONGEST_LAUNCH});
    launch(step, n, dt);
    on_host::collect_spikes(step, n, dt);
    step += n;
    if (steps_to_last_wake_step(on_host::wake_step) == 0) break;
  }
  n_steps = step - first_step;
  on_host::download(dt);
  t = step * dt;
  _last_run_time = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  _last_run_completed_fraction = 1;
}
