"""`python -m onelook` is the command `onelook`."""

from onelook.cli.app import main

main()
