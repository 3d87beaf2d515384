import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anypart.data import line as shipped
from anypart.data.cells import make_cells
from anypart.data.codec import OTHER, Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.line import Line
from anypart.data.schema import Column, Kind, Schema

from .planted import planted
from .tables import mixed

COLUMNS = {
    "integers with a spike": lambda r: np.where(r.random(3000) < 0.9, 0, r.integers(1, 90, 3000)),
    "few integers": lambda r: r.integers(1, 4, 50),
    "wide integers": lambda r: r.integers(-(10**9), 10**9, 4000),
    "multiples of 25": lambda r: r.integers(100, 220, 342) * 25,
    "tenths": lambda r: np.round(r.normal(40, 5, 342), 1),
    "reals": lambda r: r.normal(0, 1, 3000),
    "reals with a spike": lambda r: np.where(r.random(3000) < 0.5, 0.25, r.normal(0, 1, 3000)),
    "two reals": lambda r: r.choice([0.123456789, 5.123456789], 40),
    "one value": lambda r: np.full(9, 3.7),
    "far outlier": lambda r: np.append(r.integers(0, 40, 2000), 99999),
    "tiny": lambda r: r.normal(0, 1e-9, 900),
    "huge": lambda r: r.lognormal(200, 30, 900),
}


def line_of(name, module=shipped):
    x = COLUMNS[name](np.random.default_rng(3)).astype(np.float64)
    cells, resolution = make_cells(x)
    return x, module.Line(Column("x", Kind.CONTINUOUS, "", cells=cells, resolution=resolution))


def round_trips(line, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(line.n_cats), 200)
    u = np.concatenate([[0.0, 1.0], rng.random(len(codes) - 2)])
    return (line.encode(line.values(codes, u))[0] == codes).all()


def total_mass(line):
    """Mass of each interval cell: sum over the grid points, or midpoint quadrature.

    The points are laid without the line's own pieces: 400 to each stretch between
    neighbouring bounds of the cells, and ever longer steps into the tails.
    """
    bounds = np.unique([*line.grid.values(line._steps(line.edges)).tolist(), *line.atoms_values])
    r = line.grid.resolution
    mass = np.zeros(line.n_cats)
    span = bounds[-1] - bounds[0]
    if r:
        points = np.arange(
            np.rint((bounds[0] - 60 * span) / r), np.rint((bounds[-1] + 60 * span) / r)
        )
        points, widths = line.grid.values(points), np.full(len(points), r)
    else:
        tail = span * np.geomspace(1e-7, 2000, 4000)
        stops = np.concatenate([bounds[0] - tail[::-1], bounds[:1]])
        for a, b in itertools.pairwise(bounds):
            stops = np.append(stops, np.linspace(a, b, 400)[1:])
        stops = np.append(stops, bounds[-1] + tail)
        points, widths = (stops[1:] + stops[:-1]) / 2, np.diff(stops)
    codes, log_density = line.encode(points)
    atoms = np.isin(codes, line.atom_codes)
    np.add.at(mass, codes[~atoms], (np.exp(log_density) * widths)[~atoms])
    return np.delete(mass, line.atom_codes)


@pytest.mark.parametrize("name", COLUMNS)
def test_decoding_then_encoding_gives_every_code_back(name):
    assert round_trips(line_of(name)[1])


@pytest.mark.parametrize("name", COLUMNS)
def test_every_training_value_has_a_density_and_atoms_come_back(name):
    x, line = line_of(name)
    codes, density = line.encode(x)
    assert np.isfinite(density).all()
    atoms = np.isin(codes, line.atom_codes)
    assert (line.values(codes[atoms], np.zeros(atoms.sum())) == x[atoms]).all()
    assert (density[atoms] == 0).all()


SMALL_ENOUGH = ["integers with a spike", "few integers", "multiples of 25", "tenths", "reals"]
SMALL_ENOUGH += ["reals with a spike", "two reals", "tiny"]


@pytest.mark.parametrize("name", SMALL_ENOUGH)
def test_the_density_of_each_cell_integrates_to_one(name):
    line = line_of(name)[1]
    line.atoms_values = line.grid.values(line.atoms)
    np.testing.assert_allclose(total_mass(line), 1, atol=2e-3)


