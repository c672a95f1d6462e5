"""``python -m homeonet``: the same as the command ``homeonet``, which begins here too."""

import signal
import sys

from homeonet.machine.interrupts import answer_interrupts, leave, on_interrupt

__all__ = ["start"]


def start() -> None:
    """Run the command and end the process, with one line at most if Ctrl-C interrupts anything of it."""
    answer_interrupts(resumes=sys.argv[1:2] in (["run"], ["train"], ["sweep"]))
    from homeonet.cli.main import main

    try:
        code = main()
    finally:
        if signal.getsignal(signal.SIGINT) is on_interrupt:
            signal.signal(signal.SIGINT, leave)  # the interpreter takes a while to end
    sys.exit(code)


if __name__ == "__main__":
    start()
