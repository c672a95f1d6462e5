"""Homeostasis by name, for configurations."""

from __future__ import annotations

from typing import Any

from homeonet.errors import InputError
from homeonet.gradient.homeostasis._ahsar import AHSAR
from homeonet.gradient.homeostasis._mp_init import MPInit
from homeonet.gradient.homeostasis._plugin import Homeostasis
from homeonet.gradient.homeostasis._sleep import Sleep
from homeonet.gradient.homeostasis._threshold_adaptation import ThresholdAdaptation
from homeonet.gradient.neurons._own import imported, is_dotted

__all__ = ["homeostasis_named"]

_KINDS: dict[str, type[Homeostasis]] = {
    kind.kind: kind for kind in (AHSAR, MPInit, Sleep, ThresholdAdaptation)
}


def homeostasis_named(name: str, **options: Any) -> Homeostasis:
    """The homeostasis called `name`, not attached yet.

    Parameters
    ----------
    name : {"ahsar", "mp_init", "sleep", "threshold_adaptation"}
        Or a class of one's own, "module:class"; see :mod:`homeonet.gradient.neurons._own`.
    **options
        Parameters of its class.

    Raises
    ------
    InputError
        If there is no such homeostasis, or it has no such parameter, or a parameter is out of range.
    """
    if not is_dotted(name) and name not in _KINDS:
        raise InputError(f"homeostasis = {name!r} is unknown; choose one of {', '.join(_KINDS)}")
    try:
        kind = imported("homeostasis", name, Homeostasis) if is_dotted(name) else _KINDS[name]
        return kind(**options)
    except TypeError as error:
        if not is_dotted(name) and "unexpected keyword" not in str(error):
            raise
        raise InputError(f"homeostasis = {name!r}: {str(error).split('() ')[-1]}") from None
