import os
from base64 import b64encode, encodebytes, urlsafe_b64encode
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from onelook.errors import ImageError, ImageNotFound, ImageRefused, ImageTooLarge, ImageUnreadable
from onelook.images.picture import Picture
from onelook.images.source import read_local
from onelook.ledger.stamps import node_span
from tests.images.image_samples import LIMITS, load_picture, sample

JPEG = sample("JPEG")


async def load(reference: str | bytes) -> Picture:
    return await load_picture(reference, long_edge=224, limits=LIMITS)


async def test_one_picture_four_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "看 一 眼.jpg"
    path.write_bytes(JPEG)
    monkeypatch.chdir(tmp_path)
    data_url = f"data:image/jpeg;base64,{b64encode(JPEG).decode()}"
    pictures = [await load(reference) for reference in (str(path), path.name, data_url, JPEG)]
    assert all(picture == pictures[0] for picture in pictures)
    assert (pictures[0].width, pictures[0].height) == (224, 140)
    assert (pictures[0].source_width, pictures[0].source_height) == (300, 200)


async def test_the_content_of_a_data_url_decides_not_its_media_type() -> None:
    picture = await load(f"DATA:application/octet-stream;base64,{b64encode(sample('PNG')).decode()}")
    assert picture.width == 224


async def test_the_stages_are_timed() -> None:
    with node_span("prepare") as node:
        await load(JPEG)
    assert [inner.name for inner in node.spans] == ["read"]
    assert all(inner.end_ns >= inner.start_ns for inner in node.spans)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(encodebytes(JPEG).decode(), id="line breaks"),
        pytest.param(urlsafe_b64encode(JPEG).decode(), id="URL-safe"),
        pytest.param(b64encode(JPEG).decode().rstrip("="), id="no padding"),
        pytest.param(quote(b64encode(JPEG).decode(), safe=""), id="percent-encoded"),
    ],
)
def test_every_usual_way_to_write_base64_is_read(payload: str) -> None:
    assert read_local(f"data:image/jpeg;base64,{payload}", LIMITS) == JPEG


@pytest.mark.parametrize(
    ("reference", "error", "says"),
    [
        ("no/such/picture.jpg", ImageNotFound, "no/such/picture.jpg: no such file"),
        ("", ImageNotFound, "no picture was named"),
        (".", ImageUnreadable, "is a folder"),
        ("a\0b", ImageUnreadable, "null byte"),
        ("x" * 5000, ImageUnreadable, "File name too long"),
        ("\udcff\ud800.jpg", ImageUnreadable, "surrogates not allowed"),
        ("/dev/zero", ImageRefused, "not a regular file"),
        ("file:///etc/hostname", ImageRefused, "'file' addresses are not read"),
        ("s3://bucket/picture.jpg", ImageRefused, "'s3' addresses are not read"),
        ("data:image/png", ImageUnreadable, "without a comma"),
        ("data:,hello", ImageUnreadable, "without base64"),
        ("data:image/png;base64,iVBORw0KG", ImageUnreadable, "broken base64"),
        ("data:image/png;base64,ü", ImageUnreadable, "broken base64"),
        ("data:image/png;base64,", ImageUnreadable, "data URL: zero bytes"),
        (b"", ImageUnreadable, "zero bytes"),
    ],
)
async def test_a_bad_reference_is_refused(reference: str | bytes, error: type[ImageError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        await load(reference)
    assert caught.value.hint
    caught.value.message.encode()  # prints and serialises, whatever the file name was
    assert len(caught.value.message) < 400


async def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ImageUnreadable, match=r"empty\.jpg: zero bytes"):
        await load(str(tmp_path / "empty.jpg"))


async def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageRefused, match="not a regular file"):
        await load(str(tmp_path / "pipe"))


async def test_more_bytes_than_allowed_are_refused(tmp_path: Path) -> None:
    limits = replace(LIMITS, max_bytes=len(JPEG) - 1)
    path = tmp_path / "large.jpg"
    path.write_bytes(JPEG)
    for reference in (str(path), JPEG, f"data:;base64,{b64encode(JPEG).decode()}"):
        with pytest.raises(ImageTooLarge, match="over the limit"):
            await load_picture(reference, long_edge=224, limits=limits)
        await load_picture(reference, long_edge=224, limits=replace(LIMITS, max_bytes=len(JPEG)))


async def test_a_huge_sparse_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(ImageTooLarge, match="1099511"):
        await load(str(path))


async def test_urls_can_be_turned_off() -> None:
    with pytest.raises(ImageRefused, match="turned off"):
        await load_picture("https://example.com/a.jpg", long_edge=224, limits=replace(LIMITS, allow_urls=False))
