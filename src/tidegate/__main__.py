# SPDX-License-Identifier: Apache-2.0
"""`python -m tidegate` and the `tidegate` script."""

from tidegate.cli.app import main

if __name__ == "__main__":
    main()
