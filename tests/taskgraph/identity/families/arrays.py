"""Families of arrays, pictures, matrices: any two of one differ in what can be seen."""

import numpy as np
import scipy.sparse
import scipy.special
from PIL import Image

from .plain import halved, with_attribute


class Lengths(np.ndarray):
    pass


class Metres(np.float64):
    pass


class Masked(np.ma.MaskedArray):
    pass


def lengths(values, **held):
    return with_attribute(np.array(values).view(Lengths), **held)


def structured(*fields, **how):
    return np.zeros(2, np.dtype(list(fields), **how))


def offsets(second, size):
    layout = {"names": ["a", "b"], "formats": ["i1", "i2"], "offsets": [0, second]}
    return np.zeros(2, np.dtype({**layout, "itemsize": size}))


def masked(data, mask=(0, 1), **how):
    return np.ma.array(data, mask=mask, **how)


def hard(array):
    array.harden_mask()
    return array


def picture(mode="L", value=7, **info):
    made = Image.new(mode, (2, 1), value)
    made.info.update(info)
    return made


def coloured(*palette):
    made = Image.new("P", (2, 1), 1)
    made.putpalette(palette)
    return made


def sparse(kind, values=(1, 0, 2)):
    return getattr(scipy.sparse, kind)(np.array([values, (0, 0, 0)]))


def unsorted():
    return scipy.sparse.csr_array(([1, 2], [2, 0], [0, 2]), shape=(1, 3))


OBJECTS = (
    [1, "a"],
    ["a", 1],
    [1.0, "a"],
    [True, "a"],
    [None, "a"],
    [2**70, "a"],
    [(1,), "a"],
)

