import contextlib
import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anypart.base.errors import AnypartError, ColumnError, QuestionError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.queries.conditions import parse_conditions
from anypart.queries.meaning import Reader

NAMES = ["age", "sex", "country", "hours per week", "marital-status", "last_review", "a<b"]


def spelt(text) -> list[str]:
    return [str(c) for c in parse_conditions(text, NAMES)]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("age > 50", ["age > 50"]),
        ("age>50", ["age > 50"]),
        ("50 < age", ["age > 50"]),
        ("age >= 50 and age < 60", ["age >= 50", "age < 60"]),
        (["age >= 50", "sex=Female"], ["age >= 50", "sex = Female"]),
        ("30 <= age < 40", ["age >= 30", "age < 40"]),
        ("40 > age >= 30", ["age < 40", "age >= 30"]),
        ("sex == Female", ["sex = Female"]),
        ('sex = "Never married"', ["sex = Never married"]),
        ("sex = 'x and y'", ['sex = "x and y"']),
        ("sex = Black and White and age>3", ['sex = "Black and White"', "age > 3"]),
        ('country in (A, "B, C")', ['country in (A, "B, C")']),
        ("country not in (A,B) AND age<3", ["country not in (A, B)", "age < 3"]),
        ("sex != HS-grad", ["sex != HS-grad"]),
        ("hours per week >= 40", ["hours per week >= 40"]),
        ("marital-status=Divorced", ["marital-status = Divorced"]),
        ("last_review >= 2019-01-01", ["last_review >= 2019-01-01"]),
        ("sex=<=50K", ['sex = "<=50K"']),
        ('"a<b" > 3', ["a<b > 3"]),
        ("a<b > 3", ["a<b > 3"]),
        ("a<b=3 and age<4", ["a<b = 3", "age < 4"]),
        ("sex = Either or Neither", ["sex = Either or Neither"]),
        ({"age": (50, None)}, ["age >= 50"]),
        ({"age": (50, 60), "sex": "F"}, ["age >= 50", "age <= 60", "sex = F"]),
        ({"country": ["A", "B"]}, ["country in (A, B)"]),
        (None, []),
        ("sex in (and, or)", ["sex in (and, or)"]),
    ],
)
def test_a_condition_means_what_people_expect(text, meaning) -> None:
    assert spelt(text) == meaning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age is missing", "a gap is not a value"),
        ("sex = Female or sex = Male", r"write 'sex in \(Female, …\)'"),
        ("age is not null", "a gap is not a value"),
        ("age", "is not a condition"),
        ("", "is not a condition"),
        ("age >", "lacks a column or a value"),
        ("country in ()", "is empty"),
        ("country in (A", "not closed"),
        ({"age": None}, "None"),
        ({"age": (1, 2, 3)}, "a range is"),
        ({"country": []}, "is empty"),
        ([3], "A condition is a string"),
    ],
)
def test_what_is_no_condition_is_refused_with_a_way_out(text, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        parse_conditions(text, NAMES)


@pytest.fixture(scope="module")
def reader() -> Reader:
    day = dt.date(2019, 1, 1)
    rows = {
        "age": [20 + i % 40 for i in range(400)],
        "size": [1.5 * (i % 97) ** 1.1 for i in range(400)],
        "sex": ["Female", "Male", "Never married", "<=50K"] * 100,
        "seen": [day + dt.timedelta(days=i % 300) for i in range(400)],
        "id": [f"x{i}" for i in range(400)],
    }
    return Reader(Codec(infer_schema(read(pa.table(rows)))))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("agee > 3", ColumnError, "Did you mean 'age'"),
        ("id = x3", ColumnError, "left out of the model"),
        ("sex = Femal", QuestionError, "Did you mean 'Female'"),
        ("sex > 3", QuestionError, "have no order|has categories"),
        ("sex<=50K", QuestionError, "in quotes"),
        ("age > old", QuestionError, "not a finite number"),
        ("age > nan", QuestionError, "not a finite number"),
        ("seen > 2019-13-01", QuestionError, "not a date"),
        ("age > 50 and age < 40", QuestionError, "contradict"),
        ("sex = Male and sex = Female", QuestionError, "contradict"),
        ({"age": object()}, QuestionError, "cannot be compared"),
    ],
)
def test_conditions_without_a_meaning_say_what_to_do(reader, text, error, message) -> None:
    with pytest.raises(error, match=message):
        reader.event(text)


def test_equal_conditions_in_other_forms_mean_the_same(reader) -> None:
    for one, other in [
        ("30 <= age <= 40", {"age": (30, 40)}),
        ("age >= 30 and age < 41", "age > 29 and age <= 40"),
        ("sex in (Male, Female)", "sex not in ('Never married', '<=50K')"),
        ("seen >= 2019-02-01", {"seen": (dt.date(2019, 2, 1), None)}),
        ("sex = male", {"sex": "Male"}),
    ]:
        a, b = (next(iter(reader.event(x).parts.values())).shares for x in (one, other))
        assert a == pytest.approx(b)


FEW = Reader(
    Codec(
        infer_schema(read(pa.table({"age": [1, 2, 3, 4, 5] * 4, "sex": ["Female", "Male"] * 10})))
    )
)


@given(st.text(alphabet="age<>=!() ,'\"inotd and5sexFemale\\-.", max_size=40))
@settings(max_examples=300, deadline=None)
@example("age in (")
@example("'")
def test_any_text_is_understood_or_refused_cleanly(text: str) -> None:
    with contextlib.suppress(AnypartError):
        FEW.event(text)
