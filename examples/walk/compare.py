"""Draws accuracies and weights with and without sleep from the sweep: python compare.py results/sleep"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import xarray

results = xarray.open_dataset(f"{sys.argv[1]}/results.nc")
figure, (left, right) = plt.subplots(1, 2, figsize=(5.5, 2.5), layout="constrained")
for seed in results["seed"].values:
    one = results.sel(seed=seed)
    left.plot(one["sleep.ratio"], 100 * one["accuracy.logistic"], "o-", color="#0072B2")
    right.plot(one["sleep.ratio"], one["weights.input_exc.final"], "s-", color="#D55E00")
left.set(xlabel="sleep ratio", ylabel="accuracy, logistic (%)")
right.set(xlabel="sleep ratio", ylabel="mean weight, input → exc.")
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xticks(results["sleep.ratio"].values)
figure.savefig(f"{sys.argv[1]}.png", dpi=200)
print(results[["accuracy.logistic", "weights.input_exc.final"]].to_dataframe().dropna().round(3))
