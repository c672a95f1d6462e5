"""File systems that cannot lock: finished records are read all the same."""

from __future__ import annotations

import fcntl

import pytest
import xarray as xr

from homeonet import InputError, store


def test_records_are_read_where_hdf5_cannot_lock_them(tmp_path) -> None:
    records = xr.Dataset({"rate": ("time", [1.0, 2.0], {"units": "Hz"})})
    path = tmp_path / "records.nc"
    store.write_records(path, records)
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # HDF5's own lock fails, as it does where there are none
        with pytest.raises(OSError, match="lock"):
            xr.load_dataset(path, engine="h5netcdf")
        xr.testing.assert_identical(store.load_records(tmp_path), records)


def test_records_that_are_missing_or_damaged_are_one_line(tmp_path) -> None:
    path = tmp_path / "records.nc"
    cases = {None: "cannot be read", b"": "cannot be read", b"\x89HDF\r\n\x1a\n": "cannot be read"}
    cases[b"version https://git-lfs.github.com/spec/v1\n"] = "is a Git LFS pointer"
    for content, words in cases.items():
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=words) as caught:
            store.load_records(tmp_path)
        assert str(path) in str(caught.value) and str(caught.value).isprintable()
