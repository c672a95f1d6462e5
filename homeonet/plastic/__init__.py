"""The plastic engine: recurrent E/I networks grown by STDP under a sleep-wake controller, compiled.

Networks are Brian2 equations, one mechanism per file, run as a compiled program that is a pure function of its
arrays. This package never imports torch; brian2 is imported only to write a program that is not in the cache,
or to run without a compiler.
"""

from homeonet.machine.compiler import compiler
from homeonet.machine.cuda import gpus, require_gpu
from homeonet.plastic.engine._checkpoint import load_checkpoint, save_checkpoint
from homeonet.plastic.engine._choose import (
    DEVICES,
    GPU_DEVICES,
    engine_for,
    known_device,
    require_precision,
)
from homeonet.plastic.engine._features import read_features
from homeonet.plastic.engine._recordings import RECORDINGS, Recordings
from homeonet.plastic.engine._records import Recorder
from homeonet.plastic.engine._segment import Engine, SegmentResult
from homeonet.plastic.engine._simulation import SEGMENT_SECONDS, Network, Segment, Training, kept_state
from homeonet.plastic.mechanisms._poisson import log_silence
from homeonet.plastic.mechanisms._random import draw_key, normal_draw, stream_id, uniform_draw
from homeonet.plastic.network._arrays import assemble, watched_weight
from homeonet.plastic.network._connectivity import connect
from homeonet.plastic.network._page import model_page
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._program import cache_folder, program_for
from homeonet.plastic.program._toolchains import toolchain_for

__all__ = [
    "DEVICES",
    "GPU_DEVICES",
    "RECORDINGS",
    "SEGMENT_SECONDS",
    "Engine",
    "Network",
    "Recorder",
    "Recordings",
    "Segment",
    "SegmentResult",
    "Structure",
    "Training",
    "assemble",
    "cache_folder",
    "compiler",
    "connect",
    "draw_key",
    "engine_for",
    "gpus",
    "kept_state",
    "known_device",
    "load_checkpoint",
    "log_silence",
    "model_page",
    "normal_draw",
    "program_for",
    "read_features",
    "require_gpu",
    "require_precision",
    "save_checkpoint",
    "stream_id",
    "toolchain_for",
    "uniform_draw",
    "watched_weight",
]
