"""The command: what was typed -> a request -> an exit code, with the progress shown on the way.

`main` finds the command, `get` names the options, `config` reads their defaults from a file, `request` turns them
into a `Request`, `run` carries it out and answers signals, and `display`, `plain` and `jsonlines` show events.
Knows the public face and the events; the engine does not know it.
"""
