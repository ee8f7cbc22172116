"""``python -m noisegen``."""

from noisegen.cli.app import main

main()
