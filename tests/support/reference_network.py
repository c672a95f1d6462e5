"""The whole network once more, as slow and plain as possible: the oracle that the engine is held against.

Pure Python, one neuron and one synapse at a time, written from the published definitions and not from the engine's
equations; it shares with the engine only the configuration and the counter-based random numbers. Order within a
step: controller, AHSAR, membranes and traces, thresholds, presynaptic changes, postsynaptic changes, tally of the
weights, renormalisation, resets.
"""

from __future__ import annotations

import math

from homeonet.config import PATHWAYS, Config
from homeonet.plastic import draw_key, normal_draw, stream_id, uniform_draw

ALL_TO_ALL = "all"


class ReferenceAHSAR:
    """Rates, states and thresholds of both populations; spikes and steps are counted since the last update."""

    def __init__(self, config: Config) -> None:
        self.c, self.dt = config, config.simulation.dt
        self.layers = ["exc", "inh"]
        self.rate = [config.ahsar.target_rate] * 2
        self.state = [0.0] * 2
        self.spikes, self.steps = [0] * 2, 0
        self.course: list[tuple[list[float], list[float]]] = []  # at each sample of the engine

    def scale(self, layer: int) -> float:
        return 1 + self.c.ahsar.span * math.tanh(self.state[layer])

    def threshold(self, population: str) -> float:
        q = getattr(self.c, population)
        if not self.c.ahsar.enabled:
            return q.v_threshold
        return q.e_leak + self.scale(self.layers.index(population)) * (q.v_threshold - q.e_leak)

    def begin_step(self, t: int) -> None:
        if t % round(0.2 / self.dt) == 0:
            self.course.append((list(self.rate), list(self.state)))
        if t % round(0.1 / self.dt) == 0 and self.steps >= round(self.c.ahsar.window / self.dt):
            self._update()

    def _update(self) -> None:
        a, old = self.c.ahsar, list(self.state)
        for k, layer in enumerate(self.layers):
            rate = self.spikes[k] / getattr(self.c, layer).n / (self.steps * self.dt)
            self.rate[k] = a.momentum * self.rate[k] + (1 - a.momentum) * rate
            d = (self.rate[k] - a.target_rate) / a.target_rate
            left, right = old[max(k - 1, 0)], old[min(k + 1, 1)]
            diffused = a.diffusion * (left - 2 * old[k] + right)
            self.state[k] = (1 - a.relaxation) * old[k] + a.strength * math.tanh(d) + diffused
        self.spikes, self.steps = [0] * 2, 0

    def end_step(self, asleep: bool, fired: dict[str, list[int]]) -> None:
        if asleep and self.c.ahsar.during == "wake":
            return
        self.steps += 1
        for k, layer in enumerate(self.layers):
            self.spikes[k] += len(fired[layer])


