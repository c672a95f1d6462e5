"""The kinds of runs, for what makes many without caring which: networks grown by STDP, and trained by gradients.

A kind is known by the parameter that every configuration of it has: `preset`, or `neuron`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from homeonet import store
from homeonet.data import EVENTS, Dataset
from homeonet.errors import InputError
from homeonet.machine.allocator import keep_freed_memory
from homeonet.machine.optional import require_gradient
from homeonet.machine.text import shown

__all__ = ["KINDS", "Kind"]

#: Cells that a GPU runs as one program unless it is told otherwise.
_REPLICAS_ON_GPU = 256
#: Sections that neither raw pixels nor the untrained network depend on.
_OF_TRAINING = ("sleep", "noise", "stdp", "istdp", "ahsar", "guard", "epochs")
#: Parameters of gradient training that a network's shape does not depend on.
_OF_DATA = ("seed", "data", "train", "val", "test", "epochs", "lr")

Configure = Callable[[Mapping[str, Any]], Any]


class Kind(Protocol):
    """What is known of one kind of runs. Configurations are its own; their `run_id` names a run."""

    parameter: str

    def configure(self, models: Mapping[str, Mapping[str, Any]]) -> Configure:
        """A function from flat parameters to a validated configuration.

        `models` are whole configurations by the names that `preset` gives them.
        """
        ...

    def baseline_config(self, config: Any) -> Any:
        """The configuration that stands for all that share `config`'s baselines."""
        ...

    def sources(self, configs: Iterable[Any]) -> dict[str, str]:
        """Hashes of the files that the user's own classes are in; each class is tried."""
        ...

    def data_parameters(self, dataset: Dataset, given: Container[str]) -> dict[str, Any]:
        """Parameters of a run on a data set that is not named but given; those `given` stay, but for `data`."""
        ...

    def load_data(self, config: Any, folder: str | Path | None, given: Dataset | None) -> Dataset:
        """The data of a configuration, of a set if one is `given`; InputError if they cannot be had, or are too few."""
        ...

    def data_key(self, config: Any) -> tuple[Any, ...]:
        """What `load_data` depends on."""
        ...

    def check_device(self, device: str, replicas: int | None, *, here: bool) -> None:
        """Raise InputError for a device that is unknown or, `here`, missing, or replicas that cannot be."""
        ...

    def check_networks(
        self, configs: Sequence[Any], device: str, features: Mapping[str, tuple[int, ...]]
    ) -> None:
        """Raise InputError if a network cannot be built, with the features of its data, by their names."""
        ...

    def replicas_on(self, device: str) -> int:
        """Runs that one process does at a time, unless it is told otherwise."""
        ...

    def groups(self, configs: Sequence[Any], most: int) -> list[list[Any]]:
        """Configurations that one process can do at a time, at most `most`."""
        ...

    def images_read(self, config: Any, *, baselines: bool) -> int:
        """Images that a run, or its baselines, reads out of a network after training."""
        ...

    def run(
        self, config: Any, out: Path | None, *, code: str | None = None, **options: Any
    ) -> dict[str, Any]:
        """Make a run on one core, with classes of the user's own from the folder `code`; returns its metrics.

        `options` are `device`, `figures`, `data_folder` and `dataset`.
        """
        ...

    def seconds_of_training(self, metrics: Mapping[str, Any]) -> float:
        """What training took, and compiling before it."""
        ...

    def measure_baselines(
        self, config: Any, out: Path, *, device: str, data_folder: str | None, dataset: Dataset | None
    ) -> None:
        """Write the folder of baselines of a configuration."""
        ...

    def draw_figures(self, run: Path, out: Path, formats: Sequence[str]) -> list[Path]:
        """Draw the figures of a finished run's folder into `out`; returns their paths."""
        ...


