"""The option --cuda-arch of the commands that can use a GPU; it imports neither Brian2 nor torch."""

from __future__ import annotations

import argparse
import os
from typing import Any

__all__ = ["CUDA_ARCH_VARIABLE", "add_cuda_arch"]

#: What the option sets: the processes that work inherit it.
CUDA_ARCH_VARIABLE = "HOMEONET_CUDA_ARCH"


class _Set(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, *_: Any) -> None:
        os.environ[CUDA_ARCH_VARIABLE] = values
        setattr(namespace, self.dest, values)


def add_cuda_arch(parser: argparse.ArgumentParser) -> None:
    """Add ``--cuda-arch`` to a command."""
    parser.add_argument(
        "--cuda-arch",
        action=_Set,
        metavar="X.Y",
        help="compute capability to build for with --device cuda, such as 9.0; default: "
        f"${CUDA_ARCH_VARIABLE}, else that of the first GPU",
    )
