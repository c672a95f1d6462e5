// Turns flags into a list of the neurons that have it, eight at a time.
#pragma once
#include <cstdint>
#include <cstring>

namespace homeonet {
// `flags` has room for 8 more than `n`, all zero.
inline int32_t collect(const char* flags, int64_t n, int32_t* list) {
  int32_t count = 0;
  for (int64_t base = 0; base < n; base += 8) {
    uint64_t word;
    std::memcpy(&word, flags + base, 8);
    if (word)
      for (int64_t i = base; i < base + 8; i++)
        if (flags[i]) list[count++] = (int32_t)i;
  }
  return count;
}
}  // namespace homeonet