def test_the_integral_notices_a_density_that_forgets_the_grid():
    module = planted(shipped, "* (self.grid.resolution or 1.0)", "")
    line = line_of("tenths", module)[1]
    line.atoms_values = line.grid.values(line.atoms)
    assert np.abs(total_mass(line) - 1).max() > 0.5


def test_the_round_trip_notices_atoms_left_inside_intervals():
    module = planted(shipped, 'places + np.searchsorted(gaps, places, side="right")', "places")
    assert not round_trips(line_of("integers with a spike", module)[1])


def test_drawn_values_have_the_stated_density():
    line = line_of("tenths")[1]
    n, rng = 200_000, np.random.default_rng(0)
    code = int(line.owner[2])
    x = line.values(np.full(n, code), rng.random(n))
    values, counts = np.unique(x, return_counts=True)
    share = np.exp(line.encode(values)[1]) * line.grid.resolution
    share /= share.sum()  # the tails are never drawn from
    assert (np.abs(counts / n - share) < 5 * np.sqrt(share / n)).all()


@pytest.mark.parametrize("name", COLUMNS)
def test_spans_hold_exactly_the_values_between_the_bounds(name):
    x, line = line_of(name)
    rng = np.random.default_rng(0)
    codes, u = np.repeat(np.arange(line.n_cats), 50), rng.random(50 * line.n_cats)
    drawn = line.values(codes, u)
    for low, high in np.sort(rng.choice(x, (8, 2)), axis=1):
        for open_low, open_high in [(False, False), (True, True)]:
            spans = line.spans(low, high, open_low=open_low, open_high=open_high)
            assert (spans[:, 0] <= spans[:, 1] + 1e-12).all() or low == high
            inside = (drawn > low if open_low else drawn >= low) & (
                drawn < high if open_high else drawn <= high
            )
            start, stop = spans[codes].T
            near = (np.abs(u - start) < 1e-9) | (np.abs(u - stop) < 1e-9)
            width = 1 / line.n_pieces[codes]  # on a grid, quantiles within a point are one value
            atom = np.isin(codes, line.atom_codes)
            if line.grid.over:
                sure = atom | (stop - start > 1e-9) & (u > start + 1e-9) & (u < stop - 1e-9)
                assert (inside | ~sure | (stop <= start))[sure].all()
            else:
                assert (inside == ((u >= start) & (u < stop) & (stop > start)))[~near].all()
            assert width.min() > 0


@pytest.mark.parametrize("name", COLUMNS)
def test_cell_means_are_the_means_of_drawn_values(name):
    line = line_of(name)[1]
    codes = np.repeat(np.arange(line.n_cats), 2000)
    drawn = line.values(codes, np.random.default_rng(0).random(len(codes)))
    drawn = drawn.reshape(line.n_cats, -1)
    error = (
        6 * drawn.std(1) / np.sqrt(2000) + 1e-9 * np.abs(drawn).max() + line.grid.resolution / 50
    )
    assert (np.abs(line.means() - drawn.mean(1)) <= error).all()


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-50, 50), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_numbers_make_cells_that_round_trip(values):
    cells, resolution = make_cells(np.array(values, np.float64))
    line = Line(Column("x", Kind.CONTINUOUS, "", cells=cells, resolution=resolution))
    _codes, density = line.encode(np.array(values, np.float64))
    assert np.isfinite(density).all()
    assert round_trips(line)


@pytest.fixture(scope="module")
def table():
    return mixed()


@pytest.fixture(scope="module")
def codec(table):
    return Codec(infer_schema(read(table)))


def test_a_table_comes_back_with_its_names_types_and_gaps(table, codec):
    rows = codec.encode(table)
    out = codec.decode(rows.codes, rows.seen, np.random.default_rng(0))
    assert out.column_names == table.column_names
    for column in codec.columns:
        assert out.schema.field(column.name).type == table.schema.field(column.name).type
        assert out[column.name].null_count == table[column.name].null_count
    for name in ("word", "flag", "digit"):
        assert out[name].to_pylist() == table[name].to_pylist()
    again = codec.encode(out)
    assert (again.codes == rows.codes).all()
    assert (again.seen == rows.seen).all()
    assert not rows.unknown


