"""Whole: what is found on a map that is larger than memory, part by part and yet as one."""
