"""Parts of an image that steps take: space, a channel, one time point by itself."""
