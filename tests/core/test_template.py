"""F51, S01: names of many files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.naming import folded
from penstock.core.template import Template, safe_path, told_apart, url_hash
from penstock.core.urls import check
from penstock.errors import InvalidRequest

URL = "https://e.org:8443/a%20b/c/x.tar.gz?q=1"


@pytest.mark.parametrize(
    ("template", "target"),
    [
        ("{name}", "x.tar.gz"),
        ("{host}/{path}/{name}", "e.org/a b/c/x.tar.gz"),
        ("{stem}-{line:04}{ext}", "x-0007.tar.gz"),
        ("all/{hash}{ext}", f"all/{url_hash(URL)}.tar.gz"),
        ("{{{name}}}", "{x.tar.gz}"),
    ],
)
def test_fields_are_filled_in(template: str, target: str) -> None:
    assert Template(template).fill(URL, 7) == target


@pytest.mark.parametrize("text", ["", "/{name}", "../{name}", "{name}/", "{nome}", "{name!r}", "{", "a\\b", "{line:q}"])
def test_a_template_that_cannot_work_is_refused_at_once(text: str) -> None:
    with pytest.raises(InvalidRequest, match="template"):
        Template(text)


@given(st.text(max_size=60), st.sampled_from(["{name}", "{host}/{path}/{name}", "{path}{name}", "{stem}{ext}"]))
def test_S01_no_url_leads_out_of_the_directory(text: str, template: str) -> None:
    try:
        url = check(f"https://e.org/{text}")
    except InvalidRequest:
        return
    target = Template(template).fill(url, 1)
    assert all(part not in {"", ".", ".."} and "\\" not in part and "\0" not in part for part in target.split("/"))


def test_F51_two_urls_of_one_name_are_told_apart_the_same_way_each_time() -> None:
    first, second = told_apart("d/a.jpg", "https://e.org/1/a.jpg"), told_apart("d/a.jpg", "https://e.org/2/a.jpg")
    assert first != second
    assert first == told_apart("d/a.jpg", "https://e.org/1/a.jpg")
    assert first.startswith("d/a.")
    assert first.endswith(".jpg")


def test_F51_case_and_composition_fold() -> None:
    assert folded("A\u0301.JPG") == folded("\xe1.jpg")


def test_a_path_of_a_list_is_made_safe() -> None:
    assert safe_path("../a//./b\\c") == "a/b/c"
    with pytest.raises(InvalidRequest):
        safe_path("..")


@pytest.mark.parametrize(
    "template", ["{line:c}", "{line:999999999}", "{name:{line}}", "{line:{name.x}}", "{line:{line[0]}}", "{name!r:>9}"]
)
def test_nothing_but_a_width_stands_after_the_colon(template: str) -> None:
    with pytest.raises(InvalidRequest):
        Template(template)