def test_text_and_typed_values_have_the_same_codes(table, codec):
    rows = codec.encode(table)
    written = {n: table[n].cast(pa.string()) for n in table.column_names if n != "flag"}
    written["flag"] = pa.array([str(v) for v in table["flag"].to_pylist()])
    text = codec.encode(pa.table(written))
    assert (text.codes == rows.codes).all()
    assert (text.seen == rows.seen).all()
    np.testing.assert_allclose(text.log_measure, rows.log_measure, rtol=1e-9)


def test_other_tables_meet_the_schema_by_name(codec, table):
    names = [c.name for c in codec.columns]
    rows = codec.encode(pa.table({"extra": [1], "word": ["blue"]}))
    assert rows.seen.tolist() == [[name == "word" for name in names]]
    encoded = pa.table({"word": table["word"].dictionary_encode()})
    assert (codec.encode(encoded).codes[:, 0] == codec.encode(table).codes[:, 0]).all()


def test_values_without_a_code_are_unseen_and_counted(codec):
    rows = codec.encode(pa.table({"word": ["mauve", None], "digit": ["many", "3"]}))
    assert rows.unknown == {"word": 1, "digit": 1}
    assert rows.seen.sum() == 1


def test_unseen_categories_go_to_the_bin_where_there_is_one():
    column = Column("c", Kind.CATEGORICAL, "", categories=("a", "b"), has_other=True)
    codec = Codec(Schema((column,), 3))
    rows = codec.encode(pa.table({"c": ["b", "new", None]}))
    assert rows.codes[:, 0].tolist() == [1, 2, 0]
    assert rows.seen[:, 0].tolist() == [True, True, False]
    assert codec.decode(rows.codes, None, np.random.default_rng(0))["c"].to_pylist() == [
        "b",
        OTHER,
        "a",
    ]


def test_infinities_and_nan_are_unseen(codec):
    rows = codec.encode(pa.table({"real": [np.inf, -np.inf, np.nan, 0.5]}))
    assert rows.seen.sum() == 1
    assert rows.unknown == {"real": 2}


def test_values_far_outside_have_a_code_and_a_proper_small_density(codec):
    rows = codec.encode(pa.table({"big": [1e149, 1e4]}))
    assert rows.seen.sum() == 2
    assert rows.log_measure[0] < rows.log_measure[1] - 100


def test_draws_meet_the_spans_they_are_given(codec):
    at = [c.name for c in codec.columns].index("rounded")
    spans = codec.spans(at, 40, 41, open_low=True)
    share = spans[:, 1] - spans[:, 0]
    codes = np.zeros((5000, len(codec.n_cats)), np.int32)
    rng = np.random.default_rng(0)
    codes[:, at] = rng.choice(len(share), 5000, p=share / share.sum())
    drawn = np.array(codec.decode(codes, None, rng, {at: spans})["rounded"])
    assert drawn.min() > 40
    assert drawn.max() <= 41


def test_labels_name_every_code(codec):
    for col_ix, column in enumerate(codec.columns):
        labels = codec.labels(col_ix)
        assert len(labels) == codec.n_cats[col_ix] == column.n_cats
        if column.kind == Kind.DATE:
            assert all("20" in label for label in labels)


def test_few_columns_have_finer_cells():
    x = np.random.default_rng(0).normal(size=20_000)
    plain, finer = make_cells(x)[0], make_cells(x, finer=True)[0]
    in_tails = 6  # at most: an outer cell is halved while it is long
    assert 64 <= len(plain) <= 64 + in_tails
    assert 128 <= len(finer) <= 128 + in_tails
    assert len(make_cells(x[:5_000], finer=True)[0]) <= 64 + in_tails  # too few rows for more
    columns = {f"c{i}": x for i in range(13)}
    many = infer_schema(read(columns)).modelled
    few = infer_schema(read(dict(list(columns.items())[:12]))).modelled
    assert {c.n_cats for c in many} == {len(plain)}
    assert {c.n_cats for c in few} == {len(finer)}
