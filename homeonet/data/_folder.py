"""Images in folders, one folder per class, or the same in a zip file: read, squared, resized and kept for next time.

Finds classes and parts by the names of folders; knows nothing of which images a run takes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from homeonet.data._paths import refuse_pointer
from homeonet.data._sources import RawImages
from homeonet.errors import InputError
from homeonet.machine.cache import cache_root

__all__ = ["ImageTree", "image_tree", "read_images"]

_ENDINGS = (".png", ".jpg", ".jpeg")
_PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
#: Part of the cache's names; to be raised when images are read in another way.
_FORM = 1


@dataclass(frozen=True)
class _Entry:
    """One image: where it is below the folder of classes, and what tells whether it has changed."""

    name: str
    size: int
    stamp: int  # time of change in ns, or a checksum in a zip file


@dataclass(frozen=True)
class ImageTree:
    """What a folder of images holds, in the order train, val, test, then class, then name; no image is open yet.

    Attributes
    ----------
    name : str
        What the data are called in a configuration.
    path : Path
    class_names : tuple of str
    parts : dict of str to list of int
        Labels of the images of "train", "val" and "test"; all are "train" where nothing is divided.
    """

    name: str
    path: Path
    class_names: tuple[str, ...]
    parts: dict[str, list[int]]
    entries: list[_Entry]
    read: Callable[[_Entry], bytes]
    zipped: bool
    depth: int  # how many folders wrap those of classes

    @property
    def key(self) -> str:
        """What the cache calls it: path, names, sizes and times of change."""
        listed = [(entry.name, entry.size, entry.stamp) for entry in self.entries]
        return hashlib.sha256(
            repr((_FORM, str(self.path), listed)).encode("utf-8", "surrogatepass")
        ).hexdigest()[:32]

    def digest(self) -> str:
        """Hash of names and content, the same for a folder and for a zip file of it."""
        kept = _cache_folder() / f"{self.key}.json"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads(kept.read_text(encoding="utf-8"))["digest"])
        hashed = hashlib.sha256()
        for entry in self.entries:
            checksum = entry.stamp if self.zipped else zlib.crc32(self.content(entry))
            below = "/".join(entry.name.split("/")[self.depth :])
            hashed.update(f"{below}\0{entry.size}\0{checksum:08x}\n".encode("utf-8", "surrogatepass"))
        digest = hashed.hexdigest()
        described = json.dumps({"digest": digest, "path": str(self.path)})
        _keep(kept, lambda file: file.write(described.encode()))
        return digest

    def content(self, entry: _Entry) -> bytes:
        """The bytes of an image's file."""
        try:
            return self.read(entry)
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"data = {self.name!r}: {self.path / entry.name} cannot be read ({reason}); repair or remove it"
            ) from None


