// Replaces Brian2's Network::run: no system call per step, and the first step and the largest number of steps come
// from outside, so that one program runs segments of any length; a segment ends early with the step in which a
// replica's wake steps reach their limit. Clocks slower than the base clock tick on its multiples, counted from
// step 0 of the whole run, not of the segment.
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include "brian_network.h"
#include "objects.h"
#include "subnormals.h"

namespace homeonet {
int64_t first_step = 0, n_steps = 0;

bool at_last_wake_step() {
  for (int r = 0; r < brian::_num__array_controller_wake_step; r++)
    if (brian::_array_controller_wake_step[r] >= brian::_array_controller_last_wake_step[r]) return true;
  return false;
}
}  // namespace homeonet

void Network::run(const double, void (*)(const double, const double, const double, const double),
                  const double) {
  using homeonet::regular;
  homeonet::flush_subnormals();
  struct Slow { Clock* clock; int64_t every; bool due; };
  Clock* base = regular(objects[0].first);
  for (auto& object : objects)
    if (regular(object.first)->dt[0] < base->dt[0]) base = regular(object.first);
  std::vector<Slow> slow;
  std::vector<std::pair<int, codeobj_func>> calls;  // index of the slow clock or -1, function
  for (auto& object : objects) {
    int which = -1;
    Clock* const clock = regular(object.first);
    if (clock != base) {
      for (size_t k = 0; k < slow.size(); k++)
        if (slow[k].clock == clock) which = (int)k;
      if (which < 0) {
        which = (int)slow.size();
        slow.push_back({clock, (int64_t)(clock->dt[0] / base->dt[0] + 0.5), false});
      }
    }
    if (object.second) calls.push_back(std::make_pair(which, object.second));
  }
  const auto start = std::chrono::steady_clock::now();
  int64_t step = homeonet::first_step;
  bool last = homeonet::n_steps <= 0;
  for (const int64_t end = step + homeonet::n_steps; !last; step++) {
    base->timestep[0] = step;
    base->t[0] = step * base->dt[0];
    for (auto& s : slow) {
      s.due = step % s.every == 0;
      if (s.due) {
        s.clock->timestep[0] = step / s.every;
        s.clock->t[0] = s.clock->timestep[0] * s.clock->dt[0];
      }
    }
    for (auto& call : calls)
      if (call.first < 0 || slow[call.first].due) call.second();
    last = step + 1 == end || homeonet::at_last_wake_step();
  }
  homeonet::n_steps = step - homeonet::first_step;
  t = step * base->dt[0];
  _last_run_time = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  _last_run_completed_fraction = 1;
}
