"""The report page: one file, nothing from outside, nothing that a cell could smuggle in."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.models.contract import Layout
from anypart.optim.catalogue import LEARNERS
from anypart.queries.fitted import Fitted
from anypart.studio import page as page_module
from anypart.studio import report, svg
from anypart.studio.marginals import marginals

EVIL = '<script src="https://example.org/x.js">alert(1)</script>'


def rows(n: int = 240) -> pa.Table:
    rng = np.random.default_rng(0)
    size = rng.normal(size=n)
    sort = np.where(size + rng.normal(size=n) > 0, EVIL, "plain & simple")
    year = pa.array(2000 + rng.integers(0, 3, n), mask=rng.random(n) < 0.1)
    return pa.table({"size": size, '<b>sort"': sort, "year": year})


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    schema = infer_schema(read(rows()))
    codec = Codec(schema)
    coded = codec.encode(rows())
    learner = LEARNERS["chow_liu"](Layout(codec.n_cats), coded.codes, coded.seen, {}, 0)
    return Fitted(schema, learner.model(), None, {"seed": 7, "purpose": "any"})


@pytest.fixture(scope="module")
def text(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    report(fitted, rows(), path)
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    return path.read_text()


class Reader(HTMLParser):
    """Collects tags, and checks that each that is opened is closed."""

    VOID = ("meta", "rect", "path", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def assert_nothing_from_outside(text: str) -> None:
    names = {name for _, attrs in parsed(text).tags for name in attrs}
    assert not names & {"src", "srcset", "onload", "onclick", "action", "data"}
    hrefs = [attrs["href"] for _, attrs in parsed(text).tags if "href" in attrs]
    assert all(h and h.startswith("#") for h in hrefs)
    assert "script" not in {tag for tag, _ in parsed(text).tags}
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_page_asks_nothing_of_the_network_whatever_a_cell_holds(text: str) -> None:
    assert_nothing_from_outside(text)
    assert "default-src 'none'" in text
    assert "&lt;script" in text


def test_the_law_bites_when_text_is_not_escaped(
    fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (page_module, svg):
        monkeypatch.setattr(module, "escape", lambda words: words)
    report(fitted, rows(), tmp_path / "page.html")
    with pytest.raises(AssertionError):
        assert_nothing_from_outside((tmp_path / "page.html").read_text())


def test_every_section_is_there_and_linked(text: str) -> None:
    ids = {attrs["id"] for _, attrs in parsed(text).tags if "id" in attrs}
    links = {
        str(attrs["href"])[1:] for tag, attrs in parsed(text).tags if tag == "a" and "href" in attrs
    }
    assert (
        ids
        == links
        == {
            *("likelihood", "columns", "dependence", "cells"),
            *("quality", "calibration", "by-column", "labels"),
        }
    )


def test_every_chart_has_words_for_those_who_do_not_see_it(text: str) -> None:
    charts = [attrs for tag, attrs in parsed(text).tags if tag == "svg"]
    assert len(charts) == 6  # levels, three columns, the map, reliability
    assert all(c["role"] == "img" and c["aria-label"] for c in charts)


def test_the_page_has_both_colour_schemes_and_fits_a_phone(text: str) -> None:
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_no_number_of_a_library_is_shown_by_its_type(text: str) -> None:
    assert "np.float64" not in text
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S)


def test_the_shares_of_a_column_sum_to_one(fitted: Fitted) -> None:
    found = {m.column.name: m for m in marginals(fitted, read(rows()), 10)}
    for one in found.values():
        assert 0.95 < one.data.sum() <= 1 + 1e-9
        assert 0.95 < one.model.sum() <= 1 + 1e-6
    assert found["year"].missing == pytest.approx(rows()["year"].null_count / 240)
    assert found["year"].labels[0] == "2000"
    assert found["year"].labels[-1] == "2002"


def test_the_bars_of_the_table_are_its_counts(fitted: Fitted) -> None:
    found = {m.column.name: m for m in marginals(fitted, read(rows()), 10)}
    years = rows()["year"].drop_null().to_pylist()
    wanted = [years.count(y) / len(years) for y in (2000, 2001, 2002)]
    assert found["year"].data == pytest.approx(wanted)
    sorts = rows()['<b>sort"'].to_pylist()
    one = found['<b>sort"']
    assert dict(zip(one.labels, one.data, strict=True)) == pytest.approx(
        {s: sorts.count(s) / len(sorts) for s in set(sorts)}
    )


def test_a_cell_of_the_map_says_its_number() -> None:
    drawing = svg.heat_map(["a", "b"], np.array([[1.0, 0.2], [0.2, 1.0]]), "two")
    assert "a and b: 0.200 nats" in drawing
    parsed(drawing)


def test_the_map_has_a_scale_whose_shades_are_those_of_its_cells() -> None:
    drawing = svg.heat_map(["a", "b", "c"], np.array([[9, 1, 0.5], [1, 9, 0], [0.5, 0, 9]]), "m")
    shades = dict(
        re.findall(r"<title>([^<]*) nats</title><rect[^>]*fill-opacity:([\d.]+)", drawing)
    )
    scale = re.findall(
        r'<rect[^>]*width="12.00"[^>]*fill-opacity:([\d.]+)"/><text[^>]*>([\d.]+)', drawing
    )
    assert [float(nats) for _, nats in scale] == [1.0, 0.5, 0.0]
    assert [shade for shade, _ in scale] == [
        shades["a and b: 1.000"],
        shades["a and c: 0.500"],
        shades["b and c: 0.000"],
    ]