FAMILIES = {
    "arrays": lambda: [
        np.arange(3),
        np.arange(4),
        np.array([2, 1, 0]),
        [0, 1, 2],
        (0, 1, 2),
    ],
    "dtypes of arrays": lambda: [
        np.zeros(2, kind)
        for kind in [
            "?",
            "i1",
            "u1",
            "i2",
            "f2",
            "f4",
            "f8",
            "c8",
            "g",
            "S1",
            "S2",
            "U1",
            "V1",
            "M8[s]",
            "M8[25s]",
            "m8[s]",
        ]
    ],
    "shapes": lambda: [
        np.zeros(s) for s in ((), 0, 1, (1, 1), (0, 2), (2, 0), (2, 3), (3, 2), 6)
    ],
    "arrays of numbers": lambda: [
        np.array([x, 1.0]) for x in (0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324)
    ],
    "long doubles": lambda: [
        np.array([x], "g") for x in (0, 1, np.nan, np.longdouble(1) / 3, 1 / 3)
    ],
    "arrays of texts": lambda: [
        np.array(x) for x in (["a"], ["b"], ["a", ""], ["a", "b"], [b"a"])
    ],
    "arrays of objects": lambda: [
        np.array(x, object) for x in (*OBJECTS, [[1, 2], "a"], [[1, 3], "a"])
    ],
    "texts of any length": lambda: [
        np.array(["a", "b"], np.dtypes.StringDType()),
        np.array(["a", "c"], np.dtypes.StringDType()),
        np.array(["a", "b"], np.dtypes.StringDType(na_object=None)),
        np.array(["a", "b"]),
        np.array(["a", None], np.dtypes.StringDType(na_object=None)),
    ],
    "large arrays": lambda: [
        np.zeros(20_000),
        np.eye(1, 20_000)[0],
        np.zeros(20_000, "i8"),
    ],
    "large arrays of objects": lambda: [
        np.array(["x"] * 20_000 + [last], object)
        for last in ("x", "y", None, 1, 1.0, b"x", (1,))
    ],
    "moments of arrays": lambda: [
        np.array([x], "M8[s]") for x in ("NaT", "2020", "2021")
    ],
    "structures": lambda: [
        structured(("a", "i4"), ("b", "f4")),
        structured(("b", "i4"), ("a", "f4")),
        structured(("a", "i4"), ("b", "f8")),
        structured(("a", "i4", 2), ("b", "f4")),
        structured((("title", "a"), "i4"), ("b", "f4")),
    ],
    "layouts of structures": lambda: [
        offsets(1, 3),
        offsets(2, 4),
        offsets(2, 8),
        structured(("a", "i1"), ("b", "i2"), align=True),
    ],
    "what dtypes carry": lambda: (
        [np.zeros(2, np.dtype("f8", metadata={"unit": unit})) for unit in ("m", "km")]
        + [np.zeros(2)]
    ),
    "records": lambda: [
        structured(("a", "i4")),
        structured(("a", "i4")).view(np.recarray),
        np.zeros(2, np.dtype((np.record, [("a", "i4")]))),
    ],
    "arrays with attributes": lambda: [
        np.array([1, 2]),
        lengths([1, 2]),
        lengths([1, 2], unit="m"),
        lengths([1, 2], unit="km"),
        lengths([2, 1], unit="m"),
        lengths([1, 2], name="m"),
    ],
    "matrices and arrays": lambda: [
        np.eye(2),
        np.asmatrix(np.eye(2)),
        np.eye(2).view(np.recarray),
    ],
    "masked arrays": lambda: [
        masked([1, 2]),
        masked([1, 2], (1, 0)),
        masked([1, 3]),
        masked([1, 2], fill_value=7),
        hard(masked([1, 2])),
        np.ma.array([1, 2]),
        np.ma.array([1, 2], mask=[0, 0]),
        with_attribute(masked([1, 2]), unit="m"),
        np.array([1, 2]),
        np.ma.masked,
    ],
    "masked arrays of one's own": lambda: [
        masked([1, 2]).view(Masked),
        masked([1, 3]).view(Masked),
    ],
    "scalars": lambda: (
        [
            kind(1)
            for kind in (
                np.int8,
                np.uint8,
                np.int64,
                np.float32,
                np.float64,
                np.bool_,
                np.str_,
            )
        ]
        + [1, 1.0, np.array(1), np.longdouble(1), np.complex64(1), Metres(1.0)]
    ),
    "scalars with attributes": lambda: [
        Metres(1.0),
        with_attribute(Metres(1.0), unit="m"),
        with_attribute(Metres(1.0), unit="km"),
    ],
    "scalars of structures": lambda: [
        structured(("a", "i4"))[0],
        structured(("b", "i4"))[0],
        structured(("a", "i8"))[0],
    ],
    "moments": lambda: [
        np.datetime64(x) for x in ("2020", "2020-01", "2020-01-01", "NaT")
    ],
    "dtypes": lambda: (
        [
            np.dtype(x)
            for x in (
                "i4",
                "i8",
                ">i4",
                "M8[s]",
                "M8[ms]",
                "S3",
                "(2,)i4",
                "i4,i4",
                "O",
            )
        ]
        + [np.dtype("f8", metadata={"a": 1}), np.dtypes.StringDType()]
    ),
    "ufuncs": lambda: [
        np.add,
        np.subtract,
        scipy.special.gamma,
        scipy.special.gammaln,
        np.absolute,
    ],
    "ufuncs of Python": lambda: [
        np.frompyfunc(halved, 1, 1),
        np.frompyfunc(lambda x: x, 1, 1),
    ],
    "functions of numpy": lambda: [
        np.mean,
        np.std,
        np.linalg.norm,
        np.random.default_rng,
    ],
    "generators": lambda: [
        np.random.default_rng(1),
        np.random.default_rng(2),
        np.random.RandomState(1),
    ],
    "sparse arrays": lambda: [
        sparse("csr_array"),
        sparse("csr_array", (1, 0, 3)),
        sparse("csc_array"),
        sparse("coo_array"),
        sparse("csr_matrix"),
        sparse("dia_array"),
        sparse("bsr_array"),
        sparse("lil_array"),
        sparse("dok_array"),
        sparse("csr_array", (1.0, 0, 2)),
    ],
    "orders of sparse arrays": lambda: [unsorted(), unsorted().sorted_indices()],
    "pictures": lambda: [
        picture(),
        picture(value=8),
        picture("I", 7),
        picture("F", 7),
        picture("1", 1),
        picture(dpi=(72, 72)),
        picture(dpi=(96, 96)),
        picture().resize((1, 2)),
    ],
    "palettes": lambda: [
        coloured(0, 0, 0, 9, 9, 9),
        coloured(0, 0, 0, 9, 9, 8),
        picture("P", 1),
    ],
    "polynomials": lambda: [
        np.poly1d([1, 2]),
        np.poly1d([1, 2], variable="z"),
        np.poly1d([2, 1]),
    ],
}
