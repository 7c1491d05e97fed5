"""``penstock doctor``: what a bug report needs to know, and what is wrong with this machine.

`software`, `network`, `system` and `disk` gather facts; `judge` makes findings of facts and touches nothing; `show`
prints both. Nothing secret is gathered: of URLs no user information, of the configuration the keys and no values.
"""
