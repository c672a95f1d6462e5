"""Shows what a run has recorded as objects of Neo: python membranes.py results/triplet"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import homeonet

block = homeonet.to_neo(sys.argv[1])
segment = block.segments[0]
membranes = segment.analogsignals[0]
print(f"{len(segment.spiketrains)} spike trains, {membranes.shape[1]} membranes of {membranes.t_stop}")
last = membranes.time_slice(membranes.t_stop - 2 * membranes.t_stop.units, membranes.t_stop)
figure, axes = plt.subplots(figsize=(3.5, 2.5), layout="constrained")
axes.plot(last.times.rescale("s"), last[:, :3].rescale("mV"), lw=0.8)
axes.set(xlabel="simulated time (s)", ylabel="membrane potential (mV)")
axes.spines[["top", "right"]].set_visible(False)
figure.savefig(f"{sys.argv[1]}_membranes.png", dpi=200)
