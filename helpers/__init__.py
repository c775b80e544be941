"""Small tested modules behind the "Bigger than RAM" notebooks.

`docs/architecture.md` has the map. Each package imports only those above it there.
"""
