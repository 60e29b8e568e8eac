#!/usr/bin/env python3
"""Writes the files beside it by the reference implementations, and expected.json,
which says what those read back from them.

Debian: python3-numpy python3-astropy python3-scipy python3-h5py python3-netcdf4
"""
import json
import os
import struct
import warnings

import astropy.io.fits as fits
import h5py
import netCDF4
import numpy as np
import scipy.io.wavfile as wavfile

os.chdir(os.path.dirname(os.path.abspath(__file__)))
warnings.simplefilter("ignore")
expected = {}


def text(v):
    """One element as the test prints it."""
    if v is np.ma.masked:
        return "--"
    if isinstance(v, (np.bool_, bool)):
        return str(int(v))
    if isinstance(v, (np.integer, int)):
        return str(int(v))
    return float(v).hex()


def expect(file, name, a):
    if not isinstance(a, np.ma.MaskedArray):
        a = np.asarray(a)
    expected.setdefault(file, []).append({
        "name": name, "dtype": a.dtype.name, "shape": list(a.shape),
        "values": [text(v) for v in a.ravel(order="C")],
    })


rng = np.random.default_rng(1)
CODES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]


def numbers(code, shape):
    """Numbers all over the range of a type."""
    t = np.dtype(code)
    n = int(np.prod(shape))
    if t.kind == "b":
        a = rng.integers(0, 2, n)
    elif t.kind == "f":
        a = rng.standard_normal(n) * 100
        a[: min(n, 3)] = [np.inf, -0.0, np.nan][: min(n, 3)]
    else:
        info = np.iinfo(t)
        a = rng.integers(info.min, info.max, n, dtype=t.newbyteorder("="), endpoint=True)
    return a.astype(t).reshape(shape)


# npy: every dtype in both byte orders, C and Fortran order.
# They are members of one archive, which keeps the number of files low.
types = {}
for code in CODES:
    for order in "<>":
        for layout in "CF":
            a = np.array(numbers(order + code if code != "?" else code, (2, 3, 2)), order=layout)
            types[f"{code.replace('?', 'b1')}_{'le' if order == '<' else 'be'}_{layout}"] = a
np.savez("types.npz", **types)
with np.load("types.npz") as z:
    for name in z:
        expect("types.npz", name, z[name])
for file, a in [("scalar.npy", np.array(-2.5)), ("empty.npy", np.zeros((0, 3), "f4")), ("none.npy", np.zeros(0, ">i8"))]:
    np.save(file, a)
    expect(file, "x", np.load(file))


def records(layout):
    t = np.dtype([("a", "<f4"), ("b", [("c", ">i2", (2, 3)), ("d", "u1")]), ("e", "?"), (("title", "f"), ">f8", 2)], align=True)
    a = np.zeros((2, 3), t, order=layout)
    a["a"] = numbers("f4", (2, 3))
    a["b"]["c"] = numbers(">i2", (2, 3, 2, 3))
    a["b"]["d"] = numbers("u1", (2, 3))
    a["e"] = numbers("?", (2, 3))
    a["f"] = numbers(">f8", (2, 3, 2))
    return a


for layout in "CF":
    file = f"records_{layout}.npy"
    np.save(file, records(layout))
    r = np.load(file)
    for name, a in [("a", r["a"]), ("b.c", r["b"]["c"]), ("b.d", r["b"]["d"]), ("e", r["e"]), ("f", r["f"])]:
        expect(file, name, a)
np.save("record1.npy", np.array([(1.5,), (2.5,)], [("only", "<f8")]))
expect("record1.npy", "only", np.load("record1.npy")["only"])
for version, file in [((2, 0), "v2.npy"), ((3, 0), "v3.npy")]:
    with open(file, "wb") as f:
        np.lib.format.write_array(f, np.array([(1, 2)], [("ä" if version[0] == 3 else "a", "i4"), ("b", "i4")]), version)
    for name in np.load(file).dtype.names:
        expect(file, name, np.load(file)[name])

