"""Everything with one command: the service, the pretend EHR and its R4 server. `make run` starts it; Ctrl-C ends it.

python -m sandbox                              on http://127.0.0.1:8095 (pretend EHR) and :8090 (service)
python -m sandbox --port 9090 --ehr-port 9095  elsewhere
"""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from sandbox.launcher import CannotStart, Places, last_lines, running, usual_state
from sandbox.welcome import welcome

_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    places = Places(options.host, options.port, options.ehr_port, options.state_dir)
    for ending in _ENDINGS:  # also where a shell started this in the background
        signal.signal(ending, _end)
    try:
        with running(places) as both:
            for line in welcome(places, both.ehr.address, both.ehr.base, both.clinic.today().stories):
                print(line)
            sys.stdout.flush()
            while both.service.poll() is None:
                time.sleep(0.3)
            print(f"the service ended by itself:\n{last_lines(places.log)}", file=sys.stderr)
            return 1
    except CannotStart as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    """Ends all in an orderly way, which a second signal (an impatient Ctrl-C, one from `make`) must not cut short.

    Else the service would be left behind, and hold its port.
    """
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The service and a pretend EHR, together.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address [127.0.0.1]")
    parser.add_argument("--port", type=int, default=8090, help="of the service [8090]")
    parser.add_argument("--ehr-port", type=int, default=8095, help="of the pretend EHR and its R4 server [8095]")
    parser.add_argument(
        "--state-dir", type=Path, default=usual_state(), help="where the log and the service's records are kept"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
