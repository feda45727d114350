"""The files of ITC-2019: XML, plain or compressed."""
