// What every run loop of this package has of Brian2's Network beside `run`: it takes objects, and has no clocks to
// sort. The definitions are for one translation unit.
#pragma once
#include <utility>
#include <vector>

#include "network.h"

double Network::_last_run_time = 0.0;
double Network::_last_run_completed_fraction = 0.0;
bool Network::_globally_stopped = false;
bool Network::_globally_running = false;

namespace homeonet {
using AnyClock = decltype(Network::objects)::value_type::first_type;  // Clock*; BaseClock* since Brian2 2.10
inline Clock* regular(AnyClock clock) { return static_cast<Clock*>(clock); }  // no network here has another kind
}  // namespace homeonet

Network::Network() : t(0.0) {}
void Network::clear() { objects.clear(); }
void Network::add(homeonet::AnyClock clock, codeobj_func func) { objects.push_back(std::make_pair(clock, func)); }
void Network::compute_clocks() {}
homeonet::AnyClock Network::next_clocks() { return nullptr; }
