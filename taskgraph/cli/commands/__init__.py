"""The subcommands of `tg`, a file each."""
