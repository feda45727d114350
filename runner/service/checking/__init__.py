"""Files that strangers have sent, read in a process that may come to harm."""
