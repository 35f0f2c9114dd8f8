"""`python -m cds_service`: the command line."""

from cds_service.cli import main

main()
