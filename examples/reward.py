"""Rewards given from Python, one for each image: python examples/reward.py results/reward

Half of the classes are rewarded and the other half punished. The first epoch shows images in the order of the data set.
"""

import sys
from pathlib import Path

import homeonet

if __name__ == "__main__":
    rule = Path(__file__).parent / "rules" / "reward_modulated.toml"
    config = homeonet.load_config(rule, {"train": 400, "test": 200})
    images = homeonet.data.load(
        config.data, size=config.input.side, train=config.train, test=config.test, seed=config.seed
    )
    rewards = [1.0 if label < images.n_classes / 2 else -1.0 for label in images.y_train]
    rewarded = config.replace(**{"signal.reward": {"values": rewards}})
    result = homeonet.run(rewarded, sys.argv[1] if len(sys.argv) > 1 else None)
    for name in ("weights.exc_exc.initial", "weights.exc_exc.final", "accuracy.logistic"):
        print(f"{name} {result.metrics[name]:.3f}")
