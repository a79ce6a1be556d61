"""Pretrained networks from other projects, which saw more pictures than FER2013 has."""