class ReferenceNetwork:
    """State in plain lists; `step` advances it by one step of the configuration's dt."""

    def __init__(self, config: Config, connections, weights, images) -> None:
        self.c, self.dt = config, config.simulation.dt
        self.images = [[float(p) for p in image] for image in images]
        self.image_steps = round(config.input.presentation / self.dt)
        self.synapses = {
            name: [
                [int(i), int(j), float(w)] for i, j, w in zip(*connections[name], weights[name], strict=True)
            ]
            for name in PATHWAYS
        }
        self.n = {"input": len(self.images[0]), "exc": config.exc.n, "inh": config.inh.n}
        self.v = {p: [getattr(config, p).e_leak] * self.n[p] for p in ("exc", "inh")}
        self.g = {(p, s): [0.0] * self.n[p] for p in ("exc", "inh") for s in ("exc", "inh")}
        self.rise = {p: [0.0] * self.n[p] for p in ("exc", "inh")}
        self.hold = {p: [0] * self.n[p] for p in ("exc", "inh")}
        self.trace = {(p, k): [0.0] * self.n[p] for p in self.n for k in ("plus", "minus", "istdp")}
        self.next_spike = [math.inf] * self.n["input"]
        self.elapsed = {p: [math.inf] * n for p, n in self.n.items()}  # steps since the last spike
        self.acted: dict[
            tuple[str, int], tuple[int, float]
        ] = {}  # rule stdp_elapsed: step and change, by synapse
        self.t = self.wake = self.slept = self.awake_for = 0
        self.asleep = False
        self.total = self.tallied = self._sum()
        self.start = self.total
        self.spikes: list[tuple[int, str, int]] = []
        self.ahsar = ReferenceAHSAR(config)

    def _sum(self) -> float:
        return sum(w for name in ("input_exc", "exc_exc") for _, _, w in self.synapses[name])

    def _control(self) -> None:
        if self.t % round(0.1 / self.dt) == 0:
            seen = self.total  # this step still acts on what was known before
            self.total = self.tallied
        else:
            seen = self.total
        sleep = self.c.sleep
        if self.asleep:
            longest = max(1, round(min(sleep.ratio * sleep.interval, sleep.longest) / self.dt))
            if self.slept >= longest or seen <= sleep.alpha_base * self.start:
                self.asleep, self.awake_for = False, 0
        elif sleep.ratio > 0:
            by_clock = sleep.trigger != "threshold" and self.awake_for >= round(sleep.interval / self.dt)
            heavy = seen > sleep.alpha_trigger * self.start and self.awake_for >= round(
                sleep.shortest_wake / self.dt
            )
            if by_clock or (sleep.trigger != "interval" and heavy):
                self.asleep, self.slept = True, 0
        if self.asleep:
            self.slept += 1
        else:
            self.awake_for += 1
            self.wake += 1

    def _decayed(self, value: float, tau: float) -> float:
        return (
            value * (1 - self.dt / tau)
            if self.c.simulation.method == "euler"
            else value * math.exp(-self.dt / tau)
        )

    def _integrate(self, p: str) -> None:
        q, euler = getattr(self.c, p), self.c.simulation.method == "euler"
        key = draw_key(float(stream_id(self.c.seed, f"train/noise/{p}")), self.t)
        noisy = self.asleep or self.c.noise.during == "always"
        for k in range(self.n[p]):
            ready = self.hold[p][k] <= 0
            goal = q.e_leak + self.g[p, "exc"][k] - self.g[p, "inh"][k] if ready else q.v_reset
            v = self.v[p][k]
            v += (goal - v) * (self.dt / q.tau_m if euler else -math.expm1(-self.dt / q.tau_m))
            if ready and noisy:
                v += self.c.noise.sigma * math.sqrt(self.dt / 1e-3) * float(normal_draw(1.0, key, k))
            self.v[p][k] = max(v, q.v_floor)
            self.g[p, "exc"][k] = self._decayed(self.g[p, "exc"][k], q.tau_g_exc)
            self.g[p, "inh"][k] = self._decayed(self.g[p, "inh"][k], q.tau_g_inh)
            self.rise[p][k] = self._decayed(self.rise[p][k], q.tau_theta)
            self.hold[p][k] -= 1

    def _silence(self, pixel: int) -> float:
        image = self.images[min((self.wake - 1) // self.image_steps, len(self.images) - 1)]
        mean = sum(image) / len(image)
        p = min(1.0, image[pixel] * self.c.input.mean_rate / mean * self.dt) if mean else 0.0
        return math.log1p(-p) if 0 < p < 1 else (-math.inf if p else -1e-14)

    def _draw_input(self, pixel: int) -> None:
        u = float(uniform_draw(draw_key(float(stream_id(self.c.seed, "train/input")), self.wake), pixel))
        self.next_spike[pixel] = self.wake + 1 + math.floor(min(math.log(u) / self._silence(pixel), 1e9))

    def _changes(self, name: str, at_pre: bool, i: int, j: int, w: float) -> float:
        """What the pathway's rule adds to a weight at a presynaptic or a postsynaptic spike."""
        path, stdp = getattr(self.c, name), self.c.stdp
        source, target = PATHWAYS[name]
        pre = {k: self.trace[source, k][i] for k in ("plus", "minus", "istdp")}
        post = {k: self.trace[target, k][j] for k in ("plus", "minus", "istdp")}
        alpha = 2 * self.c.istdp.rho_target * self.c.istdp.tau
        return (
            path.eta
            * {
                "static": (0.0, 0.0),
                "stdp": (-stdp.a_minus * post["minus"], stdp.a_plus * pre["plus"]),
                "stdp_reversed": (stdp.a_plus * post["plus"], -stdp.a_minus * pre["minus"]),
                "presynaptic_offset": (0.0, (pre["plus"] - stdp.x_target) * (path.w_max - w)),
                "istdp": (post["istdp"] - alpha, pre["istdp"]),
                "istdp_antisymmetric": (-stdp.a_plus * post["plus"], stdp.a_minus * pre["minus"]),
            }[path.rule][0 if at_pre else 1]
        )

    def _elapsed_rule(self, name: str, k: int, synapse: list) -> float:
        """What `stdp_elapsed` adds at a spike on either side; a change of the last step is made again."""
        path, stdp, (source, target) = getattr(self.c, name), self.c.stdp, PATHWAYS[name]
        lag = self.elapsed[target][synapse[1]] - self.elapsed[source][synapse[0]]
        tau = (stdp.tau_plus if lag >= 0 else stdp.tau_minus) / self.dt
        change = path.eta * math.copysign(math.exp(-abs(lag) / tau), 1 if lag >= 0 else -1)
        step, before = self.acted.get((name, k), (-2, 0.0))
        self.acted[name, k] = (self.t, change)
        return change + (change - before if step == self.t - 1 else 0.0)

    def step(self) -> None:
        """Advance by one step."""
        self._control()
        self.ahsar.begin_step(self.t)
        for p in ("exc", "inh"):
            self._integrate(p)
        for (p, kind), values in self.trace.items():
            tau = self.c.istdp.tau if kind == "istdp" else getattr(self.c.stdp, f"tau_{kind}")
            # traces decay exactly, whatever the membranes use
            decay = math.exp(-self.dt / tau)
            self.trace[p, kind] = [x * decay for x in values]
        fired = {
            "input": [
                k for k in range(self.n["input"]) if not self.asleep and self.wake >= self.next_spike[k]
            ]
        }
        for p in ("exc", "inh"):
            theta_max, threshold = getattr(self.c, p).theta_max, self.ahsar.threshold(p)
            fired[p] = [
                k
                for k in range(self.n[p])
                if self.hold[p][k] <= 0 and self.v[p][k] > threshold + min(self.rise[p][k], theta_max)
            ]
            self.spikes += [(self.t, p, k) for k in fired[p]]
        for p, elapsed in self.elapsed.items():
            self.elapsed[p] = [0.0 if k in fired[p] else steps + 1 for k, steps in enumerate(elapsed)]
        for at_pre in (True, False):
            for name, (source, target) in PATHWAYS.items():
                path, active = getattr(self.c, name), set(fired[source if at_pre else target])
                for k, synapse in enumerate(self.synapses[name]):
                    i, j, w = synapse
                    acts = (i if at_pre else j) in active
                    if at_pre and acts:
                        self.g[target, source if source == "inh" else "exc"][j] += w * path.gain
                    change = 0.0
                    if path.rule == "stdp_elapsed":
                        if not at_pre and (acts or i in fired[source]):
                            change = self._elapsed_rule(name, k, synapse)
                    elif acts and path.rule != "static":
                        change = self._changes(name, at_pre, i, j, w)
                    if change:
                        synapse[2] = min(max(w + change, path.w_min), path.w_max)
        after = self.t + 1
        if after % round(1 / self.dt) == 0 or (self.asleep and after % round(0.1 / self.dt) == 0):
            self.tallied = self._sum()
        if self.asleep and after % round(self.c.sleep.every / self.dt) == 0:
            power = self.c.sleep.decay ** (self.c.sleep.every / 1e-3)
            for name in PATHWAYS:
                path = getattr(self.c, name)
                for synapse in self.synapses[name] if path.rule != "static" else ():
                    scaled = path.w_target * (synapse[2] / path.w_target) ** power
                    synapse[2] = min(max(scaled, path.w_min), path.w_max)
        self._reset(fired)
        self.ahsar.end_step(self.asleep, fired)
        self.t += 1

    def _reset(self, fired: dict[str, list[int]]) -> None:
        for p in ("exc", "inh"):
            q = getattr(self.c, p)
            for k in fired[p]:
                self.v[p][k], self.hold[p][k] = q.v_reset, round(q.refractory / self.dt)
                self.rise[p][k] += q.theta_plus
        for (p, kind), values in self.trace.items():
            for k in fired[p]:
                values[k] = values[k] + 1 if kind == "istdp" or self.c.stdp.pairing == ALL_TO_ALL else 1.0
        onset = not self.asleep and (self.wake - 1) % self.image_steps == 0
        for pixel in range(self.n["input"]) if onset else fired["input"]:
            self._draw_input(pixel)