# npz: zip64 data come by themselves from numpy.savez, which writes as to a stream.
np.savez("stored.npz", a=numbers("f8", (3, 2)), b=np.asfortranarray(numbers(">i4", (2, 3))), c=numbers("?", 5))
with np.load("stored.npz") as z:
    for name in z:
        expect("stored.npz", name, z[name])
np.savez_compressed("compressed.npz", a=np.arange(6.0))
import zipfile


class Pipe:
    """A file that cannot seek, so that data descriptors follow the members."""

    def __init__(self, name):
        self.f = open(name, "wb")

    def write(self, b):
        return self.f.write(b)

    def flush(self):
        self.f.flush()


with zipfile.ZipFile(Pipe("descriptor.npz"), "w") as z:
    with open("scalar.npy", "rb") as f:
        z.writestr("s.npy", f.read())
    with open("empty.npy", "rb") as f:
        z.writestr("t.npy", f.read())
    z.comment = b"a comment that ends the file"
with np.load("descriptor.npz") as z:
    for name in z:
        expect("descriptor.npz", name, z[name])

# safetensors, by the rules of the format: numbers by NumPy.
header, data = {"__metadata__": {"by": "hand"}}, b""
for name, code in [("U8", "u1"), ("F64", "<f8"), ("F32", "<f4"), ("F16", "<f2"), ("I64", "<i8"), ("I32", "<i4"), ("I16", "<i2"), ("I8", "i1"),
                   ("U64", "<u8"), ("U32", "<u4"), ("U16", "<u2"), ("BOOL", "?")]:
    a = numbers(code, (3, 1))  # three bytes first, so that the rest is aligned to nothing
    header[f"t.{name}"] = {"dtype": name, "shape": list(a.shape), "data_offsets": [len(data), len(data) + a.nbytes]}
    data += a.tobytes()
    expect("all.safetensors", f"t.{name}", a)
h = json.dumps(header).encode()
with open("all.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(h)) + h + data)

# FITS: every BITPIX, scaling, the unsigned convention, BLANK, extensions.
images = [fits.PrimaryHDU(numbers("u1", (2, 3)))]
for code in ["i2", "i4", "i8", "f4", "f8", "u2", "u4", "u8"]:
    images.append(fits.ImageHDU(numbers(code, (2, 1, 3)), name=code))
scaled = fits.ImageHDU(np.array([[1, -5, 7], [-32768, 0, 9]], "i2"), name="scaled")
scaled.header["BSCALE"], scaled.header["BZERO"], scaled.header["BLANK"] = 0.5, 100.25, -32768
table = fits.BinTableHDU.from_columns([fits.Column("q", "D", array=np.arange(3.0))], name="table")
packed = fits.CompImageHDU(np.arange(100, dtype="i4").reshape(10, 10), name="packed")
with open("all.fits", "wb") as f:
    fits.HDUList(images + [table]).writeto(f, checksum=True)
with open("scaled.fits", "wb") as f:
    raw = fits.ImageHDU(np.array([[1, -5, 7], [-32768, 0, 9]], "i2"), name="scaled")
    fits.HDUList([fits.PrimaryHDU(), raw]).writeto(f)
with fits.open("scaled.fits", mode="update", do_not_scale_image_data=True) as f:
    f[1].header["BSCALE"], f[1].header["BZERO"], f[1].header["BLANK"] = 0.5, 100.25, -32768
with open("packed.fits", "wb") as f:
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(f)
with fits.open("all.fits") as f:
    for n, hdu in enumerate(f):
        if n < len(images):
            expect("all.fits", "primary" if n == 0 else hdu.name, hdu.data)
with fits.open("scaled.fits") as f:
    d = f[1].data.astype("f8")
    expect("scaled.fits", "SCALED", np.ma.masked_invalid(d))

# WAV.
for code in ["u1", "i2", "i4", "f4", "f8", "i8"]:
    for channels in (1, 2):
        a = numbers(code, (5, channels))
        file = f"{code}_{channels}.wav"
        wavfile.write(file, 8000, a if channels > 1 else a[:, 0])
        expect(file, "x", wavfile.read(file)[1])
a = numbers("<i2", (4, 2))
guid = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 2, 8000, 32000, 4, 16, 22, 16, 3) + guid
body = b"WAVEfmt " + struct.pack("<I", 40) + fmt + b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"data" + struct.pack("<I", a.nbytes) + a.tobytes()
with open("extensible.wav", "wb") as f:
    f.write(b"RIFF" + struct.pack("<I", len(body)) + body)
