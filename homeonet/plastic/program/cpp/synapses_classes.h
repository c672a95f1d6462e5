// Replaces Brian2's SynapticPathway by one without delays: spikes of this step reach their synapses in this
// step, so that nothing is in flight between segments. Events are kept as rows of synapses, not copied out.
#ifndef _BRIAN_SYNAPSES_H
#define _BRIAN_SYNAPSES_H
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>
using namespace std;  // Brian2's generated files rely on it

class SynapticPathway {
 public:
  std::vector<int>& sources;
  const char* queue[1] = {""};  // Brian2 2.10 and later would store what is in flight; nothing is

  SynapticPathway(std::vector<int>& synapse_sources, int start, int stop)
      : sources(synapse_sources), first(start), n_neurons(stop - start) {}

  template <typename scalar>
  void prepare(int, int, scalar*, int, int32_t* source_of, int n_synapses, double) {
    begin.assign(n_neurons + 1, 0);
    by_neuron.resize(n_synapses);
    for (int k = 0; k < n_synapses; k++) begin[source_of[k] - first + 1]++;
    for (int c = 0; c < n_neurons; c++) begin[c + 1] += begin[c];
    std::vector<int32_t> next(begin.begin(), begin.end() - 1);
    for (int k = 0; k < n_synapses; k++) by_neuron[next[source_of[k] - first]++] = k;
  }

  void advance() { active.clear(); }

  void push(int32_t* spikes, int n_spikes) {
    for (int k = 0; k < n_spikes; k++) {
      const int c = spikes[k] - first;
      if (c >= 0 && c < n_neurons && begin[c + 1] > begin[c])
        active.push_back(std::make_pair(by_neuron.data() + begin[c], begin[c + 1] - begin[c]));
    }
  }

  // The synapses of each neuron with an event in this step: where they begin, and how many there are.
  const std::vector<std::pair<const int32_t*, int>>& rows() const { return active; }

 private:
  int first, n_neurons;
  std::vector<int32_t> begin, by_neuron;
  std::vector<std::pair<const int32_t*, int>> active;
};
#endif