def image_tree(path: Path, name: str) -> ImageTree:
    """What lies in a folder of images, or in a zip file of one.

    Parameters
    ----------
    path : Path
        Holds a folder for each class, or ``train/`` and ``test/`` (and ``val/``) with a folder for each class. Images
        are PNG or JPEG files at any depth below; other files are left alone.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        If there are no images, fewer than two classes, images outside of classes, or classes missing in a part.
    """
    zipped = not path.is_dir()
    entries, read, others = _zipped(path, name) if zipped else _walked(path, name)
    if not entries:
        held = f"; it holds {', '.join(sorted(others)[:3])}" if others else ""
        raise InputError(
            f"data = {name!r}: no PNG or JPEG image below {path}{held}; give a folder with one folder per class"
        )
    entries.sort(key=lambda entry: entry.name)
    depth = 0
    while _lone_folder(entries, depth):
        depth += 1
    placed: dict[str, list[tuple[str, _Entry]]] = {}
    tops = {entry.name.split("/")[depth].lower() for entry in entries if entry.name.count("/") > depth}
    divided = "train" in tops and bool(len(tops) == 1 or tops & (_PARTS.keys() - {"train"}))
    for entry in entries:
        *folders, _ = entry.name.split("/")[depth:]
        part = "train"
        if divided and folders:
            part = _PARTS.get(folders[0].lower(), "")
            folders = folders[1:]
            if not part:
                continue
        if not folders:
            raise InputError(
                f"data = {name!r}: {path / entry.name} lies in no class's folder; give each class a folder of images"
            )
        placed.setdefault(part, []).append((folders[0], entry))
    if "test" not in placed and divided:
        raise InputError(
            f"data = {name!r}: {path} holds train/ and no test/; add it, or put the folders of classes there directly"
        )
    class_names = _in_order({label for label, _ in placed["train"]})
    if len(class_names) < 2:
        raise InputError(
            f"data = {name!r}: one class, {class_names[0]!r}, below {path}; classification needs at least two folders"
        )
    for part, images in placed.items():
        found = {label for label, _ in images}
        for labels, there, missing in (
            (found - set(class_names), part, "train"),
            (set(class_names) - found if part == "test" else set(), "train", part),
        ):
            if labels:
                raise InputError(
                    f"data = {name!r}: class {_in_order(labels)[0]!r} is in {there}/, not in {missing}/, below {path}; "
                    "give both the same classes"
                )
    number = {label: k for k, label in enumerate(class_names)}
    parts, listed = {}, []
    for part in ("train", "val", "test"):
        ordered = sorted(placed.get(part, []), key=lambda item: (number[item[0]], item[1].name))
        parts[part] = [number[label] for label, _ in ordered]
        listed += [entry for _, entry in ordered]
    return ImageTree(name, path, class_names, parts, listed, read, zipped, depth)


def read_images(tree: ImageTree, size: int | None) -> RawImages:
    """The images of a tree, mapped from the cache if they were read before, else read now.

    Parameters
    ----------
    tree : ImageTree
    size : int or None
        Side in pixels: each image is put into a black square and resized to it, to whole grey levels. None keeps
        images as they are, if all are of one size.

    Raises
    ------
    InputError
        If an image cannot be read: names its file.
    """
    kept = _kept(tree, size)
    if kept is None:
        kept = _read_all(tree, size)
    images, n_padded = kept
    if n_padded:
        warnings.warn(
            f"data = {tree.name!r}: {n_padded} of {len(images)} images are not square and are padded with black",
            stacklevel=4,
        )
    bounds = np.cumsum([len(tree.parts[part]) for part in ("train", "val")])
    x = dict(zip(("train", "val", "test"), np.split(images, bounds), strict=True))
    y = {part: np.array(labels, dtype=np.int64) for part, labels in tree.parts.items()}
    present = {part: len(labels) > 0 for part, labels in y.items()}
    return RawImages(
        str(tree.path), tree.class_names, x["train"], y["train"],
        x["test"] if present["test"] else None, y["test"] if present["test"] else None,
        x_val=x["val"] if present["val"] else None, y_val=y["val"] if present["val"] else None,
    )  # fmt: skip


