"""The subcommands of `tg`, a file each, in folders by what one wants to do."""
