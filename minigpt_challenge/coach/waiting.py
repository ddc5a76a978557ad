"""pytest in a process that waits: it runs once for each line of JSON arguments that comes."""

import json
import sys


def main() -> int:
    """Run pytest once for each line, and end with the last exit code."""
    import pytest

    code = 0
    for line in sys.stdin:
        code = pytest.main(json.loads(line))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