def _walked(path: Path, name: str) -> tuple[list[_Entry], Callable[[_Entry], bytes], set[str]]:
    entries, others = [], set()
    try:
        for folder, folders, files in os.walk(path, followlinks=True):
            folders[:] = [f for f in folders if not f.startswith((".", "__MACOSX"))]
            for file in files:
                place = Path(folder, file)
                if file.startswith("."):
                    continue
                if not file.lower().endswith(_ENDINGS):
                    others.add(file)
                    continue
                status = place.stat()
                entries.append(_Entry(place.relative_to(path).as_posix(), status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise InputError(
            f"data = {name!r}: {error.filename or path} cannot be read ({error.strerror}); repair or remove it"
        ) from None
    return entries, lambda entry: (path / entry.name).read_bytes(), others


def _zipped(path: Path, name: str) -> tuple[list[_Entry], Callable[[_Entry], bytes], set[str]]:
    refuse_pointer(path, name)
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise InputError(
            f"data = {name!r}: {path} is neither a folder nor a readable zip file ({error}); give a folder of images"
        ) from None
    entries, others = [], set()
    for info in archive.infolist():
        if info.is_dir() or any(p.startswith((".", "__MACOSX")) for p in info.filename.split("/")):
            continue
        if info.filename.lower().endswith(_ENDINGS):
            entries.append(_Entry(info.filename, info.file_size, info.CRC))
        else:
            others.add(info.filename.rsplit("/", 1)[-1])
    return entries, lambda entry: archive.read(entry.name), others


def _lone_folder(entries: list[_Entry], depth: int) -> bool:
    """Whether all images lie in one folder of folders at this depth, which is then only a wrapping."""
    tops = {entry.name.split("/")[depth] for entry in entries}
    inside = all(entry.name.count("/") > depth + 1 for entry in entries)
    return len(tops) == 1 and inside and next(iter(tops)).lower() not in _PARTS


def _in_order(labels: set[str]) -> tuple[str, ...]:
    """Names of classes in order: numbers by their value, else by alphabet."""
    numbers = all(label.isascii() and label.isdigit() for label in labels)
    return tuple(sorted(labels, key=(lambda label: (int(label), label)) if numbers else None))


def _cache_folder() -> Path:
    return cache_root() / "data" / "images"


def _kept(tree: ImageTree, size: int | None) -> tuple[np.ndarray, int] | None:
    """Images and how many were padded, as a former call left them; None if none did."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        for path in _cache_folder().glob(f"{tree.key}-{size}-*.npy"):
            images = np.load(path, mmap_mode="r")
            if images.dtype == np.uint8 and len(images) == len(tree.entries) and images.ndim in (3, 4):
                return images, int(path.stem.rsplit("-", 1)[1])
    return None


def _read_all(tree: ImageTree, size: int | None) -> tuple[np.ndarray, int]:
    pixels, n_padded, coloured = np.empty((0, 0, 0, 3), dtype=np.uint8), 0, False
    for k, entry in enumerate(tree.entries):
        image, square = _decoded(tree, entry, size)
        n_padded += size is not None and not square
        coloured = coloured or image.ndim == 3
        if k == 0:
            pixels = np.empty((len(tree.entries), *image.shape[:2], 3), dtype=np.uint8)
        if image.shape[:2] != pixels.shape[1:3]:
            sizes = Counter((pixels.shape[1:3], image.shape[:2]))
            listed = " and ".join(f"{h} x {w}" for h, w in sizes)
            raise InputError(
                f"data = {tree.name!r}: images are of several sizes ({listed} pixels); give size, the side of squares"
            )
        pixels[k] = image if image.ndim == 3 else image[..., None]
    images = pixels if coloured else np.ascontiguousarray(pixels[..., 0])
    path = _cache_folder() / f"{tree.key}-{size}-{n_padded}.npy"
    _keep(path, lambda file: np.save(file, images))
    return images, n_padded


def _keep(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file of the cache whole, if it can be written: without a cache, images are read each time."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            try:
                write(file)
                file.flush()
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)


def _decoded(tree: ImageTree, entry: _Entry, size: int | None) -> tuple[np.ndarray, bool]:
    """An image ``(h, w)`` or in colour ``(h, w, 3)``, uint8, squared and resized; and whether it was a square."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    content = tree.content(entry)
    refuse_pointer(tree.path / entry.name, tree.name, content[:64])
    try:
        with Image.open(io.BytesIO(content)) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I"):  # 16 bits
                image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
            elif image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
            elif image.mode != "L":
                image = image.convert("L" if image.mode == "1" else "RGB")
            width, height = image.size
            if size is not None:
                if width != height:
                    side = max(width, height)
                    square = Image.new(image.mode, (side, side))
                    square.paste(image, ((side - width) // 2, (side - height) // 2))
                    image = square
                if image.size != (size, size):
                    image = image.resize((size, size), Image.Resampling.BILINEAR)
            pixels = np.asarray(image)
    except Exception as error:  # whatever a decoder raises for what is no image
        reason = "it is no image" if isinstance(error, UnidentifiedImageError) else error
        reason = "it is empty" if not content else reason
        raise InputError(
            f"data = {tree.name!r}: {tree.path / entry.name} cannot be read ({reason}); replace or remove it"
        ) from None
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    return pixels, width == height
