// Subnormal numbers cost Intel processors a hundred cycles an operation, and what decays in silence (traces, currents,
// weights) ends among them and stays. A program that runs a network treats them as zero; on a GPU they cost nothing.
// HOMEONET_SUBNORMALS=1 in the environment keeps them: for comparisons.
#pragma once
#include <cstdint>
#include <cstdlib>
#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#endif

namespace homeonet {
inline void flush_subnormals() {
  if (const char* keep = std::getenv("HOMEONET_SUBNORMALS"); keep && *keep == '1') return;
#if defined(__x86_64__) || defined(__i386__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  uint64_t mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  asm volatile("msr fpcr, %0" : : "r"(mode | (uint64_t{1} << 24)));
#endif
}
}  // namespace homeonet
