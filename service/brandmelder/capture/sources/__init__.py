"""The sources that come with Brandmelder, one file each."""
