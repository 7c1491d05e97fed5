"""Checksums as people write them, and as servers send them."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.digests import from_head, is_weak, parse_checksum
from penstock.errors import InvalidRequest
from penstock.model import Digest, Head

DATA = b"data"
SHA256, MD5 = hashlib.sha256(DATA), hashlib.md5(DATA)
B64 = base64.b64encode(SHA256.digest()).decode()
B64_MD5 = base64.b64encode(MD5.digest()).decode()


def head(status: int = 200, **fields: str) -> Head:
    return Head(status, tuple((name.replace("_", "-"), value) for name, value in fields.items()))


@pytest.mark.parametrize("form", ["sha-256:{}", "sha256:{}", "SHA256:{}", "sha256={}", "{}", " sha-256: {} "])
def test_every_way_to_write_it(form: str) -> None:
    for text in (SHA256.hexdigest(), SHA256.hexdigest().upper()):
        assert parse_checksum(form.format(text)) == Digest("sha256", SHA256.digest())


@pytest.mark.parametrize("name", sorted(hashlib.algorithms_guaranteed))
def test_every_algorithm_of_hashlib_with_a_fixed_length(name: str) -> None:
    if name.startswith("shake"):
        with pytest.raises(InvalidRequest):
            parse_checksum(f"{name}:00")
        return
    value = hashlib.new(name, DATA).digest()
    assert parse_checksum(f"{name}:{value.hex()}") == Digest(name, value)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_bare_hex_is_known_by_its_length(name: str) -> None:
    assert parse_checksum(hashlib.new(name, DATA).hexdigest()).algorithm == name


@pytest.mark.parametrize(
    "text",
    ["", " ", "sha256:", "sha256:xyz", "sha256:ab", "crc32:00000000", "abcd", ":ab", "a:b:c", "s!h!a!1:" + "0" * 40],
)
def test_S20_anything_else_is_one_helpful_line(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_checksum(text)
    assert str(caught.value).isprintable()


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    for checksum in (text, text + ":ab", text.replace(":", "") + "sha256" + text + ":ab"):
        try:
            parse_checksum(checksum)
        except InvalidRequest as error:
            assert str(error).isprintable()  # noqa: PT017 - S11: whatever it quotes is escaped
    from_head(head(repr_digest=text, digest=text, content_digest=text, content_md5=text))


def test_S20_md5_and_sha1_are_weak() -> None:
    assert is_weak(Digest("md5", b""))
    assert is_weak(Digest("sha1", b""))
    assert not is_weak(Digest("sha256", b""))


def test_F46_repr_digest_covers_the_whole_on_200_and_206() -> None:
    for status in (200, 206):
        assert from_head(head(status, repr_digest=f"sha-256=:{B64}:")) == (Digest("sha256", SHA256.digest()),)


def test_F46_content_digest_and_md5_cover_the_whole_on_200_only() -> None:
    fields = {"content_digest": f"sha-256=:{B64}:", "content_md5": B64_MD5}
    assert [digest.algorithm for digest in from_head(head(200, **fields))] == ["sha256", "md5"]
    assert from_head(head(206, **fields)) == ()


def test_the_old_digest_field() -> None:
    found = from_head(head(200, digest=f"MD5={B64_MD5},SHA-256={B64}"))
    assert found == (Digest("sha256", SHA256.digest()), Digest("md5", MD5.digest()))


def test_F18_none_is_of_decoded_bytes() -> None:
    assert from_head(head(200, repr_digest=f"sha-256=:{B64}:", content_encoding="gzip")) == ()
    assert len(from_head(head(200, repr_digest=f"sha-256=:{B64}:", content_encoding="Identity"))) == 1


@pytest.mark.parametrize("status", [203, 304, 404, 416, 500])
def test_other_statuses_speak_of_other_bytes(status: int) -> None:
    assert from_head(head(status, repr_digest=f"sha-256=:{B64}:", digest=f"SHA-256={B64}")) == ()


def test_of_one_key_twice_the_last_counts() -> None:
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    assert from_head(head(repr_digest=f"sha-256=:{other}:, sha-256=:{B64}:")) == (Digest("sha256", SHA256.digest()),)


@pytest.mark.parametrize(
    "field", ["", "sha-256", "sha-256=abc", "sha-256=:!!:", f"sha-256=:{B64_MD5}:", f"unknown=:{B64}:", "x" * 100_000]
)
def test_malformed_members_are_ignored(field: str) -> None:
    assert from_head(head(repr_digest=field)) == ()


def test_a_good_member_among_bad_ones_counts() -> None:
    assert len(from_head(head(repr_digest=f"foo=:x:, sha-256=:{B64}:;q=1, bar"))) == 1


@pytest.mark.parametrize("name", ["md5", "sha-256", "sha-512"])
def test_base64_without_its_padding_is_read(name: str) -> None:
    value = hashlib.new(name.replace("-", ""), DATA).digest()
    text = base64.b64encode(value).decode().rstrip("=")
    assert [digest.value for digest in from_head(head(repr_digest=f"{name}=:{text}:"))] == [value]
