"""The command ``homeonet``: one file per command. Reads options and prints; what it calls is elsewhere."""
