"""Records of a run: labelled arrays with units, as NetCDF."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from homeonet.errors import InputError
from homeonet.store._atomic import write_atomically
from homeonet.store.checksums import read_verified, verify

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["load_records", "open_recordings", "write_records"]


def write_records(path: Path, records: xr.Dataset) -> None:
    """Write an xarray Dataset as compressed NetCDF 4, in one piece.

    The file is made in memory: HDF5 crashes the process where a disk fills up under it.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    contents = io.BytesIO()
    written = records.copy()
    for variable in written.variables.values():
        variable.encoding = {"zlib": True, "complevel": 4} if variable.ndim else {}
    with h5netcdf.File(contents, "w") as file:
        written.dump_to_store(H5NetCDFStore(file))
    write_atomically(path, lambda file: file.write(contents.getbuffer()))


def open_recordings(path: Path) -> xr.Dataset:
    """Open a file of recordings, of which only what is used is read.

    Raises
    ------
    InputError
        If it cannot be read, or is not what was written.
    """
    import xarray as xr

    verify(path)
    try:
        # not locked: some file systems cannot
        return xr.open_dataset(path, engine="h5netcdf", driver_kwds={"locking": False})
    except Exception as error:  # what HDF5 makes of damaged bytes is open-ended
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({reason}); give the folder of a finished run") from None


def load_records(folder: str | Path) -> xr.Dataset:
    """Open the records of a run's folder.

    Raises
    ------
    InputError
        If the folder holds no readable records, or they are not those that were written.
    """
    import xarray as xr

    path = Path(folder) / "records.nc"
    try:
        # from memory: HDF5 locks the files that it opens, which some file systems cannot
        return xr.load_dataset(io.BytesIO(read_verified(path)), engine="h5netcdf")
    except InputError:
        raise
    except Exception as error:  # what HDF5 makes of damaged bytes is open-ended
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({reason}); give the folder of a finished run") from None
