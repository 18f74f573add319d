"""The channels that come with Brandmelder, one file each."""
