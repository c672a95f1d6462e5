"""The command ``homeonet``: one file a command. Reads options and prints; what it calls is elsewhere."""
