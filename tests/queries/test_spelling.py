"""Questions about columns whose text is spelt: conditions, answers and gaps spelt alike."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anypart.base.errors import QuestionError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.values import placed
from anypart.queries.fitted import Fitted

from .conftest import tie

N = 400


def make_spelt() -> pa.Table:
    rng = np.random.default_rng(1)
    price = rng.gamma(3.0, 700.0, N)
    start = dt.datetime(2021, 1, 1)
    days = [start + dt.timedelta(days=int(d)) for d in rng.integers(0, 500, N)]
    clock = [dt.time(int(h), int(m)) for h, m in rng.integers(0, 24, (N, 2))]
    return pa.table(
        {
            "price": [f"${x:,.2f}" if i % 9 else "?" for i, x in enumerate(price)],
            "day": [d.strftime("%d.%m.%Y") for d in days],
            "at": [t.strftime("%H:%M") for t in clock],
        }
    )


@pytest.fixture(scope="module")
def spelt() -> Fitted:
    table = make_spelt()
    codec = Codec(infer_schema(read(table)))
    return Fitted(codec.schema, tie(codec, table))


def numbers_of(spelt: Fitted, table: pa.Table, name: str) -> np.ndarray:
    at = table.column_names.index(name)
    x, known = placed(table.column(name), spelt.schema.columns[at])
    assert known.all()
    return x


@pytest.mark.parametrize(
    ("condition", "name", "low", "high"),
    [
        ("price > 1500", "price", 1500, np.inf),
        ("price > $1,500", "price", 1500, np.inf),
        ("$1,000.00 <= price < 2000", "price", 1000, 2000),
        ("day >= 2021-06-01", "day", 18779, np.inf),
        ("day >= 01.06.2021", "day", 18779, np.inf),
        ({"day": (dt.date(2021, 6, 1), None)}, "day", 18779, np.inf),
        ("at < 12:00", "at", 0, 43200),
        ({"at": (dt.time(6), dt.time(12))}, "at", 21600, 43200),
    ],
)
def test_conditions_take_the_spelling_of_the_table_and_the_plain_one(
    spelt: Fitted, condition: object, name: str, low: float, high: float
) -> None:
    drawn = spelt.sample(50, given=condition).value
    assert drawn.column(name).type == pa.string()
    x = numbers_of(spelt, drawn, name)
    assert ((x >= low) & (x <= high)).all()


def test_answers_are_spelt_as_the_table_is(spelt: Fitted) -> None:
    drawn = spelt.sample(20).value.to_pylist()
    assert all(row["price"].startswith("$") for row in drawn)
    assert all(dt.datetime.strptime(row["day"], "%d.%m.%Y") for row in drawn)
    assert all(dt.datetime.strptime(row["at"], "%H:%M") for row in drawn)
    details = spelt.ask("at").details
    assert [dt.time.fromisoformat(details[k]) for k in ("median", "q05", "q95")]
    assert spelt.ask("day").details["median"].startswith("2021-")


def test_a_condition_that_is_no_such_value_says_what_is_there(spelt: Fitted) -> None:
    with pytest.raises(QuestionError, match=r"'soon' is not a date .*from 2021-01-0"):
        spelt.sample(1, given="day > soon")


@pytest.mark.parametrize("how", ["draw", "mode", "mean", "median", "likely"])
def test_marks_are_filled_in_the_same_spelling_and_the_rest_stays(spelt: Fitted, how: str) -> None:
    table = make_spelt().slice(0, 40)
    full = spelt.complete(table, how=how)
    before, after = table.column("price").to_pylist(), full.value.column("price").to_pylist()
    assert full.value.schema == table.schema
    assert "?" not in after
    assert [a for a, b in zip(after, before, strict=True) if b != "?"] == [
        b for b in before if b != "?"
    ]
    numbers_of(spelt, full.value, "price")
    filled = full.details["cells"]
    assert filled.column("row").to_pylist() == [i for i, b in enumerate(before) if b == "?"]


def test_a_typed_table_is_understood_and_completed_in_its_types(spelt: Fitted) -> None:
    table = make_spelt().slice(0, 30)
    typed = pd.DataFrame(
        {
            "price": [
                None if w == "?" else float(w[1:].replace(",", ""))
                for w in table["price"].to_pylist()
            ],
            "day": pd.to_datetime(table["day"].to_pylist(), format="%d.%m.%Y"),
            "at": [dt.datetime.strptime(w, "%H:%M").time() for w in table["at"].to_pylist()],
        }
    )
    assert np.array_equal(spelt.log_prob(table).value, spelt.log_prob(typed).value)
    typed.loc[3, "day"] = pd.NaT
    typed.loc[4, "at"] = None
    full = spelt.complete(typed, how="mode").value
    assert full["price"].dtype == np.float64
    assert str(full["day"].dtype).startswith("datetime64")
    assert isinstance(full["at"][4], dt.time)
    assert full.notna().all().all()


def test_pandas_and_polars_text_comes_back_as_text(spelt: Fitted) -> None:
    table = make_spelt().slice(0, 30)
    for frame in (table.to_pandas(), pl.from_arrow(table)):
        full = spelt.complete(frame, how="mode").value
        assert type(full) is type(frame)
        assert [str(t) for t in full.dtypes] == [str(t) for t in frame.dtypes]
        assert "?" not in list(full["price"])


def test_the_audit_reads_what_is_spelt(spelt: Fitted) -> None:
    table = make_spelt().slice(0, 50)
    prices = ["$99,999,999.00", *table["price"].to_pylist()[1:]]
    worst = spelt.audit(table.set_column(0, "price", pa.array(prices)), top=1).value.to_pylist()[0]
    assert (worst["row"], worst["value"], worst["beyond"]) == (0, "$99,999,999.00", "above")
