"""The matching engine: pure Python in types, conditions, vocabulary, reading and engine.

Only `loaders.py` touches the ORM, and only `services.py` writes.
"""
