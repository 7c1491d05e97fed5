"""What is wanted, by name, media type and size."""

from __future__ import annotations

import pytest

from penstock.core.wanted import unwanted
from penstock.model import Options, Representation

URL = "https://e.org/x/a.pdf"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (Options(), None),
        (Options(min_size=10), None),
        (Options(min_size=11), "10 bytes are fewer than 11"),
        (Options(accept_types=("image/*",)), "it is application/pdf"),
        (Options(accept_types=("image/*",), accept_names=("*.PDF",)), None),
        (Options(accept_types=("image/*",), accept_names=("x/*",), reject_types=("*/pdf",)), "it is application/pdf"),
    ],
)
def test_any_of_the_accepted_is_enough_and_any_of_the_rejected_too(options: Options, why: str | None) -> None:
    assert unwanted(Representation(length=10, media_type="application/pdf"), options, URL) == why
