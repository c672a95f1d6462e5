// Counter-based random numbers; the same values as plastic/_random.py, bit for bit.
#pragma once
#include <cstdint>

#ifdef __CUDACC__
#define HOMEONET_FUNCTION __host__ __device__ static inline
#else
#define HOMEONET_FUNCTION static inline
#endif

HOMEONET_FUNCTION uint64_t homeonet_mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

HOMEONET_FUNCTION double draw_key(double stream, double step) {
  const uint64_t mixed = homeonet_mix((uint64_t)(int64_t)stream * 0x9e3779b97f4a7c15ULL);
  return (double)(int64_t)(homeonet_mix(mixed + (uint64_t)(int64_t)step * 0xd1342543de82ef95ULL) >> 12);
}

HOMEONET_FUNCTION uint64_t homeonet_bits(double key, int64_t index) {
  return homeonet_mix(((uint64_t)(int64_t)key << 12) + (uint64_t)(index + 1) * 0x9e3779b97f4a7c15ULL);
}

HOMEONET_FUNCTION double uniform_draw(double key, int64_t index) {
  return ((double)(int64_t)(homeonet_bits(key, index) >> 12) + 0.5) * (1.0 / 4503599627370496.0);
}

HOMEONET_FUNCTION double normal_draw(double active, double key, int64_t index) {
  if (active == 0) return 0;
  const uint64_t r = homeonet_bits(key, index);
  const int64_t total = (int64_t)(r & 0xffff) + (int64_t)((r >> 16) & 0xffff) +
                        (int64_t)((r >> 32) & 0xffff) + (int64_t)(r >> 48);
  return (double)(total - 131070) * (1.7320508075688772 / 65536.0);
}
