// Hands arrays to the program and back: one input file, one output file, raw values in the manifest's order.
// Arguments: INPUT OUTPUT. Any shortfall ends the program with a message: nothing is ignored silently.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace homeonet {
extern int64_t first_step, n_steps;

inline void fail(const char* what) {
  std::fprintf(stderr, "homeonet: %s\n", what);
  std::exit(3);
}

inline FILE* open_file(int argc, char** argv, int which, const char* mode) {
  if (argc != 3) fail("usage: main INPUT OUTPUT");
  FILE* file = std::fopen(argv[which], mode);
  if (!file) fail("cannot open the input or output file");
  return file;
}

template <typename T> void read(FILE* file, T* values, size_t n) {
  if (std::fread(values, sizeof(T), n, file) != n) fail("the input file is too short");
}

inline void read_end(FILE* file) {
  if (std::fgetc(file) != EOF) fail("the input file is too long");
  std::fclose(file);
}

template <typename T> void write(FILE* file, const T* values, size_t n) {
  if (std::fwrite(values, sizeof(T), n, file) != n) fail("cannot write the output file (disk full?)");
}

template <typename T> void write_counted(FILE* file, const std::vector<T>& values) {
  const int64_t n = (int64_t)values.size();
  write(file, &n, 1);
  write(file, values.data(), values.size());
}

// A state monitor holds one row per sample; written row after row, as doubles.
template <typename Array2D> void write_rows(FILE* file, Array2D& values) {
  for (int row = 0; row < values.n; row++) write(file, &values(row, 0), (size_t)values.m);
}

inline void write_end(FILE* file, double seconds) {
  write(file, &n_steps, 1);
  write(file, &seconds, 1);
  if (std::fclose(file)) fail("cannot write the output file (disk full?)");
}
}  // namespace homeonet
