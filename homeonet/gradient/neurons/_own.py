"""A neuron or homeostasis of one's own, by dotted name: ``neuron = "mine:Neuron"``, ``homeostasis."mine:Rule"``.

``mine`` is a module in the current folder or on Python's path, ``Neuron`` a class in it. What such a class must be:

**A neuron** is a subclass of :class:`homeonet.gradient.SpikingNeuron`, or of
:class:`~homeonet.gradient.MembraneNeuron` if its membrane may start elsewhere than at zero (MP-Init). It gives

- ``single_step(x_t, state) -> (out, state)``: one time step, `x_t` and `out` of one shape ``(B, *)``; `state` is None
  at rest, else whatever the step before returned;
- optionally ``sequence(x, state) -> (out, state)``, the same for ``(T, B, *)`` at once, equal in outputs and gradients.

Of its constructor's parameters ``channels`` (size of axis 2 of the input) and ``steps`` (T) are filled in if it has
them; all others are ``neuron_options``. What it learns is a parameter or a buffer, so that it is saved. It multiplies
its threshold with ``self.threshold_scale``, which is how homeostasis acts on it, and detaches the state it is given
when ``self.through_time`` is false, which is how online training holds the past constant. Spikes get their gradient
from :func:`homeonet.gradient.heaviside` with a surrogate. ``parallel_in_time = True`` lets it train with the paradigm
"parallel".

**Homeostasis** is a subclass of :class:`homeonet.gradient.homeostasis.Homeostasis` with a short name ``kind``. It gives

- ``_attached(zero)``, called by ``attach(model)``: makes buffers (on the device of the number `zero`) and hooks, whose
  handles go into ``self._handles``; ``self.model`` is the model and ``self._layers`` its spiking layers;
- ``_detached(keep)``, called by ``detach()``: undoes what is neither a hook nor a buffer; with `keep`, as for
  deployment, it leaves what thresholds are multiplied with in the layers' ``threshold_scale``;
- optionally ``after_batch()`` and ``after_epoch(validation_accuracy)``, which begin with those of the base class.

Its constructor's parameters are those under its name in the configuration. What it has come to is in buffers, and so in
``state_dict()`` of the model.

A training run checks all this on a few numbers before it reads any data. Its configuration holds a hash of the file
that the class is in: a run is not continued, nor its network opened, with another one.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from homeonet.errors import InputError, one_line
from homeonet.machine.text import close_matches, shown

__all__ = ["code_in", "imported", "is_dotted", "make_with", "source_digest"]

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")
_DIGITS = 16
#: Hash of the file of each module that was imported here, when it was.
_READ: dict[str, str] = {}
_folder: ContextVar[str | None] = ContextVar("folder", default=None)


def is_dotted(name: object) -> bool:
    """Whether `name` means a class of the user's own, ``module:attribute``."""
    return isinstance(name, str) and ":" in name


@contextmanager
def code_in(folder: str | None) -> Iterator[None]:
    """Within the block, look for modules in `folder` instead of in the current one."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def imported(parameter: str, name: str, base: type) -> type:
    """The class that a dotted name means.

    Parameters
    ----------
    parameter : str
        What messages call it.
    name : str
        ``module:attribute``.
    base : type
        What it must be a subclass of.

    Raises
    ------
    InputError
        If the module is not found (says where it was looked for) or fails, the attribute is missing, or it is not a
        class of that kind.
    """
    said = f"{parameter} = {shown(name)}"
    if not _NAME.fullmatch(name) or name.startswith("__main__:"):
        raise InputError(f"{said}: must be module:class, such as 'mine:Neuron' for class Neuron in mine.py")
    module_name, _, attribute = name.partition(":")
    module = _module(said, module_name)
    where = getattr(module, "__file__", None) or module_name
    found = getattr(module, attribute, None)
    if found is None:
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        close = close_matches(attribute, classes) or classes[:5]
        hint = f"it has {', '.join(close)}" if close else "it holds no class"
        raise InputError(f"{said}: {where} has no {attribute!r}; {hint}")
    if not inspect.isclass(found):
        raise InputError(
            f"{said}: it is a {type(found).__name__}, must be a class; name a subclass of {base.__name__}"
        )
    if not issubclass(found, base):
        # where users import it from: neurons are names of homeonet.gradient
        public = base.__module__.split("._")[0].removesuffix(".neurons")
        raise InputError(f"{said}: it is no subclass of {public}.{base.__name__}; derive the class from that")
    return found


def source_digest(cls: type) -> str:
    """Sixteen hexadecimal digits that name the content of the file a class is in; of its name where there is none."""
    try:
        content = Path(inspect.getsourcefile(cls) or "").read_bytes()
    except (OSError, TypeError):
        content = f"{cls.__module__}:{cls.__qualname__}".encode()
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def make_with(cls: type, options: dict[str, Any], **offered: Any) -> Any:
    """An instance of `cls` with `options`, and with those of the values offered that its constructor names."""
    named = inspect.signature(cls).parameters
    return cls(
        **{name: value for name, value in offered.items() if name in named and name not in options}, **options
    )


def _module(said: str, name: str) -> ModuleType:
    folder = _folder.get() or str(Path.cwd())
    _forget_if_changed(name, folder)
    sys.path.insert(0, folder)
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise InputError(
                f"{said}: no module {error.name!r} in {folder} nor on Python's path; run in its folder, or add that to "
                "PYTHONPATH"
            ) from None
        raise InputError(
            f"{said}: {name} imports {error.name!r}, which is not installed; install it"
        ) from None
    except Exception as error:  # whatever the user's module raises
        raise InputError(
            f"{said}: module {name!r} cannot be imported ({type(error).__name__}: {one_line(str(error), 300)}); "
            "correct it"
        ) from None
    finally:
        sys.path.remove(folder)
    if (digest := _file_digest(module)) is not None:
        _READ.setdefault(name, digest)
    return module


def _forget_if_changed(name: str, folder: str) -> None:
    """Have a module imported anew that was imported here and has changed since, or lies in another folder now."""
    module = sys.modules.get(name)
    if module is None or name not in _READ:
        return
    spec = PathFinder.find_spec(name, [folder]) if "." not in name else None
    elsewhere = spec is not None and spec.origin != module.__file__
    if elsewhere or _file_digest(module) != _READ[name]:
        del sys.modules[name], _READ[name]


def _file_digest(module: ModuleType) -> str | None:
    try:
        return hashlib.sha256(Path(module.__file__ or "").read_bytes()).hexdigest()
    except (OSError, TypeError, AttributeError):
        return None
