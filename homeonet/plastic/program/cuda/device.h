// What a phase of a step sees, and the few calls to CUDA that the program makes.
//
// One block per replica: a block runs all phases of all steps of its replica by itself, with a barrier after each
// phase, so that a step costs no launch and replicas never wait for each other. Within a phase no thread writes
// what another one reads, and every sum has one order: the result does not depend on the number of threads.
//
// Without nvcc the same program is plain C++ that goes through blocks and threads one after the other, forwards
// or backwards: slow, and a check of all of the above on any machine.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <vector>

#include "exchange.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>
#define HOMEONET_DEVICE __device__
#define HOMEONET_CONSTANT __constant__
#define HOMEONET_PHASE __device__ __noinline__ static void
#define HOMEONET_RUN_PHASE(phase, step) phase(step); __syncthreads();
#define HOMEONET_ATOMIC_INCREMENT(counter) atomicAdd(counter, 1)
#else
#define HOMEONET_DEVICE
#define HOMEONET_CONSTANT
#define HOMEONET_PHASE static void
#define HOMEONET_RUN_PHASE(phase, step)                            \
  for (int turn = 0; turn < step.n_threads; turn++) {              \
    homeonet::Step one = step;                                     \
    one.thread = step.backwards ? step.n_threads - 1 - turn : turn; \
    phase(one);                                                    \
  }
#define HOMEONET_ATOMIC_INCREMENT(counter) ((*(counter))++)
#endif

namespace homeonet {

// Where in the run a thread is.
struct Step {
  int64_t number, first;  // of the run, and the first of this launch
  double time;
  int replica, n_replicas, thread, n_threads;
  bool backwards;  // without a GPU only
};

struct Range { int begin, end; };

// A replica's part of an array of `size` elements.
HOMEONET_DEVICE inline Range part_of(int64_t size, const Step& step) {
  const int each = (int)(size / step.n_replicas);
  return {step.replica * each, (step.replica + 1) * each};
}

template <typename T> HOMEONET_DEVICE inline int to_int(T value) { return (int)value; }

// A vector of the host, as generated code uses it.
template <typename T> struct View {
  T* values;
  int64_t n;
  HOMEONET_DEVICE bool empty() const { return n == 0; }
  HOMEONET_DEVICE size_t size() const { return (size_t)n; }
  HOMEONET_DEVICE T& operator[](int64_t k) const { return values[k]; }
};

struct Spike { int32_t step, neuron; };  // the step within the launch

// Spikes of one launch: room for every neuron in every step.
struct SpikeLog {
  Spike* spikes;
  int32_t* count;  // a replica
  int64_t room;    // a replica
  HOMEONET_DEVICE void add(const Step& step, int neuron) const {
    const int place = HOMEONET_ATOMIC_INCREMENT(&count[step.replica]);
    spikes[step.replica * room + place] = {(int32_t)(step.number - step.first), neuron};
  }
};

// Samples of one segment, one row per sample.
struct SampleLog {
  double* values;
  int64_t every, first;  // steps per sample; number of the first sample
  HOMEONET_DEVICE void add(const Step& step, double value) const {
    values[(step.number / every - first) * step.n_replicas + step.replica] = value;
  }
};

#ifdef __CUDACC__
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  if (status == cudaErrorMemoryAllocation) fail("out of GPU memory");
  std::fprintf(stderr, "homeonet: the GPU failed to %s: %s\n", what, cudaGetErrorString(status));
  std::exit(4);
}
template <typename T> T* reserve(size_t n) {
  void* place = nullptr;
  check(cudaMalloc(&place, (n ? n : 1) * sizeof(T)), "reserve memory");
  return (T*)place;
}
template <typename T> void to_device(T* device, const T* host, size_t n) {
  check(cudaMemcpy(device, host, n * sizeof(T), cudaMemcpyHostToDevice), "take data");
}
template <typename T> void to_host(T* host, const T* device, size_t n) {
  check(cudaMemcpy(host, device, n * sizeof(T), cudaMemcpyDeviceToHost), "return data");
}
template <typename T> void clear(T* device, size_t n) {
  check(cudaMemset(device, 0, n * sizeof(T)), "clear memory");
}
// The first `width` of each of `rows` rows of `room` elements.
template <typename T> void rows_to_host(T* host, const T* device, size_t width, size_t room, size_t rows) {
  check(cudaMemcpy2D(host, width * sizeof(T), device, room * sizeof(T), width * sizeof(T), rows,
                     cudaMemcpyDeviceToHost), "return data");
}
#define HOMEONET_SET(symbol, value) \
  homeonet::check(cudaMemcpyToSymbol(symbol, &(value), sizeof(symbol)), "take a pointer")
#else
template <typename T> T* reserve(size_t n) { return (T*)std::calloc(n ? n : 1, sizeof(T)); }
template <typename T> void to_device(T* device, const T* host, size_t n) {
  std::memcpy(device, host, n * sizeof(T));
}
template <typename T> void to_host(T* host, const T* device, size_t n) {
  std::memcpy(host, device, n * sizeof(T));
}
template <typename T> void clear(T* device, size_t n) { std::memset((void*)device, 0, n * sizeof(T)); }
template <typename T> void rows_to_host(T* host, const T* device, size_t width, size_t room, size_t rows) {
  for (size_t r = 0; r < rows; r++) std::memcpy(host + r * width, device + r * room, width * sizeof(T));
}
#define HOMEONET_SET(symbol, value) (symbol) = (value)
#endif

// A copy of a host array on the device, where its numbers may be shorter.
template <typename T, typename S> T* copy_of(const S* host, size_t n) {
  T* device = reserve<T>(n);
  if constexpr (std::is_same_v<T, S>) {
    to_device(device, host, n);
  } else {
    const std::vector<T> shorter(host, host + n);
    to_device(device, shorter.data(), n);
  }
  return device;
}
template <typename T, typename S> void to_host(T* host, const S* device, size_t n) {
  std::vector<S> shorter(n);
  to_host(shorter.data(), device, n);
  std::copy(shorter.begin(), shorter.end(), host);
}
}  // namespace homeonet