class _Plastic:
    parameter = "preset"

    def configure(self, models: Mapping[str, Mapping[str, Any]]) -> Configure:
        from homeonet.config import Config, apply_overrides, load_config, preset_names

        whole = {name: Config.model_validate(model) for name, model in models.items()}

        def configure(parameters: Mapping[str, Any]) -> Any:
            overrides = dict(parameters)
            preset = overrides.pop("preset", None)
            if not isinstance(preset, str):
                raise InputError(
                    f"preset = {shown(preset)}: each cell needs one; choose one of {', '.join(preset_names())}"
                )
            return apply_overrides(whole[preset] if preset in whole else load_config(preset), overrides)

        return configure

    def baseline_config(self, config: Any) -> Any:
        from homeonet.config import load_config, preset_names

        standard = load_config(config.preset if config.preset in preset_names() else preset_names()[0])
        keep_noise = config.noise.during == "always"  # then it acts on the evaluation too
        sections = {
            name: getattr(standard, name) for name in _OF_TRAINING if not (name == "noise" and keep_noise)
        }
        precision = standard.simulation.precision
        sections["simulation"] = config.simulation.model_copy(update={"precision": precision})
        return config.model_copy(update=sections)

    def sources(self, configs: Iterable[Any]) -> dict[str, str]:
        return {}

    def data_parameters(self, dataset: Dataset, given: Container[str]) -> dict[str, Any]:
        return {"data": dataset.identity}

    def load_data(self, config: Any, folder: str | Path | None, given: Dataset | None) -> Dataset:
        from homeonet.runs.images import load_images

        return load_images(config, folder, given)

    def data_key(self, config: Any) -> tuple[Any, ...]:
        return config.data, config.input.side, config.train, config.val, config.test

    def check_device(self, device: str, replicas: int | None, *, here: bool) -> None:
        from homeonet.plastic import GPU_DEVICES, known_device, require_gpu, toolchain_for

        if known_device(device) in GPU_DEVICES and here:
            require_gpu(device)
            toolchain_for(device)  # the compiler too, before any cell fails for it

    def check_networks(
        self, configs: Sequence[Any], device: str, features: Mapping[str, tuple[int, ...]]
    ) -> None:
        from homeonet.plastic import require_precision

        for precision in {config.simulation.precision for config in configs}:
            require_precision(precision, device)

    def replicas_on(self, device: str) -> int:
        from homeonet.plastic import GPU_DEVICES

        return _REPLICAS_ON_GPU if device in GPU_DEVICES else 1

    def groups(self, configs: Sequence[Any], most: int) -> list[list[Any]]:
        from homeonet.runs.together import groups_of

        return groups_of(configs, most) if most > 1 else [[config] for config in configs]

    def images_read(self, config: Any, *, baselines: bool) -> int:
        return config.train + config.val + config.test

    def run(
        self, config: Any, out: Path | None, *, code: str | None = None, **options: Any
    ) -> dict[str, Any]:
        from homeonet.runs.plastic import run

        return run(config, out, workers=1, baselines=False, **options).metrics

    def seconds_of_training(self, metrics: Mapping[str, Any]) -> float:
        return metrics["train_wall_seconds"] + metrics["compile_seconds"]

    def measure_baselines(
        self, config: Any, out: Path, *, device: str, data_folder: str | None, dataset: Dataset | None
    ) -> None:
        from homeonet.runs.baselines import measure_baselines

        measure_baselines(config, out, device=device, workers=1, data_folder=data_folder, dataset=dataset)

    def draw_figures(self, run: Path, out: Path, formats: Sequence[str]) -> list[Path]:
        from homeonet.runs.results import draw_figures, load_run

        return draw_figures(load_run(run), out, formats)


class _Gradient:
    parameter = "neuron"

    def configure(self, models: Mapping[str, Mapping[str, Any]]) -> Configure:
        require_gradient("a grid with a neuron")
        from homeonet.gradient.training import train_config

        return lambda parameters: train_config(**parameters)

    def baseline_config(self, config: Any) -> Any:
        from homeonet.gradient.training import train_config

        of_data = ["data", "size", "train", "val", "test", "seed"]
        of_data += ["steps"] if config.data.startswith(EVENTS) else []
        return train_config(**{name: getattr(config, name) for name in of_data})

    def sources(self, configs: Iterable[Any]) -> dict[str, str]:
        from homeonet.gradient.training import checked_own

        found: dict[str, str] = {}
        seen = set()
        for config in configs:
            parts = config.model_dump(include={"neuron", "neuron_options", "homeostasis", "net", "paradigm"})
            if repr(parts) not in seen:
                seen.add(repr(parts))
                found |= checked_own(config).sources
        return found

    def data_parameters(self, dataset: Dataset, given: Container[str]) -> dict[str, Any]:
        from homeonet.runs.gradient import data_parameters

        return data_parameters(dataset, given)

    def load_data(self, config: Any, folder: str | Path | None, given: Dataset | None) -> Dataset:
        from homeonet.runs.gradient import load_examples

        return load_examples(config, folder, given)

    def data_key(self, config: Any) -> tuple[Any, ...]:
        steps = config.steps if config.data.startswith(EVENTS) else None
        return config.data, config.size, steps, config.train, config.val, config.test

    def check_device(self, device: str, replicas: int | None, *, here: bool) -> None:
        if replicas not in (None, 1):
            raise InputError(
                f"replicas = {replicas}: only cells of the plastic network can be replicas; leave it out"
            )

    def check_networks(
        self, configs: Sequence[Any], device: str, features: Mapping[str, tuple[int, ...]]
    ) -> None:
        from homeonet.gradient.training import build

        seen = set()
        for config in configs:
            described = config.model_dump(mode="json", exclude=set(_OF_DATA))
            network = json.dumps([described, features[config.data]], sort_keys=True)
            if network not in seen:
                seen.add(network)
                build(config, 10, features[config.data])

    def replicas_on(self, device: str) -> int:
        return 1

    def groups(self, configs: Sequence[Any], most: int) -> list[list[Any]]:
        return [[config] for config in configs]

    def images_read(self, config: Any, *, baselines: bool) -> int:
        return 0 if baselines else config.test

    def run(
        self, config: Any, out: Path | None, *, code: str | None = None, **options: Any
    ) -> dict[str, Any]:
        from homeonet.gradient.neurons._own import code_in
        from homeonet.runs.gradient import train

        keep_freed_memory()
        with code_in(code):
            return train(config, out, accelerator=options.pop("device"), baselines=False, **options).metrics

    def seconds_of_training(self, metrics: Mapping[str, Any]) -> float:
        return metrics["train_seconds"]

    def measure_baselines(
        self, config: Any, out: Path, *, device: str, data_folder: str | None, dataset: Dataset | None
    ) -> None:
        from homeonet.runs.gradient import measure_baselines

        measure_baselines(config, out, data_folder=data_folder, dataset=dataset)

    def draw_figures(self, run: Path, out: Path, formats: Sequence[str]) -> list[Path]:
        from homeonet.plotting import draw_training
        from homeonet.runs.folder import stored_metrics

        metrics = stored_metrics(run)
        with store.disk_errors(out):
            return draw_training(store.load_records(run), out, metrics=metrics, formats=formats)


#: By name.
KINDS: dict[str, Kind] = {"plastic": _Plastic(), "gradient": _Gradient()}