expect("extensible.wav", "x", wavfile.read("extensible.wav")[1])
body = (b"WAVEds64" + struct.pack("<IQQQI", 28, 0, a.nbytes, 4, 0) + b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 8000, 32000, 4, 16)
        + b"data" + struct.pack("<I", 0xFFFFFFFF) + a.tobytes())
with open("rf64.wav", "wb") as f:
    f.write(b"RF64" + struct.pack("<I", 0xFFFFFFFF) + body)
expect("rf64.wav", "x", a)
big = a.astype(">i2")
body = b"WAVEfmt " + struct.pack(">IHHIIHH", 16, 1, 2, 8000, 32000, 4, 16) + b"data" + struct.pack(">I", big.nbytes) + big.tobytes()
with open("big.wav", "wb") as f:
    f.write(b"RIFX" + struct.pack(">I", len(body)) + body)
expect("big.wav", "x", wavfile.read("big.wav")[1])

# netCDF-3: fixed and record variables; one record variable alone is not padded.
for file, form, codes in [("classic.nc", "NETCDF3_CLASSIC", ["i1", "i2", "i4", "f4", "f8"]), ("offset.nc", "NETCDF3_64BIT_OFFSET", ["i1", "i2", "i4", "f4", "f8"]),
                          ("data.nc", "NETCDF3_64BIT_DATA", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])]:
    with netCDF4.Dataset(file, "w", format=form) as d:
        d.set_fill_off()
        d.createDimension("t", None)
        d.createDimension("x", 3)
        d.history = "made by a script"
        for code in codes:
            d.createVariable("fixed_" + code, code, ("x",))[:] = numbers(code, 3)
        for code in codes:
            d.createVariable("record_" + code, code, ("t", "x"))[:] = numbers(code, (4, 3))
        d.createVariable("single", "f8")[...] = 2.5
        v = d.createVariable("scaled", "i2", ("t",), fill_value=-9)
        v.scale_factor, v.add_offset = np.float64(0.5), np.float64(20)
        v[:] = np.ma.masked_equal([21.0, 22.5, 0, 30], 0)
    with netCDF4.Dataset(file) as d:
        d.set_auto_mask(False)
        d["scaled"].set_auto_mask(True)
        for name in d.variables:
            expect(file, name, d[name][...])
with netCDF4.Dataset("unsigned.nc", "w", format="NETCDF3_CLASSIC") as d:
    d.createDimension("x", 3)
    v = d.createVariable("v", "i1", ("x",), fill_value=-1)
    v._Unsigned = "true"
    v.set_auto_maskandscale(False)
    v[:] = [1, -1, -3]
with netCDF4.Dataset("unsigned.nc") as d:
    expect("unsigned.nc", "v", d["v"][...])
with netCDF4.Dataset("alone.nc", "w", format="NETCDF3_CLASSIC") as d:
    d.createDimension("t", None)
    d.createDimension("x", 3)
    d.createVariable("v", "i1", ("t", "x"))[:] = numbers("i1", (3, 3))
with netCDF4.Dataset("alone.nc") as d:
    d.set_auto_mask(False)
    expect("alone.nc", "v", d["v"][...])


# HDF5: both layouts of groups and headers.
def fill(f, codes):
    for code in codes:
        for order in "<>":
            f.create_dataset(f"{'le' if order == '<' else 'be'}_{code}", data=numbers(order + code, (2, 3)))
    f.create_dataset("group/inner/x", data=numbers("f8", 4))
    f.create_dataset("scalar", data=np.float32(1.5))
    f["x"] = numbers("i4", 3)
    f["x"].attrs["unit"] = "m"
    f["flag"] = numbers("?", 5)
    f["record"] = np.array([(1, 2.5, [3, 4, 5]), (-1, -2.5, [6, 7, 8])], np.dtype([("a", "<i4"), ("b", ">f8"), ("c", "<u2", 3)], align=True))
    f["hollow"] = np.zeros((0, 2), "f4")


