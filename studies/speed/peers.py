"""The other simulators of the speed benchmark, each in its own process: textbook Brian2, NEST, BindsNET.

``plastic.py`` starts ``python peers.py NAME`` with an interpreter that has the simulator and
talks to it in lines of JSON: the network's parameters (SI units) go in and ``{"prepared": seconds}`` comes back;
then every empty line runs ``seconds`` of simulated time and gives its wall time, without building or compiling,
and the spikes of each population. Without the simulator the answer is ``{"missing": module}``, and any other
trouble is ``{"failed": message}``.

The networks are as near to the benchmark's as each simulator gets with what it brings: connections are drawn
anew, and BindsNET has no synaptic currents, no membrane noise and no inhibitory plasticity. One thread each.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

#: A prepared network: runs `seconds` of simulated time, returns the wall time and each population's spikes.
Run = Callable[[], tuple[float, dict[str, int]]]


def brian2_textbook(p: dict, standalone: bool) -> Run:
    """`xi` noise, PoissonGroup, event-driven traces, `(unless refractory)`; Cython or C++ standalone."""
    import brian2 as b2

    b2.prefs.logging.console_log_level = "ERROR"
    if standalone:
        b2.set_device("cpp_standalone", directory=tempfile.mkdtemp(prefix="textbook-"), build_on_run=False)
    else:
        b2.prefs.codegen.target = "cython"
    b2.defaultclock.dt = p["dt"] * b2.second
    volt, second, hertz = b2.volt, b2.second, b2.hertz

    def population(name: str):
        c = p[name]
        equations = """
        dv/dt = (E_leak + g_e - g_i - v)/tau_m + sigma*ms**-0.5*xi : volt (unless refractory)
        dg_e/dt = -g_e/tau_g_exc : volt
        dg_i/dt = -g_i/tau_g_inh : volt
        """
        constants = {
            "E_leak": c["e_leak"] * volt,
            "v_reset": c["v_reset"] * volt,
            "v_threshold": c["v_threshold"] * volt,
            "sigma": p["noise"]["sigma"] * volt,
            **{tau: c[tau] * second for tau in ("tau_m", "tau_g_exc", "tau_g_inh")},
        }
        group = b2.NeuronGroup(
            c["n"],
            equations,
            threshold="v > v_threshold",
            reset="v = v_reset",
            refractory=c["refractory"] * second,
            method="euler",
            namespace=constants,
            name=name,
        )
        group.v = c["e_leak"] * volt
        return group

    groups = {
        "input": b2.PoissonGroup(len(p["rates"]), p["rates"] * hertz, name="input"),
        "exc": population("exc"),
        "inh": population("inh"),
    }
    model = """
    w : 1
    dapre/dt = -apre/taupre : 1 (event-driven)
    dapost/dt = -apost/taupost : 1 (event-driven)
    """
    rules = {  # changes of w at a presynaptic and at a postsynaptic spike
        "stdp": ("- eta*a_minus*apost", "+ eta*a_plus*apre"),
        "istdp": ("+ eta*(apost - alpha)", "+ eta*apre"),
    }

    def synapses(pathway: str, source: str, target: str):
        c = p[pathway]
        of_stdp, of_istdp = (p["stdp"]["tau_plus"], p["stdp"]["tau_minus"]), (p["istdp"]["tau"],) * 2
        tau_pre, tau_post = of_stdp if c["rule"] == "stdp" else of_istdp
        constants = {
            **{name: c[name] for name in ("eta", "w_max")},
            "a_plus": p["stdp"]["a_plus"],
            "a_minus": p["stdp"]["a_minus"],
            "alpha": 2 * p["istdp"]["rho_target"] * p["istdp"]["tau"],
            "gain": c["gain"] * volt,
            "taupre": tau_pre * second,
            "taupost": tau_post * second,
        }
        transmit = f"{'g_i' if source == 'inh' else 'g_e'}_post += w*gain\n"
        plastic = c["rule"] in rules
        pre, post = rules.get(c["rule"], ("", ""))
        made = b2.Synapses(
            groups[source],
            groups[target],
            model if plastic else "w : 1",
            on_pre=transmit + (f"apre += 1\nw = clip(w {pre}, 0, w_max)" if plastic else ""),
            on_post=f"apost += 1\nw = clip(w {post}, 0, w_max)" if plastic else None,
            namespace=constants,
            name=pathway,
        )
        made.connect(condition="i != j" if source == target else None, p=c["density"])
        made.w = f"{c['w_initial']}*(1 + {c['w_spread']}*(2*rand() - 1))"
        return made

    parts = [synapses(*pathway) for pathway in p["pathways"]]
    monitors = {name: b2.SpikeMonitor(group, record=name != "input") for name, group in groups.items()}
    network = b2.Network(*groups.values(), *parts, *monitors.values())
    duration = p["seconds"] * second

    def totals() -> dict[str, int]:
        return {name: int(np.sum(monitor.count[:])) for name, monitor in monitors.items()}

    def run_standalone() -> tuple[float, dict[str, int]]:
        b2.get_device().run(with_output=False)  # from the start
        return b2.get_device()._last_run_time, totals()

    def run_on() -> tuple[float, dict[str, int]]:
        before, spent = totals(), []
        # the report is told the time in the loop, without code generation
        network.run(duration, report=lambda elapsed, *_: spent.append(float(elapsed)), report_period=duration)
        return spent[-1], {name: total - before[name] for name, total in totals().items()}

    if standalone:
        network.run(duration)
        b2.get_device().build(run=False, with_output=False)
        return run_standalone
    network.run(2 * b2.defaultclock.dt)
    return run_on


def nest(p: dict) -> Run:
    """iaf_psc_exp with stdp_synapse and vogels_sprekeler_synapse; C_m is tau_m, so that pA are mV."""
    import nest

    nest.set_verbosity("M_ERROR")
    dt = p["dt"] * 1e3
    nest.set(resolution=dt, local_num_threads=1, rng_seed=7)
    generators = nest.Create("poisson_generator", len(p["rates"]), {"rate": p["rates"]})
    groups = {"input": nest.Create("parrot_neuron", len(p["rates"]))}
    nest.Connect(generators, groups["input"], "one_to_one", {"delay": dt})
    for name in ("exc", "inh"):
        c = {key: value * 1e3 if isinstance(value, float) else value for key, value in p[name].items()}
        settings = {"C_m": c["tau_m"], "tau_m": c["tau_m"], "E_L": c["e_leak"], "V_m": c["e_leak"]}
        settings |= {"V_th": c["v_threshold"], "V_reset": c["v_reset"], "t_ref": c["refractory"]}
        settings |= {"tau_syn_ex": c["tau_g_exc"], "tau_syn_in": c["tau_g_inh"]}
        groups[name] = nest.Create(
            "iaf_psc_exp", c["n"], settings | {"tau_minus": p["stdp"]["tau_minus"] * 1e3}
        )
        std = p["noise"]["sigma"] * 1e3 * c["tau_m"] / np.sqrt(dt)
        nest.Connect(nest.Create("noise_generator", 1, {"std": std, "dt": dt}), groups[name])
    for pathway, source, target in p["pathways"]:
        c = p[pathway]
        unit = c["gain"] * 1e3 * (-1 if source == "inh" else 1)
        low, high = (unit * c["w_initial"] * (1 + sign * c["w_spread"]) for sign in (-1, 1))
        model = {"synapse_model": "static_synapse"}
        if c["rule"] == "stdp":
            model = {
                "synapse_model": "stdp_synapse",
                "Wmax": unit * c["w_max"],
                "mu_plus": 0.0,
                "mu_minus": 0.0,
            }
            model |= {
                "tau_plus": p["stdp"]["tau_plus"] * 1e3,
                "lambda": c["eta"] * p["stdp"]["a_plus"] / c["w_max"],
            }
            model |= {"alpha": p["stdp"]["a_minus"] / p["stdp"]["a_plus"]}
        elif c["rule"] == "istdp":
            model = {"synapse_model": "vogels_sprekeler_synapse", "Wmax": unit * c["w_max"]}
            model |= {"eta": c["eta"] * abs(unit), "tau": p["istdp"]["tau"] * 1e3}
            model |= {"alpha": 2 * p["istdp"]["rho_target"] * p["istdp"]["tau"]}
        rule = {"rule": "fixed_indegree", "indegree": c["in_degree"]}
        rule |= {"allow_autapses": source != target, "allow_multapses": False}
        weight = nest.random.uniform(low, high) if high > low else high
        nest.Connect(groups[source], groups[target], rule, model | {"weight": weight, "delay": dt})
    recorders = {name: nest.Create("spike_recorder") for name in groups}
    for name, recorder in recorders.items():
        nest.Connect(groups[name], recorder)
    nest.Simulate(10 * dt)

    def run() -> tuple[float, dict[str, int]]:
        for recorder in recorders.values():
            recorder.n_events = 0
        start = time.perf_counter()
        nest.Simulate(p["seconds"] * 1e3)
        seconds = time.perf_counter() - start
        return seconds, {name: recorder.n_events for name, recorder in recorders.items()}

    return run


def bindsnet(p: dict) -> Run:
    """LIFNodes, whose input goes straight to the membrane, and PostPre; inhibition is static."""
    import torch
    from bindsnet.learning import PostPre
    from bindsnet.network import Network
    from bindsnet.network.monitors import Monitor
    from bindsnet.network.nodes import Input, LIFNodes
    from bindsnet.network.topology import Connection

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    dt, rates = p["dt"] * 1e3, torch.tensor(p["rates"])
    traces = {"traces": True, "traces_additive": True, "tc_trace": p["stdp"]["tau_plus"] * 1e3}
    groups = {"input": Input(len(rates), **traces)}
    for name in ("exc", "inh"):
        c = {key: value * 1e3 if isinstance(value, float) else value for key, value in p[name].items()}
        settings = {"thresh": c["v_threshold"], "rest": c["e_leak"], "reset": c["v_reset"]}
        settings |= {"refrac": c["refractory"], "tc_decay": c["tau_m"]}
        groups[name] = LIFNodes(c["n"], **settings, **traces)
    network = Network(dt=dt)
    for name, group in groups.items():
        network.add_layer(group, name)
    for pathway, source, target in p["pathways"]:
        c = p[pathway]
        # a synaptic current of peak g and decay tau_g brings the membrane g * tau_g / tau_m
        unit = c["gain"] * 1e3 * p[target]["tau_g_exc"] / p[target]["tau_m"]
        shape = (groups[source].n, groups[target].n)
        present = torch.rand(shape) < c["density"]
        w = unit * c["w_initial"] * (1 + c["w_spread"] * (2 * torch.rand(shape) - 1)) * present
        learning = {}
        if c["rule"] == "stdp":
            nu = tuple(unit * c["eta"] * p["stdp"][name] for name in ("a_minus", "a_plus"))
            learning = {"update_rule": PostPre, "nu": nu, "wmin": 0.0, "wmax": unit * c["w_max"]}
        sign = -1 if source == "inh" else 1
        network.add_connection(
            Connection(groups[source], groups[target], w=sign * w, **learning), source, target
        )
    steps = round(1 / p["dt"])
    monitors = {name: Monitor(groups[name], ["s"], time=steps) for name in ("exc", "inh")}
    for name, monitor in monitors.items():
        network.add_monitor(monitor, name)

    def run() -> tuple[float, dict[str, int]]:
        spikes = dict.fromkeys(groups, 0)
        start = time.perf_counter()
        for _ in range(max(1, round(p["seconds"]))):
            shown = (torch.rand(steps, 1, len(rates)) < rates * p["dt"]).byte()
            network.run({"input": shown}, time=1000)
            spikes["input"] += int(shown.sum())
            for name, monitor in monitors.items():
                spikes[name] += int(monitor.get("s").sum())
        return time.perf_counter() - start, spikes

    return run


PEERS: dict[str, Callable[[dict], Run]] = {
    "brian2-cython": lambda p: brian2_textbook(p, standalone=False),
    "brian2-standalone": lambda p: brian2_textbook(p, standalone=True),
    "nest": nest,
    "bindsnet": bindsnet,
}


def main() -> None:
    """Serve one peer over standard input and output; what simulators print goes to standard error."""
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)

    def answer(message: dict) -> None:
        print(json.dumps(message), file=answers, flush=True)

    start = time.perf_counter()
    try:
        run = PEERS[sys.argv[1]](json.loads(sys.stdin.readline()))
        answer({"prepared": time.perf_counter() - start})
        for _ in sys.stdin:
            seconds, spikes = run()
            answer({"seconds": seconds, "spikes": spikes})
    except ModuleNotFoundError as error:
        answer({"missing": error.name})
    except Exception as error:
        answer({"failed": f"{type(error).__name__}: {error}"})
        raise


if __name__ == "__main__":
    main()