def contents(file):
    with h5py.File(file, "r") as f:
        def visit(name, obj):
            if isinstance(obj, h5py.Dataset) and obj.chunks is None and obj.dtype.kind in "iufb" and obj.id.get_offset() is not None:
                expect(file, name, obj[()])
            elif name == "hollow":
                expect(file, name, obj[()])
            elif name == "record":
                for field in obj.dtype.names:
                    expect(file, "record." + field, obj[field])
        f.visititems(visit)


CODES.remove("?")
for file, libver in [("old.h5", "earliest"), ("v110.h5", ("v110", "v110"))]:
    with h5py.File(file, "w", libver=libver) as f:
        fill(f, CODES if libver == "earliest" else ["i4", "f8"])
    contents(file)
with h5py.File("dense.h5", "w", libver=("v110", "v110")) as f:
    for n in range(20):  # more than lie in the header of a group
        f.create_dataset(f"d{n:02}", data=np.full(1, n, "i4"))
contents("dense.h5")
with h5py.File("wide.h5", "w", libver=("v110", "v110")) as f:
    for n in range(500):  # a tree of depth 2, in several blocks of the heap; one dataset alone
        f[f"a link to the only dataset there is, number {n:03}"] = f["d000"] if n else h5py.SoftLink("/d000")
        if n == 0:
            f["d000"] = np.arange(3, dtype="f4")
            for k in range(12):  # more than lie in the header of a dataset
                f["d000"].attrs[f"attribute{k:02}"] = k
            f["d000"].attrs["scale_factor"] = 0.5
with h5py.File("wide.h5", "r") as f:
    expect("wide.h5", sorted(f)[1], f["d000"][()].astype("f8") * 0.5)
with h5py.File("many.h5", "w", libver="earliest") as f:
    for n in range(40):  # several leaves of the tree
        f.create_dataset(f"d{n:02}", data=np.full(1, n, "i4"))
contents("many.h5")
with h5py.File("other.h5", "w", libver="earliest") as f:
    f.create_dataset("chunked", data=np.arange(6.0), chunks=(3,))
    f.create_dataset("filtered", data=np.arange(6.0), chunks=(3,), compression="gzip")
    f.create_dataset("text", data=b"hello")
    f.create_dataset("complex", data=np.array([1j]))
    f.create_dataset("unwritten", (3,), "f8")
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_layout(h5py.h5d.COMPACT)
    s = h5py.h5s.create_simple((2,))
    d = h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_INT32, s, dcpl)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2], "i4"))
with h5py.File("user.h5", "w", libver="earliest", userblock_size=512) as f:
    f["x"] = numbers("f4", 3)
    f["x"].attrs["longer name"] = 1
    f["x"].attrs["scale_factor"], f["x"].attrs["add_offset"] = 0.5, np.float32(8)
    f["loop"] = f["/"]
with h5py.File("user.h5", "r") as f:
    expect("user.h5", "x", f["x"][()].astype("f8") * 0.5 + 8)
with netCDF4.Dataset("four.nc", "w", format="NETCDF4") as d:
    d.createDimension("x", 3)
    d.createVariable("v", "f4", ("x",), contiguous=True)[:] = [1, 2, 3]
    w = d.createVariable("w", "i2", ("x",), contiguous=True, fill_value=-9)
    w.scale_factor = np.float64(0.5)
    w[:] = np.ma.masked_equal([1.5, 0, 3], 0)
with netCDF4.Dataset("four.nc") as d:
    for name in d.variables:
        expect("four.nc", name, d[name][...])

with open("expected.json", "w") as f:
    json.dump(expected, f, indent=None, separators=(",", ":"), sort_keys=True)
